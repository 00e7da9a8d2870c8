/** A way into a media node from the internet. All that is not listed here is closed. */
export type NodePort = {
	readonly protocol: "tcp" | "udp";
	readonly from: number;
	readonly to: number;
	readonly purpose: string;
};

/** What clients of a media node connect to: with {@link PORT_SETTINGS}, the addresses that a node listens on. */
export const NODE_PORTS: readonly NodePort[] = [
	{ protocol: "tcp", from: 80, to: 80, purpose: "Challenges of ACME; closed while there is none" },
	{ protocol: "tcp", from: 8554, to: 8554, purpose: "RTSP" },
	{ protocol: "tcp", from: 8322, to: 8322, purpose: "RTSPS" },
	{ protocol: "tcp", from: 8889, to: 8889, purpose: "WHIP and WHEP" },
	{ protocol: "tcp", from: 8189, to: 8189, purpose: "ICE over TCP" },
	{ protocol: "udp", from: 8000, to: 8001, purpose: "RTP and RTCP" },
	{ protocol: "udp", from: 8189, to: 8189, purpose: "ICE" },
];

/** Settings under which a node listens on those, and on no others that it could not use in a cloud. */
export const PORT_SETTINGS = {
	SLUICE_WEBRTCLOCALTCPADDRESS: ":8189",
	// There is no multicast between machines of a cloud.
	SLUICE_RTSPTRANSPORTS: "udp,tcp",
} as const;

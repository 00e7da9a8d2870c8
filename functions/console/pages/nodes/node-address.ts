import type { NodeDescription } from "../../../routes/nodes.ts";

export type NodeAddress = { readonly protocol: string; readonly address: string };

/** Where a node listens. `ownHost`: that of the functions, for a node that runs beside them. Nothing before its first heartbeat. */
export function nodeAddresses({ host, endpoints }: NodeDescription, ownHost: string): readonly NodeAddress[] {
	if (endpoints === null) return [];
	const name = bracketed(host ?? ownHost);
	const { rtsp, rtsps, rtmp, srt, webrtc, webrtcEncryption, webrtcURL } = endpoints;
	const web = webrtc === null ? null : `${webrtcEncryption ? "https" : "http"}://${name}:${webrtc}`;
	const found = [
		{ protocol: "RTSP", address: rtsp === null ? null : `rtsp://${name}:${rtsp}` },
		{ protocol: "RTSPS", address: rtsps === null ? null : `rtsps://${name}:${rtsps}` },
		{ protocol: "WHIP and WHEP", address: webrtcURL ?? web },
		{ protocol: "RTMP", address: rtmp === null ? null : `rtmp://${name}:${rtmp}` },
		{ protocol: "SRT", address: srt === null ? null : `srt://${name}:${srt}` },
	];
	return found.flatMap(({ protocol, address }) => (address === null ? [] : [{ protocol, address }]));
}

/** An address of IPv6 stands in brackets in front of a port. RFC 3986 §3.2.2. */
function bracketed(host: string): string {
	return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

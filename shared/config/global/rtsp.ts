import * as z from "zod";
import { encryption, listenAddress, listOf, networks, port, text } from "../scalar.ts";

export const rtspShape = {
	rtsp: z.boolean().default(true).describe("Run the RTSP server"),
	rtspTransports: listOf(z.enum(["udp", "multicast", "tcp"]), 3)
		.refine((list) => list.length > 0, { message: "must name one transport at least" })
		.default(["udp", "multicast", "tcp"])
		.describe("Transports that RTSP clients may choose"),
	rtspEncryption: encryption
		.default("no")
		.describe("RTSPS with SRTP: no, optional (besides RTSP) or strict (instead of it)"),
	rtspAddress: listenAddress.default(":8554").describe("Where the RTSP server listens (TCP)"),
	rtspsAddress: listenAddress.default(":8322").describe("Where the RTSPS server listens (TCP)"),
	rtpAddress: listenAddress.default(":8000").describe("UDP address of RTP; its port is even"),
	rtcpAddress: listenAddress.default(":8001").describe("UDP address of RTCP; its port is one above RTP's"),
	multicastIPRange: z.cidrv4().default("224.1.0.0/16").describe("Addresses of multicast groups"),
	multicastRTPPort: port.default(8002).describe("Port of RTP to multicast groups"),
	multicastRTCPPort: port.default(8003).describe("Port of RTCP to multicast groups"),
	srtpAddress: listenAddress.default(":8004").describe("UDP address of SRTP"),
	srtcpAddress: listenAddress.default(":8005").describe("UDP address of SRTCP"),
	multicastSRTPPort: port.default(8006).describe("Port of SRTP to multicast groups"),
	multicastSRTCPPort: port.default(8007).describe("Port of SRTCP to multicast groups"),
	rtspServerKey: text.default("server.key").describe("Key of RTSPS"),
	rtspServerCert: text.default("server.crt").describe("Certificate of RTSPS"),
	rtspAuthMethods: listOf(z.enum(["basic", "digest"]), 2)
		.refine((list) => list.length > 0, { message: "must name one method at least" })
		.default(["basic"])
		.describe("How RTSP clients may show their password"),
	rtspTrustedProxies: networks.default([]).describe("Proxies whose PROXY protocol header tells the client's address"),
} as const;

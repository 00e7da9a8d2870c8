/** The control API, and servers that this version does not have yet: their keys are checked, and have no effect. */

import * as z from "zod";
import {
	durationBetween,
	encryption,
	httpAddress,
	listenAddress,
	listOf,
	networks,
	size,
	text,
	timeout,
} from "../scalar.ts";
import { httpServerShape } from "./http-server.ts";

const optionalAddress = z.union([z.literal(""), listenAddress]);

export const apiShape = {
	api: z.boolean().default(false).describe("Run the control API"),
	apiAddress: httpAddress.default(":9997").describe("Where the control API listens"),
	...httpServerShape("api", "the control API"),
} as const;

export const pprofShape = {
	pprof: z.boolean().default(false).describe("Serve profiles"),
	pprofAddress: httpAddress.default(":9999").describe("Where profiles are served"),
	...httpServerShape("pprof", "profiles"),
} as const;

export const playbackShape = {
	playback: z.boolean().default(false).describe("Serve recordings"),
	playbackAddress: httpAddress.default(":9996").describe("Where recordings are served"),
	...httpServerShape("playback", "recordings"),
} as const;

export const rtmpShape = {
	rtmp: z.boolean().default(true).describe("Run the RTMP server"),
	rtmpEncryption: encryption.default("no").describe("RTMPS: no, optional or strict"),
	rtmpAddress: listenAddress.default(":1935").describe("Where the RTMP server listens"),
	rtmpsAddress: listenAddress.default(":1936").describe("Where the RTMPS server listens"),
	rtmpServerKey: text.default("server.key").describe("Key of RTMPS"),
	rtmpServerCert: text.default("server.crt").describe("Certificate of RTMPS"),
	rtmpTrustedProxies: networks.default([]).describe("Proxies in front of the RTMP server"),
} as const;

/** Of MediaMTX's HLS server, which keeps segments in memory and is asked by each viewer. */
export const hlsServerShape = {
	...httpServerShape("hls", "HLS"),
	hlsAlwaysRemux: z.boolean().default(false).describe("Package HLS before anybody asks for it, as Sluice always does"),
	hlsVariant: z
		.enum(["mpegts", "fmp4", "lowLatency"])
		.default("lowLatency")
		.describe("Variant of HLS; Sluice packages fmp4"),
	hlsPartDuration: durationBetween("1ms", "1m").default("200ms").describe("Shortest duration of a part"),
	hlsSegmentMaxSize: size.default("50M").describe("Largest segment"),
	hlsDirectory: text.default("").describe("Folder for segments"),
	hlsMuxerCloseAfter: durationBetween("0s", "1d")
		.default("60s")
		.describe("How long HLS is packaged after the last request"),
	hlsCDNSecret: text.default("").describe("Secret of a CDN"),
} as const;

const iceServer = z.strictObject({
	url: text.refine((value) => /^(?:stun|turn|turns):/.test(value), {
		message: "must begin with stun:, turn: or turns:",
	}),
	username: text.default(""),
	password: text.default(""),
	clientOnly: z.boolean().default(false),
});

export const webrtcShape = {
	webrtc: z.boolean().default(true).describe("Run the WebRTC server"),
	webrtcAddress: httpAddress.default(":8889").describe("Where the WebRTC server listens"),
	...httpServerShape("webrtc", "WebRTC"),
	webrtcLocalUDPAddress: optionalAddress.default(":8189").describe("UDP address of ICE; empty: none"),
	webrtcLocalTCPAddress: optionalAddress.default("").describe("TCP address of ICE; empty: none"),
	webrtcIPsFromInterfaces: z.boolean().default(true).describe("Tell clients the addresses of the network interfaces"),
	webrtcIPsFromInterfacesList: listOf(z.string(), 64).default([]).describe("Those interfaces; empty: all"),
	webrtcAdditionalHosts: listOf(z.string(), 64).default([]).describe("More hosts and addresses to tell clients"),
	webrtcICEServers2: z.array(iceServer).max(32).default([]).describe("STUN and TURN servers"),
	webrtcSTUNGatherTimeout: timeout.default("5s").describe("How long STUN candidates are gathered"),
	webrtcHandshakeTimeout: timeout.default("10s").describe("How long the handshake may take"),
	webrtcTrackGatherTimeout: timeout.default("2s").describe("How long tracks are gathered"),
} as const;

export const srtShape = {
	srt: z.boolean().default(true).describe("Run the SRT server"),
	srtAddress: listenAddress.default(":8890").describe("Where the SRT server listens (UDP)"),
} as const;

export const moqShape = {
	moq: z.boolean().default(true).describe("Run the MoQ server"),
	moqHTTP2Address: httpAddress.default(":8892").describe("Where the page of MoQ is served"),
	moqHTTP3Address: listenAddress.default(":8892").describe("Where WebTransport listens (UDP)"),
	moqQUICAddress: listenAddress.default(":8893").describe("Where QUIC listens (UDP)"),
	moqServerKey: text.default("auto.key").describe("Key of MoQ"),
	moqServerCert: text.default("auto.crt").describe("Certificate of MoQ"),
	moqAllowOrigins: listOf(z.string(), 256).default(["*"]).describe("Origins that may use MoQ (CORS)"),
	moqTrustedProxies: networks.default([]).describe("Proxies in front of MoQ"),
} as const;

/** The WebRTC server of the WebRTC bench: the product, with its publisher within. */

import { systemClock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import { WebRtcServer } from "../../media-node/webrtc/server.ts";
import { frameOfPackets, log, openTable, publishHere } from "./server.ts";
import { PACKET_BYTES, PACKETS_PER_FRAME } from "./webrtc.ts";
import { answerBench } from "./webrtc-reply.ts";

const table = openTable();
const stream = { isSending: false };
await publishHere(table, parsePathName("bench"), {
	frame: frameOfPackets(PACKETS_PER_FRAME, PACKET_BYTES),
	isSending: () => stream.isSending,
});
const server = await WebRtcServer.open({
	http: {
		prefix: "webrtc",
		address: "127.0.0.1:0",
		certificate: null,
		allowOrigins: [],
		trustedProxies: [],
		readTimeoutMs: 10_000,
		writeTimeoutMs: 10_000,
	},
	// As the settings have it unless told otherwise: every address of both families.
	udp: { host: "", port: 0, key: "webrtcLocalUDPAddress" },
	tcp: null,
	readBufferBytes: 0,
	hosts: { fromInterfaces: false, interfaces: [], additionalHosts: ["127.0.0.1"] },
	iceServers: [],
	handshakeTimeoutMs: 20_000,
	table,
	authenticator: { authorize: async () => ({ subject: "bench", expiresMs: null }) },
	opusOf: () => null,
	clock: systemClock,
	log,
});
answerBench(`http://127.0.0.1:${server.port}/bench/whep`, stream);

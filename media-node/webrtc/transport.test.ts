import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { eventually } from "../../test/support/eventually.ts";
import { connectPeer, OUR_SSRC, PAYLOAD_TYPE } from "../../test/support/webrtc-peer.ts";
import { WebRtcEndpoint } from "./endpoint.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

function open() {
	return WebRtcEndpoint.open({
		udp: { host: "127.0.0.1", port: 0, key: "webrtcLocalUDPAddress" },
		tcp: null,
		readBufferBytes: 0,
		hosts: { fromInterfaces: true, interfaces: [], additionalHosts: [] },
		handshakeTimeoutMs: 10_000,
		clock: systemClock,
		log: silent,
	});
}

describe("WebRtcTransport", () => {
	it("connects", async () => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		transport.onClosed = (reason) => console.log("closed", reason);
		await using peer = await connectPeer(transport, { setup: "active" });
		await transport.connected;
		console.log(transport.stats);
		await peer.connected;
	});
});

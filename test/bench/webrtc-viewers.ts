/** The viewers of the WebRTC bench: whole agents until they are connected, which then count what comes. */

import { createSecretKey } from "node:crypto";
import dgram from "node:dgram";
import { RTCPeerConnection, useH264, useNACK, usePLI, useSdesMid, useTransportWideCC, useTWCC } from "werift";
import { parseStun } from "../../media-node/webrtc/transport/stun.ts";
import { writeBindingSuccess } from "../../media-node/webrtc/transport/stun-writer.ts";
import type { WebRtcViewersCommand, WebRtcViewersReply } from "./webrtc.ts";

const CONNECT_MS = 20_000;
/**
 * Who only counts looks this rarely: on loopback it is the sender who pays for waking whoever waits for a packet, which it
 * does not on a network.
 */
const NAP_MS = 8;

let viewers: RTCPeerConnection[] = [];
let packets = 0;

/** What is RTP or RTCP goes no further than here, for all sockets of this process. RFC 7983 §7. */
const emit = dgram.Socket.prototype.emit;
dgram.Socket.prototype.emit = function (this: dgram.Socket, event: string, ...args: unknown[]): boolean {
	const [bytes] = args;
	if (event === "message" && bytes instanceof Uint8Array && (bytes[0] ?? 0) >= 128) {
		packets++;
		return true;
	}
	return Reflect.apply(emit, this, [event, ...args]);
};

/** Without an answer of a server an agent waits for one. */
const stun = dgram.createSocket("udp4");
const stunKey = createSecretKey("any", "latin1");
stun.on("message", (bytes, from) => {
	const message = parseStun(bytes);
	if (message !== null) stun.send(writeBindingSuccess(message.transactionId, from, stunKey), from.port, from.address);
});
await new Promise<void>((resolve) => stun.bind(0, "127.0.0.1", resolve));

async function connect(url: string): Promise<RTCPeerConnection> {
	const video = useH264({ rtcpFeedback: [useNACK(), usePLI(), useTWCC()] });
	const connection = new RTCPeerConnection({
		iceServers: [{ urls: `stun:127.0.0.1:${stun.address().port}` }],
		iceUseIpv6: false,
		codecs: { video: [video], audio: [] },
		headerExtensions: { video: [useSdesMid(), useTransportWideCC()], audio: [] },
	});
	connection.addTransceiver("video", { direction: "recvonly" });
	await connection.setLocalDescription(await connection.createOffer());
	const body = connection.localDescription?.sdp ?? "";
	const response = await fetch(url, { method: "POST", headers: { "content-type": "application/sdp" }, body });
	const sdp = await response.text();
	if (!response.ok) throw new Error(`The server answers ${response.status}: ${sdp}`);
	const connected = connection.connectionStateChange.watch((state) => state === "connected", CONNECT_MS);
	await connection.setRemoteDescription({ type: "answer", sdp });
	await connected;
	return connection;
}

async function become({ url, viewers: count, atOnce }: WebRtcViewersCommand): Promise<void> {
	await Promise.all(viewers.splice(count).map((viewer) => viewer.close()));
	while (viewers.length < count) {
		const missing = Math.min(atOnce, count - viewers.length);
		viewers = viewers.concat(await Promise.all(Array.from({ length: missing }, () => connect(url))));
	}
}

let isNapping = false;
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
function nap(): void {
	if (!isNapping) return;
	Atomics.wait(never, 0, 0, NAP_MS);
	setImmediate(nap);
}

process.on("message", async (command: WebRtcViewersCommand) => {
	if (command.viewers !== viewers.length) {
		isNapping = false;
		await become(command);
	}
	if (!isNapping && viewers.length > 0) {
		isNapping = true;
		setImmediate(nap);
	}
	process.send?.({ packets } satisfies WebRtcViewersReply);
});
process.on("disconnect", () => process.exit());
process.send?.({});

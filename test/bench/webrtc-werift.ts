/** What the WebRTC bench compares with: the same stream by werift alone, a connection for each viewer. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { MediaStreamTrack, RTCPeerConnection, useH264, useNACK, usePLI } from "werift";
import { eachFrame, FrameClock, frameOfPackets } from "./server.ts";
import { PACKET_BYTES, PACKETS_PER_FRAME } from "./webrtc.ts";
import { answerBench } from "./webrtc-reply.ts";

const stream = { isSending: false };
const viewers = new Set<MediaStreamTrack>();

/** Answers an offer; the candidates are in the answer. */
async function answer(offer: string): Promise<string> {
	const connection = new RTCPeerConnection({
		iceServers: [],
		iceUseIpv6: false,
		iceAdditionalHostAddresses: ["127.0.0.1"],
		codecs: { video: [useH264({ rtcpFeedback: [useNACK(), usePLI()] })], audio: [] },
	});
	const track = new MediaStreamTrack({ kind: "video" });
	connection.addTransceiver(track, { direction: "sendonly" });
	connection.connectionStateChange.subscribe((state) => {
		if (state === "connected") viewers.add(track);
		if (state !== "closed" && state !== "failed" && state !== "disconnected") return;
		viewers.delete(track);
		void connection.close();
	});
	await connection.setRemoteDescription({ type: "offer", sdp: offer });
	await connection.setLocalDescription(await connection.createAnswer());
	return connection.localDescription?.sdp ?? "";
}

const server = http.createServer(async (request, response) => {
	const sdp = await answer(await text(request));
	response.writeHead(201, { "content-type": "application/sdp" }).end(sdp);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

const frame = frameOfPackets(PACKETS_PER_FRAME, PACKET_BYTES);
const clock = new FrameClock();
eachFrame(() => {
	if (!stream.isSending) return;
	clock.renew(frame);
	for (const packet of frame) {
		const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
		for (const track of viewers) track.writeRtp(bytes);
	}
});
answerBench(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stream);

/** Cameras of a bench, in a process of their own: RTSP/TCP publishers of 3.9 Mbit/s each, on `bench0`, `bench1` and so on. */

import { once } from "node:events";
import net from "node:net";
import { H264_PPS, H264_SPS } from "../support/rtp-stream.ts";
import { FRAME_RATE, PACKET_BYTES, PACKETS_PER_FRAME } from "./fanout.ts";
import { type PublishersCommand, writeStamp } from "./publish.ts";
import { eachFrame, FrameClock, frameOfPackets } from "./server.ts";

const HEADER_BYTES = 4;
const PIECE_BYTES = HEADER_BYTES + PACKET_BYTES;
/** From one packet to the next, when each comes by itself. */
const PACKET_MS = 1000 / FRAME_RATE / PACKETS_PER_FRAME;
const sets = [H264_SPS, H264_PPS].map((bytes) => Buffer.from(bytes).toString("base64")).join(",");
const SDP =
	"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=bench\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" +
	`a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${sets}\r\na=control:streamid=0\r\n`;

/** ANNOUNCE to RECORD, each after the answer to the one before. */
async function record(port: number, path: string): Promise<net.Socket> {
	const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
	const url = `rtsp://127.0.0.1/${path}`;
	const requests = [
		`ANNOUNCE ${url} RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
		`SETUP ${url}/streamid=0 RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record\r\n\r\n`,
		`RECORD ${url} RTSP/1.0\r\nCSeq: 3\r\n\r\n`,
	];
	for (const request of requests) {
		socket.write(request);
		const [answer] = await once(socket, "data");
		if (!String(answer).startsWith("RTSP/1.0 200")) throw new Error(`The server answers: ${answer}`);
	}
	socket.resume();
	socket.on("close", () => process.exit());
	return socket;
}

/** The packets behind their headers, in one buffer. */
function interleaved(packets: readonly Uint8Array[]): Buffer {
	return Buffer.concat(
		packets.flatMap((packet) => [Buffer.of(0x24, 0, packet.length >> 8, packet.length & 0xff), packet]),
	);
}

function publish(socket: net.Socket, pace: PublishersCommand["pace"]): void {
	if (pace === "none") return;
	const frame = frameOfPackets();
	const clock = new FrameClock();
	eachFrame(() => {
		clock.renew(frame);
		// Of its own for each frame: the socket may keep it.
		const bytes = interleaved(frame);
		const pieces = frame.map((_, i) => bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
		if (pace === "frames") {
			for (const piece of pieces) writeStamp(piece.subarray(HEADER_BYTES));
			socket.write(bytes);
			return;
		}
		const beganMs = performance.now();
		const send = (i: number) => {
			const piece = pieces[i];
			if (piece === undefined) return;
			writeStamp(piece.subarray(HEADER_BYTES));
			socket.write(piece);
			setTimeout(send, Math.max(0, beganMs + (i + 1) * PACKET_MS - performance.now()), i + 1);
		};
		send(0);
	});
}

process.once("message", async ({ port, streams, pace }: PublishersCommand) => {
	for (let i = 0; i < streams; i++) {
		const socket = await record(port, `bench${i}`);
		// Cameras keep no common beat.
		setTimeout(() => publish(socket, pace), Math.random() * (1000 / FRAME_RATE));
	}
	process.send?.({});
});
process.on("disconnect", () => process.exit());

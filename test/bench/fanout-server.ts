/** The server of the fan-out bench, in a process of its own so that its CPU time is its own. */

import net from "node:net";
import { systemClock } from "#shared/clock.ts";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { createLogger } from "../../media-node/log.ts";
import { PathTable } from "../../media-node/paths/path-table.ts";
import { RtspServer } from "../../media-node/rtsp/server.ts";
import { INTERLEAVED_HEADER_BYTES, PACKET_STRIDE, type RtpBatch } from "../../media-node/stream/rtp-batch.ts";
import type { PacketSink } from "../../media-node/stream/sink.ts";
import { H264_TRACK, nal, rtpPacket } from "../support/rtp-stream.ts";
import { FRAME_RATE, PACKET_BYTES, PACKETS_PER_FRAME, type ServerReply } from "./fanout.ts";

const path = parsePathName("bench");
const log = createLogger({ level: "error", structured: true });
const table = new PathTable({
	clock: systemClock,
	log,
	paths: new Map(),
	others: DEFAULT_PATH_CONFIG,
});
const publication = await table.publish({
	path,
	tracks: [H264_TRACK],
	publisher: { id: "bench", protocol: "bench", remoteAddress: "-" },
	onEvicted: () => undefined,
});
const stream = await table.read(path);

/** What most servers do: a write a packet. */
class PacketwiseSink implements PacketSink {
	readonly #socket: net.Socket;
	constructor(socket: net.Socket) {
		this.#socket = socket;
	}
	push(batch: RtpBatch): void {
		for (let i = 0; i < batch.packets.length; i += PACKET_STRIDE) {
			const offset = batch.packets[i + 1]!;
			const length = batch.packets[i + 2]!;
			this.#socket.write(batch.bytes.subarray(offset - INTERLEAVED_HEADER_BYTES, offset + length));
		}
	}
	senderReport(): void {}
	end(): void {
		this.#socket.destroy();
	}
}

const server = net.createServer({ noDelay: true }, (socket) => {
	const seat = stream.readPackets(new PacketwiseSink(socket));
	socket.on("error", () => undefined).on("close", () => seat[Symbol.dispose]());
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
/** The product. */
const rtsp = await RtspServer.open({
	address: { host: "127.0.0.1", port: 0 },
	rtpAddress: { host: "127.0.0.1", port: 0 },
	rtcpAddress: { host: "127.0.0.1", port: 0 },
	transports: ["tcp"],
	readTimeoutMs: 10_000,
	writeTimeoutMs: 10_000,
	table,
	authenticator: { authorize: async () => ({ subject: "bench", expiresMs: null }) },
	clock: systemClock,
	log,
});
reply({ ports: { batch: rtsp.port, packet: (server.address() as net.AddressInfo).port } });

/** One read of a camera's socket a frame: its packets, in FU-A fragments as a camera sends them. */
const frame = Array.from({ length: PACKETS_PER_FRAME }, () => {
	const payload = nal(28, PACKET_BYTES - 12);
	payload[1] = 0x01;
	return rtpPacket({ sequence: 0, timestamp: 0, payload });
});
let sequence = 0;
let timestamp = 0;
let frames = 0;
function publishFrame(): void {
	// A key frame every second: the first fragment of a picture that a decoder can begin with, or of another one.
	frame[0]![13] = frames++ % FRAME_RATE === 0 ? 0x85 : 0x81;
	for (const packet of frame) {
		packet[2] = sequence >> 8;
		packet[3] = sequence & 0xff;
		new DataView(packet.buffer).setUint32(4, timestamp);
		sequence = (sequence + 1) & 0xffff;
		publication.writePacket(0, packet, 0, packet.length);
	}
	publication.flush();
	timestamp = (timestamp + 90_000 / FRAME_RATE) >>> 0;
}

let next = performance.now();
function pace(): void {
	publishFrame();
	next = Math.max(next + 1000 / FRAME_RATE, performance.now() - 100);
	setTimeout(pace, Math.max(0, next - performance.now()));
}
pace();

process.on("message", () => {
	const { user, system } = process.cpuUsage();
	reply({ cpuSeconds: (user + system) / 1e6 });
});
process.on("disconnect", () => process.exit());

function reply(message: ServerReply): void {
	process.send?.(message);
}

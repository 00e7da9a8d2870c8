/** The server of the fan-out bench, in a process of its own so that its CPU time is its own. */

import net from "node:net";
import { parsePathName } from "#shared/path-name.ts";
import { INTERLEAVED_HEADER_BYTES, PACKET_STRIDE, type RtpBatch } from "../../media-node/stream/rtp-batch.ts";
import type { PacketSink } from "../../media-node/stream/sink.ts";
import { cpuSeconds } from "./child.ts";
import type { ServerReply } from "./fanout.ts";
import { openRtsp, openTable, publishHere } from "./server.ts";

const path = parsePathName("bench");
const table = openTable();
await publishHere(table, path);
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
const rtsp = await openRtsp(table);
reply({ ports: { batch: rtsp.port, packet: (server.address() as net.AddressInfo).port } });

process.on("message", () => reply({ cpuSeconds: cpuSeconds() }));
process.on("disconnect", () => process.exit());

function reply(message: ServerReply): void {
	process.send?.(message);
}

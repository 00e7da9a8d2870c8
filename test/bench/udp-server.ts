/** The server of the UDP bench: the RTSP server, and the same stream by a sender that sends packets by themselves. */

import dgram from "node:dgram";
import { parsePathName } from "#shared/path-name.ts";
import { segmentationOf } from "../../media-node/rtsp/udp-segmentation.ts";
import { PACKET_STRIDE, type RtpBatch } from "../../media-node/stream/rtp-batch.ts";
import type { PacketSink } from "../../media-node/stream/sink.ts";
import { cpuSeconds } from "./child.ts";
import { openRtsp, openTable, publishHere } from "./server.ts";
import type { UdpReply, UdpTargets } from "./udp.ts";

const path = parsePathName("bench");
const table = openTable();
await publishHere(table, path);
const stream = await table.read(path);
const rtsp = await openRtsp(table, ["udp"]);

const socket = dgram.createSocket({ type: "udp4", lookup: (host, _options, callback) => callback(null, host, 4) });
await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
const isSegmented = segmentationOf(socket) !== null;

class SingleSink implements PacketSink {
	readonly #port: number;
	constructor(port: number) {
		this.#port = port;
	}
	push({ bytes, packets }: RtpBatch): void {
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			const at = packets[i + 1] as number;
			socket.send(bytes.subarray(at, at + (packets[i + 2] as number)), this.#port, "127.0.0.1", ignore);
		}
	}
	senderReport(): void {}
	end(): void {}
}

function ignore(): void {}

let seats: Disposable[] = [];
process.on("message", (targets: UdpTargets) => {
	if (targets.ports !== undefined) {
		for (const seat of seats) seat[Symbol.dispose]();
		seats = targets.ports.map((port) => stream.readPackets(new SingleSink(port)));
	}
	process.send?.({
		port: rtsp.port,
		isSegmented,
		cpuSeconds: cpuSeconds(),
	} satisfies UdpReply);
});
process.on("disconnect", () => process.exit());
process.send?.({});

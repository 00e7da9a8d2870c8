/** The server of the UDP bench: the RTSP server, and the same stream by a sender that has packets cut by the kernel. */

import dgram from "node:dgram";
import { parsePathName } from "#shared/path-name.ts";
import { datagramRuns } from "../../media-node/rtsp/datagram-runs.ts";
import { RunSender, segmentationOf } from "../../media-node/rtsp/udp-segmentation.ts";
import type { RtpBatch } from "../../media-node/stream/rtp-batch.ts";
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
const segmentation = segmentationOf(socket);
const sender = new RunSender(socket, segmentation);

class RunSink implements PacketSink {
	readonly #port: number;
	constructor(port: number) {
		this.#port = port;
	}
	push(batch: RtpBatch): void {
		for (const run of datagramRuns(batch)) sender.send(run, "127.0.0.1", this.#port);
	}
	senderReport(): void {}
	end(): void {}
}

let seats: Disposable[] = [];
process.on("message", (targets: UdpTargets) => {
	if (targets.ports !== undefined) {
		for (const seat of seats) seat[Symbol.dispose]();
		seats = targets.ports.map((port) => stream.readPackets(new RunSink(port)));
	}
	process.send?.({
		port: rtsp.port,
		isSegmented: segmentation !== null,
		cpuSeconds: cpuSeconds(),
	} satisfies UdpReply);
});
process.on("disconnect", () => process.exit());
process.send?.({});

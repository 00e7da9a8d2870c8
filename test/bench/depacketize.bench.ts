/**
 * How many RTP packets of H.264 become access units in a second of one core, beside a loop that makes an object, a
 * view and a `Buffer.concat` for each, as is common. Run: `node test/bench/depacketize.bench.ts`.
 */

import { createDepacketizer } from "../../media-node/rtp/depacketizer.ts";
import { packetizeH264 } from "../../media-node/rtp/packetize/h264.ts";
import { newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { packetsOf } from "../support/packetize.ts";

const FRAME_RATE = 30;
const BITRATE = 4_000_000;
const SECONDS = 20;
const ROUNDS = 7;
const GOAL_PER_SECOND = 800_000;

/** A stream as it lies in what a socket reads: one buffer, with where each packet begins and how long it is. */
function makeStream(): { bytes: Buffer; packets: Uint32Array } {
	const frame = new Uint8Array(BITRATE / 8 / FRAME_RATE).fill(0x55);
	const units = Array.from({ length: FRAME_RATE * SECONDS }, (_, i) => {
		const slice = frame.slice();
		slice.set([i % FRAME_RATE === 0 ? 0x65 : 0x41, 0x88]);
		return { frames: [slice], rtpTime: i * (90_000 / FRAME_RATE) };
	});
	const all = packetsOf(packetizeH264, units, { maxPayloadBytes: 1_250 });
	const packets = new Uint32Array(all.length * 2);
	let at = 0;
	for (const [i, packet] of all.entries()) {
		packets.set([at, packet.length], i * 2);
		at += packet.length;
	}
	return { bytes: Buffer.concat(all), packets };
}

function depacketize(bytes: Uint8Array, packets: Uint32Array): number {
	const depacketizer = createDepacketizer({ name: "H264", sps: null, pps: null }, { encoding: "", fmtp: "" });
	if (depacketizer === null) throw new Error("There is no depacketizer of H.264");
	const packet = newRtpPacket();
	let size = 0;
	for (let i = 0; i < packets.length; i += 2) {
		if (!readRtpPacket(packet, bytes, packets[i]!, packets[i + 1]!)) throw new Error("A packet is malformed");
		for (const unit of depacketizer.push(bytes, packet)) {
			for (const frame of unit.frames) size += frame.length;
		}
	}
	return size;
}

function depacketizeNaively(bytes: Buffer, packets: Uint32Array): number {
	let size = 0;
	let parts: Buffer[] = [];
	for (let i = 0; i < packets.length; i += 2) {
		const buffer = bytes.subarray(packets[i]!, packets[i]! + packets[i + 1]!);
		const packet = {
			marker: buffer.readUInt8(1) >> 7 === 1,
			payloadType: buffer.readUInt8(1) & 0x7f,
			sequence: buffer.readUInt16BE(2),
			timestamp: buffer.readUInt32BE(4),
			ssrc: buffer.readUInt32BE(8),
			payload: buffer.subarray(12),
		};
		const { payload } = packet;
		if (payload[1]! & 0x80) parts = [Buffer.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f))];
		parts = [Buffer.concat([...parts, payload.subarray(2)])];
		if (packet.marker) size += parts[0]!.length;
	}
	return size;
}

function packetsPerSecond(run: () => number, count: number): number {
	const start = process.cpuUsage();
	run();
	const { user, system } = process.cpuUsage(start);
	return (count * 1e6) / (user + system);
}

const { bytes, packets } = makeStream();
const count = packets.length / 2;
if (depacketize(bytes, packets) !== depacketizeNaively(bytes, packets)) throw new Error("The two loops differ");

const ours: number[] = [];
const naive: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
	ours.push(packetsPerSecond(() => depacketize(bytes, packets), count));
	naive.push(packetsPerSecond(() => depacketizeNaively(bytes, packets), count));
}
const median = (values: number[]) => values.sort((a, b) => a - b)[ROUNDS >> 1]!;
const rate = median(ours);
const millions = (value: number) => `${(value / 1e6).toFixed(2)} M packets/s`;
console.log(`depacketize H.264, 4 Mbit/s, per core: ${millions(rate)}; a naive loop: ${millions(median(naive))}`);
console.log(
	`ratio ${(rate / median(naive)).toFixed(1)}; one stream of 4 Mbit/s costs ${((1000 * count) / SECONDS / rate).toFixed(2)} ms a second`,
);
if (rate < GOAL_PER_SECOND) {
	console.error(`below the goal of ${millions(GOAL_PER_SECOND)}`);
	process.exitCode = 1;
}

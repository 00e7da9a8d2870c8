import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INTERLEAVED_HEADER_BYTES, PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";
import {
	type DatagramRun,
	datagramRuns,
	MAX_RUN_BYTES,
	MAX_RUN_PACKETS,
	MAX_SEGMENT_BYTES,
	runLengths,
} from "./datagram-runs.ts";

type Sent = { readonly track: number; readonly bytes: Uint8Array };

/** A batch of packets of the given sizes; each byte says of which packet it is. */
function batchOf(...sizes: readonly (readonly [track: number, length: number])[]): RtpBatch {
	const total = sizes.reduce((sum, [, length]) => sum + INTERLEAVED_HEADER_BYTES + length, 0);
	const bytes = Buffer.alloc(total, 0xff);
	const packets: number[] = [];
	let at = 0;
	for (const [i, [track, length]] of sizes.entries()) {
		at += INTERLEAVED_HEADER_BYTES;
		packets.push(track, at, length);
		bytes.fill(i, at, at + length);
		at += length;
	}
	return { bytes, packets, randomAccess: true, arrivalMs: 0 };
}

function packetsOf({ bytes, packets }: RtpBatch): Sent[] {
	const all: Sent[] = [];
	for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
		const offset = packets[i + 1]!;
		all.push({ track: packets[i]!, bytes: Uint8Array.from(bytes.subarray(offset, offset + packets[i + 2]!)) });
	}
	return all;
}

/** What udp(7) says that the kernel does with a send. */
function cut({ track, bytes, packetBytes }: DatagramRun): Sent[] {
	const all: Sent[] = [];
	for (let at = 0; at < bytes.length; at += packetBytes) {
		all.push({ track, bytes: Uint8Array.from(bytes.subarray(at, at + packetBytes)) });
	}
	return all;
}

const counts = (batch: RtpBatch) => runLengths(batch.packets).map(([, count]) => count);

describe("datagramRuns", () => {
	it("sends packets of equal size, and the shorter one that ends them, as one", () => {
		const [run, ...more] = datagramRuns(batchOf([0, 1200], [0, 1200], [0, 1200], [0, 70]));
		expect(more).toEqual([]);
		expect(run).toMatchObject({ track: 0, packetBytes: 1200, packets: 4 });
		expect(run?.bytes.length).toBe(3 * 1200 + 70);
	});

	it("begins anew after a shorter packet and before a longer one", () => {
		expect(counts(batchOf([0, 100], [0, 90], [0, 90]))).toEqual([2, 1]);
		expect(counts(batchOf([0, 100], [0, 100], [0, 101]))).toEqual([2, 1]);
		expect(counts(batchOf([0, 10], [0, 20], [0, 30]))).toEqual([1, 1, 1]);
	});

	it("keeps the tracks apart, which go to ports of their own", () => {
		expect(counts(batchOf([0, 100], [0, 100], [1, 100], [0, 100]))).toEqual([2, 1, 1]);
	});

	it("cuts at the number of packets that every kernel takes", () => {
		const sizes = Array.from({ length: 2 * MAX_RUN_PACKETS + 1 }, () => [0, 100] as const);
		expect(counts(batchOf(...sizes))).toEqual([MAX_RUN_PACKETS, MAX_RUN_PACKETS, 1]);
	});

	it("cuts before one send is larger than a UDP datagram", () => {
		const fit = Math.floor(MAX_RUN_BYTES / MAX_SEGMENT_BYTES);
		const sizes = Array.from({ length: fit + 1 }, () => [0, MAX_SEGMENT_BYTES] as const);
		expect(counts(batchOf(...sizes))).toEqual([fit, 1]);
	});

	it("sends what needs IP fragments alone", () => {
		const large = MAX_SEGMENT_BYTES + 1;
		expect(counts(batchOf([0, large], [0, large]))).toEqual([1, 1]);
	});

	it("makes the runs of a batch once, and shows single packets where they lie", () => {
		const batch = batchOf([0, 100], [0, 200]);
		const runs = datagramRuns(batch);
		expect(datagramRuns(batch)).toBe(runs);
		expect(runs.map(({ bytes }) => bytes.buffer)).toEqual([batch.bytes.buffer, batch.bytes.buffer]);
	});

	it("finds nothing in a batch of nothing", () => {
		expect(datagramRuns(batchOf())).toEqual([]);
	});

	it("gives back every packet, in order, within the bounds, whatever the sizes", () => {
		const size = fc.oneof(fc.constantFrom(0, 1, 60, 1200, 1472, 1473), fc.integer({ min: 0, max: 3000 }));
		const sizes = fc.array(fc.tuple(fc.constantFrom(0, 1), size), { maxLength: 200 });
		fc.assert(
			fc.property(sizes, (list) => {
				const batch = batchOf(...list);
				const runs = datagramRuns(batch);
				// A packet of nothing is no datagram of a run, and cannot be cut out of one.
				expect(runs.flatMap(cut)).toEqual(packetsOf(batch).filter(({ bytes }) => bytes.length > 0));
				for (const { bytes, packets } of runs) {
					expect(packets).toBeLessThanOrEqual(MAX_RUN_PACKETS);
					expect(bytes.length).toBeLessThanOrEqual(MAX_RUN_BYTES);
				}
			}),
			{ seed: 20_261_121, numRuns: 300 },
		);
	});
});

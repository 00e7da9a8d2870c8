import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReorderBuffer } from "./reorder.ts";
import { writeRtpHeader } from "./rtp-packet.ts";

function packet(sequence: number): Uint8Array {
	const bytes = new Uint8Array(12);
	writeRtpHeader(bytes, 0, { marker: false, payloadType: 96, sequence: sequence & 0xffff, timestamp: 0, ssrc: 0 });
	return bytes;
}

const sequencesOf = (packets: readonly Uint8Array[]) => packets.map((bytes) => (bytes[2]! << 8) | bytes[3]!);

/** What comes out for each packet that comes in. */
function pushAll(buffer: ReorderBuffer, sequences: readonly number[], nowMs = 0): number[][] {
	return sequences.map((sequence) => sequencesOf(buffer.push(packet(sequence), nowMs)));
}

describe("ReorderBuffer", () => {
	test("gives packets in order at once, over the wrap too", () => {
		expect(pushAll(new ReorderBuffer(), [0xfffe, 0xffff, 0, 1])).toEqual([[0xfffe], [0xffff], [0], [1]]);
	});

	test("holds packets back until the missing one comes", () => {
		const buffer = new ReorderBuffer();
		expect(pushAll(buffer, [0xfffd, 0xffff, 1, 0, 0xfffe])).toEqual([[0xfffd], [], [], [], [0xfffe, 0xffff, 0, 1]]);
		expect(buffer).toMatchObject({ lost: 0, late: 0, duplicates: 0 });
	});

	test("gives a missing packet up when one comes that is too far ahead", () => {
		const buffer = new ReorderBuffer({ maxPackets: 4 });
		expect(pushAll(buffer, [0, 2, 4, 5])).toEqual([[0], [], [], [2]]);
		expect(pushAll(buffer, [3])).toEqual([[3, 4, 5]]);
		expect(pushAll(buffer, [1])).toEqual([[]]);
		expect(buffer).toMatchObject({ lost: 1, late: 1 });
	});

	test("gives a missing packet up after its time", () => {
		const buffer = new ReorderBuffer({ maxDelayMs: 100 });
		pushAll(buffer, [0], 0);
		pushAll(buffer, [2], 50);
		pushAll(buffer, [3, 5], 90);
		expect(buffer.expire(149)).toEqual([]);
		expect(sequencesOf(buffer.expire(150))).toEqual([2, 3]);
		expect(buffer.expire(249)).toEqual([]);
		expect(sequencesOf(buffer.expire(250))).toEqual([5]);
		expect(buffer.expire(10_000)).toEqual([]);
		expect(buffer).toMatchObject({ lost: 2, late: 0 });
	});

	test("leaves out what comes twice, whether it waits or was given", () => {
		const buffer = new ReorderBuffer();
		expect(pushAll(buffer, [0, 0, 2, 2, 1])).toEqual([[0], [], [], [], [1, 2]]);
		expect(buffer).toMatchObject({ late: 1, duplicates: 1 });
	});

	test("one packet of nowhere is left out, two in a row are a source that began anew", () => {
		const buffer = new ReorderBuffer();
		expect(pushAll(buffer, [0, 1, 30_000, 2, 3, 5])).toEqual([[0], [1], [], [2], [3], []]);
		expect(pushAll(buffer, [30_000, 31_000, 31_001, 31_002])).toEqual([[], [], [5, 31_000, 31_001], [31_002]]);
		expect(buffer).toMatchObject({ lost: 1, late: 1 });
	});

	test("a gap of many packets that is no jump goes on at its other side", () => {
		const buffer = new ReorderBuffer({ maxPackets: 16 });
		expect(pushAll(buffer, [0, 2, 1_000])).toEqual([[0], [], [2]]);
		expect(buffer.lost).toBe(1_000 - 16 - 1 - 1 + 1);
		buffer.expire(1_000);
		expect(buffer.lost).toBe(998);
	});

	test("ignores what is too short to have a number", () => {
		expect(new ReorderBuffer().push(new Uint8Array(11), 0)).toEqual([]);
	});

	test("keeps packets by reference", () => {
		const bytes = packet(9);
		expect(new ReorderBuffer().push(bytes, 0)[0]).toBe(bytes);
	});

	test.each([0, 1, 3, 8_192])("refuses a size of %i packets", (maxPackets) => {
		expect(() => new ReorderBuffer({ maxPackets })).toThrow(RangeError);
	});

	test("whatever order packets come in, they leave in ascending order, each once", () => {
		const displacement = fc.array(fc.nat(40), { minLength: 1, maxLength: 300 });
		fc.assert(
			fc.property(displacement, fc.nat(0xffff), fc.array(fc.nat(299)), (moves, start, again) => {
				const arrivals = moves.map((move, i) => ({ i, at: i + move })).sort((a, b) => a.at - b.at);
				// The first packet tells where to begin, so it comes first.
				const order = [0, ...arrivals.map(({ i }) => i + 1), ...again.filter((i) => i <= moves.length)];
				const buffer = new ReorderBuffer({ maxPackets: 16 });
				const out: number[] = [];
				for (const i of order) out.push(...sequencesOf(buffer.push(packet(start + i), 0)));
				out.push(...sequencesOf(buffer.expire(1_000)), ...sequencesOf(buffer.expire(2_000)));
				for (let guard = 0; guard < 20; guard++) out.push(...sequencesOf(buffer.expire(3_000 + guard * 1_000)));
				const relative = out.map((sequence) => (sequence - start) & 0xffff);
				expect(relative).toEqual([...new Set(relative)].sort((a, b) => a - b));
				expect(relative.length + buffer.lost).toBe(moves.length + 1);
				expect(relative.length + buffer.late + buffer.duplicates).toBe(order.length);
			}),
		);
	});
});

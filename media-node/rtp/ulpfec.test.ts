import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { putU16, putU32 } from "../bytes/big-endian.ts";
import { interleave } from "./fec-cover.ts";
import { addToFecSum, clearFecSum, newFecSum, packetOfFecSum } from "./fec-sum.ts";
import { MAX_ULPFEC_HEADER_BYTES, MAX_ULPFEC_SPAN, readUlpfec, writeUlpfec } from "./ulpfec.ts";

const SSRC = 2;

function rtpPacket(
	sequence: number,
	marker: boolean,
	type: number,
	timestamp: number,
	payload: Uint8Array,
): Uint8Array {
	const bytes = new Uint8Array(12 + payload.length);
	bytes[0] = 0x80;
	bytes[1] = (marker ? 0x80 : 0) | type;
	putU16(bytes, 2, sequence);
	putU32(bytes, 4, timestamp);
	putU32(bytes, 8, SSRC);
	bytes.set(payload, 12);
	return bytes;
}

function fecOf(packets: readonly Uint8Array[], base: number, distances: readonly number[]): Uint8Array {
	const sum = newFecSum();
	for (const packet of packets) addToFecSum(sum, packet, 0, packet.length);
	const out = new Uint8Array(MAX_ULPFEC_HEADER_BYTES + 1_500);
	return out.slice(0, writeUlpfec(out, 0, sum, base, distances));
}

/** The packets of RFC 5109 §10.1, with payloads of one byte over and over. */
const example = [
	rtpPacket(8, true, 11, 3, new Uint8Array(200).fill(0x0a)),
	rtpPacket(9, false, 18, 5, new Uint8Array(140).fill(0x0b)),
	rtpPacket(10, true, 11, 7, new Uint8Array(100).fill(0x0c)),
	rtpPacket(11, false, 18, 9, new Uint8Array(340).fill(0x0d)),
];

describe("ULPFEC", () => {
	it("writes the headers of the example of RFC 5109 §10.1", () => {
		const fec = fecOf(example, 8, [0, 1, 2, 3]);
		expect(fec.subarray(0, 14)).toEqual(bytesOfHex("00 00 0008 00000008 0174 0154 f000"));
		expect(fec.length).toBe(14 + 340);
		// 10 ^ 11 ^ 12 ^ 13 while all four last, then those that are as long.
		expect([fec[14], fec[14 + 120], fec[14 + 150], fec[14 + 250]]).toEqual([0, 0x0a ^ 0x0b ^ 0x0d, 0x0a ^ 0x0d, 0x0d]);
	});

	it.each([0, 1, 2, 3])("recovers packet %i of the example, to the byte", (lost) => {
		const sum = newFecSum();
		const fec = fecOf(example, 8, [0, 1, 2, 3]);
		expect(readUlpfec(sum, fec, 0, fec.length)).toEqual([8, 9, 10, 11]);
		for (const [i, packet] of example.entries()) if (i !== lost) addToFecSum(sum, packet, 0, packet.length);
		expect(packetOfFecSum(sum, 8 + lost, SSRC)).toEqual(example[lost]);
	});

	it("takes the long mask for packets that are far apart, across the end of the numbers", () => {
		const fec = fecOf(example.slice(0, 3), 65_530, [0, 15, 47]);
		expect(fec.subarray(0, 4)).toEqual(bytesOfHex("40 12 fffa"));
		expect(fec.subarray(12, 18)).toEqual(bytesOfHex("8001 00000001"));
		expect(readUlpfec(newFecSum(), fec, 0, fec.length)).toEqual([65_530, 9, 41]);
	});

	it("reads no truncation of a packet", () => {
		for (const distances of [
			[0, 1, 2, 3],
			[0, 1, 2, 40],
		]) {
			const fec = fecOf(example, 8, distances);
			for (let length = 0; length < fec.length; length++) {
				expect(readUlpfec(newFecSum(), fec.slice(0, length), 0, length)).toBeNull();
			}
		}
	});

	it("reads no packet with the extension flag, without a mask, or that protects more than there can be", () => {
		const fec = fecOf(example, 8, [0, 1, 2, 3]);
		const changed = (at: number, value: number) => Uint8Array.from(fec, (byte, i) => (i === at ? value : byte));
		expect(readUlpfec(newFecSum(), changed(0, 0x80), 0, fec.length)).toBeNull();
		expect(readUlpfec(newFecSum(), changed(12, 0), 0, fec.length)).toBeNull();
		expect(readUlpfec(newFecSum(), changed(10, 0xff), 0, fec.length)).toBeNull();
	});

	it("gives no packet that would be longer than what was protected", () => {
		const sum = newFecSum();
		const fec = fecOf(example.slice(0, 1), 8, [0]);
		putU16(fec, 8, 201);
		expect(readUlpfec(sum, fec, 0, fec.length)).toEqual([8]);
		expect(packetOfFecSum(sum, 8, SSRC)).toBeNull();
	});

	it("recovers what the masks allow, and nothing else, whatever is lost", () => {
		const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 60 });
		const run = fc.tuple(
			payloads,
			fc.integer({ min: 1, max: 8 }),
			fc.integer({ min: 0, max: 65_535 }),
			fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
		);
		fc.assert(
			fc.property(run, ([all, groupSize, first, random]) => {
				const packets = all.map((payload, i) =>
					rtpPacket((first + i) & 0xffff, i === all.length - 1, 96, 9_000, payload),
				);
				const came = packets.map(() => (random.next().value ?? 0) > 0.2);
				for (const places of interleave(packets.length, groupSize, MAX_ULPFEC_SPAN)) {
					const base = places[0]!;
					const group = places.map((place) => packets[place]!);
					const fec = fecOf(
						group,
						(first + base) & 0xffff,
						places.map((place) => place - base),
					);
					const sum = newFecSum();
					const sequences = readUlpfec(sum, fec, 0, fec.length);
					expect(sequences).toEqual(places.map((place) => (first + place) & 0xffff));
					const lost = places.filter((place) => !came[place]);
					for (const place of places) if (came[place]) addToFecSum(sum, packets[place]!, 0, packets[place]!.length);
					if (lost.length !== 1) continue;
					expect(packetOfFecSum(sum, (first + lost[0]!) & 0xffff, SSRC)).toEqual(packets[lost[0]!]);
				}
			}),
			{ seed: 5109, numRuns: 200 },
		);
	});

	it("starts a sum again without what it held", () => {
		const sum = newFecSum();
		addToFecSum(sum, example[3]!, 0, example[3]!.length);
		clearFecSum(sum);
		expect(sum).toEqual(newFecSum());
		expect(addToFecSum(sum, new Uint8Array(11), 0, 11)).toBe(false);
		expect(addToFecSum(sum, new Uint8Array(1_513), 0, 1_513)).toBe(false);
		expect(sum).toEqual(newFecSum());
	});
});

import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { putU16, putU32 } from "../bytes/big-endian.ts";
import { addToFecSum, newFecSum, packetOfFecSum } from "./fec-sum.ts";
import { MAX_FLEXFEC_HEADER_BYTES, MAX_FLEXFEC_SPAN, readFlexfec, writeFlexfec } from "./flexfec.ts";

const SSRC = 0x01020304;
const packets = [10, 11, 12].map((sequence, i) => {
	const bytes = new Uint8Array(20 + i).fill(0x30 + i);
	bytes[0] = 0x90;
	bytes[1] = i === 2 ? 0x80 | 96 : 96;
	putU16(bytes, 2, sequence);
	putU32(bytes, 4, 9_000);
	putU32(bytes, 8, SSRC);
	return bytes;
});

function fecOf(distances: readonly number[], base = 10): Uint8Array {
	const sum = newFecSum();
	for (const packet of packets) addToFecSum(sum, packet, 0, packet.length);
	const out = new Uint8Array(MAX_FLEXFEC_HEADER_BYTES + 100).fill(0xff);
	return out.slice(0, writeFlexfec(out, 0, sum, SSRC, base, distances));
}

describe("FlexFEC", () => {
	it("writes the header of draft 03 with the short mask", () => {
		// 8 ^ 9 ^ 10 bytes; 0x30 ^ 0x31 ^ 0x32.
		expect(fecOf([0, 1, 2])).toEqual(
			bytesOfHex("10 e0 000b 00002328 01000000 01020304 000a f000 3333333333333333 0332"),
		);
	});

	it.each([
		["short", [0, 14], "c001", 20],
		["middle", [0, 15], "4000 c0000000", 24],
		["middle", [14, 45], "0001 80000001", 24],
		["long", [0, 46], "4000 00000000 c000000000000000", 32],
		["long", [1, 108], "2000 00000000 8000000000000001", 32],
	])("sets the bits of the %s mask for %j", (_, distances, mask, header) => {
		const fec = fecOf(distances, 65_500);
		expect(fec.subarray(18, header)).toEqual(bytesOfHex(mask));
		const cover = readFlexfec(newFecSum(), fec, 0, fec.length);
		expect(cover).toEqual({ ssrc: SSRC, sequences: distances.map((distance) => (65_500 + distance) & 0xffff) });
		expect(MAX_FLEXFEC_SPAN).toBe(109);
	});

	it.each([0, 1, 2])("recovers packet %i, to the byte", (lost) => {
		const fec = fecOf([0, 1, 2]);
		const sum = newFecSum();
		expect(readFlexfec(sum, fec, 0, fec.length)?.sequences).toEqual([10, 11, 12]);
		for (const [i, packet] of packets.entries()) if (i !== lost) addToFecSum(sum, packet, 0, packet.length);
		expect(packetOfFecSum(sum, 10 + lost, SSRC)).toEqual(packets[lost]);
	});

	it("reads what is left of a truncation, and no truncated header", () => {
		for (const [distances, header] of [
			[[0, 1, 2], 20],
			[[0, 1, 20], 24],
			[[0, 1, 60], 32],
		] as const) {
			const fec = fecOf(distances);
			for (let length = 0; length < fec.length; length++) {
				const sum = newFecSum();
				const cover = readFlexfec(sum, fec.slice(0, length), 0, length);
				expect(cover === null, `${length}`).toBe(length < header);
				// The longest packet does not fit any more: it would be cut.
				if (cover !== null) expect(sum.length).toBe(length - header);
			}
		}
	});

	it("reads no retransmission, no fixed mask, no several sources, and no empty mask", () => {
		const fec = fecOf([0, 1, 2]);
		const changed = (at: number, value: number) => Uint8Array.from(fec, (byte, i) => (i === at ? value : byte));
		for (const [at, value] of [
			[0, 0x90],
			[0, 0x50],
			[8, 2],
			[8, 0],
			[18, 0x80],
		] as const) {
			expect(readFlexfec(newFecSum(), changed(at, value), 0, fec.length), `${at}`).toBeNull();
		}
	});
});

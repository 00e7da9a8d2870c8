import { describe, expect, test } from "vitest";
import { BitReader, removeEmulationPrevention } from "./bit-reader.ts";

/** Bytes of a text of 0 and 1, filled up with zeros. */
function bytesOfBits(text: string): Uint8Array {
	const bits = text.replaceAll(" ", "");
	const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
	return Uint8Array.from({ length: padded.length / 8 }, (_, i) => Number.parseInt(padded.slice(i * 8, i * 8 + 8), 2));
}

describe("BitReader", () => {
	test("reads across bytes, most significant bit first", () => {
		const reader = new BitReader(Uint8Array.of(0xff, 0b1010_0101, 0xff), 1);
		expect([reader.bits(3), reader.flag(), reader.bits(0), reader.bits(7)]).toEqual([0b101, false, 0, 0b0101111]);
		expect(reader.remaining).toBe(5);
	});

	test("32 bits are unsigned", () => {
		expect(new BitReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)).bits(32)).toBe(0xffffffff);
	});

	// ITU-T H.264 table 9-2 and 9-3.
	test.each([
		["1", 0, 0],
		["010", 1, 1],
		["011", 2, -1],
		["00100", 3, 2],
		["00101", 4, -2],
		["00110", 5, 3],
		["00111", 6, -3],
		["0001000", 7, 4],
		["0001001", 8, -4],
		["0001010", 9, 5],
	])("the exp-Golomb code %s is %i, or %i signed", (bits, unsigned, signed) => {
		expect(new BitReader(bytesOfBits(bits)).ue()).toBe(unsigned);
		expect(new BitReader(bytesOfBits(bits)).se()).toBe(signed);
	});

	test("the longest exp-Golomb code is 2^32 - 2; a longer one is malformed", () => {
		expect(new BitReader(bytesOfBits(`${"0".repeat(31)}1${"1".repeat(31)}`)).ue()).toBe(2 ** 32 - 2);
		expect(() => new BitReader(bytesOfBits(`${"0".repeat(32)}1${"1".repeat(32)}`)).ue()).toThrow(
			expect.objectContaining({ code: "bytes.malformed" }),
		);
	});

	test.each([
		["bits", (r: BitReader) => r.bits(17)],
		["skip", (r: BitReader) => r.skip(17)],
		["ue", (r: BitReader) => r.ue()],
	])("%s past the end throws bytes.truncated", (_, read) => {
		expect(() => read(new BitReader(new Uint8Array(2)))).toThrow(expect.objectContaining({ code: "bytes.truncated" }));
	});
});

describe("removeEmulationPrevention", () => {
	test.each([
		["at the end", [1, 0, 0, 3], [1, 0, 0]],
		["twice in a run of zeros", [0, 0, 3, 0, 0, 3, 1], [0, 0, 0, 0, 1]],
		["before another 3", [0, 0, 3, 3], [0, 0, 3]],
		["after three zeros", [0, 0, 0, 3, 1], [0, 0, 0, 1]],
	])("leaves out the 3 %s", (_, nal, rbsp) => {
		expect([...removeEmulationPrevention(Uint8Array.from(nal))]).toEqual(rbsp);
	});

	test("gives the same bytes when there is nothing to leave out", () => {
		const nal = Uint8Array.of(0, 3, 0, 1, 3, 0, 0);
		expect(removeEmulationPrevention(nal)).toBe(nal);
	});
});

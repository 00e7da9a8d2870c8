import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { isAv1RandomAccess, leb128Bytes, leb128End, putLeb128, readLeb128 } from "./av1.ts";

test("numbers of any length are read as they were written", () => {
	for (const value of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 8 * 1024 * 1024]) {
		const bytes = new Uint8Array(8);
		const end = putLeb128(bytes, 2, value);
		expect(end - 2).toBe(leb128Bytes(value));
		expect(readLeb128(bytes, 2, end)).toBe(value);
		expect(leb128End(bytes, 2)).toBe(end);
		expect(readLeb128(bytes, 2, end - 1)).toBe(-1);
	}
});

test("numbers may be padded, and are at most 32 bits in eight bytes", () => {
	expect(readLeb128(bytesOfHex("858000"), 0, 3)).toBe(5);
	expect(leb128End(bytesOfHex("858000"), 0)).toBe(3);
	expect(readLeb128(bytesOfHex("ffffffff0f"), 0, 5)).toBe(2 ** 32 - 1);
	expect(readLeb128(bytesOfHex("ffffffff1f"), 0, 5)).toBe(-1);
	expect(readLeb128(bytesOfHex("808080808080808000"), 0, 9)).toBe(-1);
});

test("a decoder can begin with a sequence header and a key frame that is shown", () => {
	const begins = (...obus: string[]) => isAv1RandomAccess(obus.map(bytesOfHex));
	expect(begins("0800", "3010")).toBe(true);
	expect(begins("0800", "28ff", "1810", "20ff")).toBe(true);
	expect(begins("0c0000", "340010")).toBe(true);
	expect(begins("0818", "30ff")).toBe(true);
	expect(begins("3010")).toBe(false);
	expect(begins("3010", "0800")).toBe(false);
	expect(begins("0800")).toBe(false);
	expect(begins("0800", "3030")).toBe(false);
	expect(begins("0800", "3050")).toBe(false);
	expect(begins("0800", "3000")).toBe(false);
	expect(begins("0800", "1890")).toBe(false);
	expect(begins("", "08", "30")).toBe(false);
});

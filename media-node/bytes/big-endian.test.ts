import { expect, test } from "vitest";
import { putU16, putU32, sameBytes, u8, u16, u24, u32 } from "./big-endian.ts";

test("integers are read most significant byte first, and unsigned", () => {
	const bytes = Uint8Array.of(0, 0xfe, 0xdc, 0xba, 0x98);
	expect(u8(bytes, 1)).toBe(0xfe);
	expect(u16(bytes, 1)).toBe(0xfedc);
	expect(u24(bytes, 1)).toBe(0xfedcba);
	expect(u32(bytes, 1)).toBe(0xfedcba98);
});

test("integers are written most significant byte first, and leave their neighbours alone", () => {
	const bytes = new Uint8Array(8);
	putU16(bytes, 1, 0xfedc);
	putU32(bytes, 3, 0xfedcba98);
	expect(bytes).toEqual(Uint8Array.of(0, 0xfe, 0xdc, 0xfe, 0xdc, 0xba, 0x98, 0));
});

test("bytes are the same when length and contents are", () => {
	expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
	expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
	expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
});

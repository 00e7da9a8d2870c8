import { describe, expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "./byte-reader.ts";

const bytes = Uint8Array.of(0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff);

describe("ByteReader", () => {
	test("reads fields one after another within its range", () => {
		const reader = new ByteReader(bytes, 1, 10);
		expect(reader.u8()).toBe(1);
		expect(reader.u16()).toBe(0x0203);
		expect(reader.u24()).toBe(0x040506);
		expect(reader.u32()).toBe(0x0708090a);
		expect(reader.remaining).toBe(0);
		expect(reader.offset).toBe(11);
	});

	test.each([
		["u8", 0, (r: ByteReader) => r.u8()],
		["u16", 1, (r: ByteReader) => r.u16()],
		["u24", 2, (r: ByteReader) => r.u24()],
		["u32", 3, (r: ByteReader) => r.u32()],
		["u64", 7, (r: ByteReader) => r.u64()],
		["bytes", 3, (r: ByteReader) => r.bytes(4)],
		["latin1", 3, (r: ByteReader) => r.latin1(4)],
		["skip", 3, (r: ByteReader) => r.skip(4)],
		["sub", 3, (r: ByteReader) => r.sub(4)],
	])("%s past the end of its range throws bytes.truncated and moves nothing", (_, length, read) => {
		const reader = new ByteReader(bytes, 1, length);
		expect(() => read(reader)).toThrow(expect.objectContaining({ code: "bytes.truncated" }));
		expect(reader.remaining).toBe(length);
	});

	test("reads 64-bit numbers up to 2^53 - 1 and no more", () => {
		expect(new ByteReader(Uint8Array.of(0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).u64()).toBe(2 ** 53 - 1);
		const reader = new ByteReader(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0));
		expect(() => reader.u64()).toThrow(ProtocolError);
		expect(reader.remaining).toBe(8);
	});

	test("gives views, not copies", () => {
		const reader = new ByteReader(bytes);
		expect(reader.bytes(3).buffer).toBe(bytes.buffer);
	});

	test("gives a reader of a part and goes on behind it", () => {
		const reader = new ByteReader(bytes, 1);
		const part = reader.sub(2);
		expect(reader.u8()).toBe(3);
		expect(part.u16()).toBe(0x0102);
		expect(() => part.u8()).toThrow(ProtocolError);
		part.expectEnd("The part");
	});

	test("expectEnd names what is too long, and by how much", () => {
		expect(() => new ByteReader(bytes).expectEnd("The table")).toThrow("The table is 12 bytes longer than its fields");
	});

	test("text is one character a byte", () => {
		expect(new ByteReader(Uint8Array.of(0x61, 0xe9)).latin1(2)).toBe("aé");
	});

	test("a range outside of the bytes is a mistake of the caller", () => {
		expect(() => new ByteReader(bytes, 11, 2)).toThrow(RangeError);
		expect(() => new ByteReader(bytes, -1)).toThrow(RangeError);
		expect(() => new ByteReader(bytes, 13)).toThrow(RangeError);
	});
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

describe("ByteWriter", () => {
	test("what is written is read back, whatever the buffer began with", () => {
		const field = fc.oneof(
			fc.record({ kind: fc.constant("u8" as const), value: fc.integer({ min: 0, max: 0xff }) }),
			fc.record({ kind: fc.constant("u16" as const), value: fc.integer({ min: 0, max: 0xffff }) }),
			fc.record({ kind: fc.constant("u24" as const), value: fc.integer({ min: 0, max: 0xffffff }) }),
			fc.record({ kind: fc.constant("u32" as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
			fc.record({ kind: fc.constant("u64" as const), value: fc.maxSafeNat() }),
		);
		fc.assert(
			fc.property(fc.array(field), fc.integer({ min: 0, max: 20 }), (fields, initial) => {
				const writer = new ByteWriter(initial);
				for (const { kind, value } of fields) writer[kind](value);
				const reader = new ByteReader(writer.written);
				for (const { kind, value } of fields) expect(reader[kind]()).toBe(value);
				reader.expectEnd("The fields");
			}),
		);
	});

	test("boxes nest, each with its own length", () => {
		const writer = new ByteWriter(4);
		writer.box("moov", () => {
			writer.box("free", () => writer.u16(0xabcd));
			writer.bytes(Uint8Array.of(7));
		});
		expect([...writer.written]).toEqual([
			...[0, 0, 0, 19, 0x6d, 0x6f, 0x6f, 0x76],
			...[0, 0, 0, 10, 0x66, 0x72, 0x65, 0x65, 0xab, 0xcd],
			7,
		]);
	});

	test("a patch outside of what was written is refused", () => {
		const writer = new ByteWriter();
		writer.u32(0);
		writer.patchU16(2, 0x0102);
		writer.patchU32(0, 0x01020304);
		expect([...writer.written]).toEqual([1, 2, 3, 4]);
		expect(() => writer.patchU32(1, 0)).toThrow(RangeError);
		expect(() => writer.patchU16(3, 0)).toThrow(RangeError);
	});

	test("zeros overwrite what an earlier use left behind", () => {
		const writer = new ByteWriter(4);
		writer.u32(0xffffffff);
		writer.reset();
		writer.zeros(4);
		expect([...writer.written]).toEqual([0, 0, 0, 0]);
	});

	test("numbers that 64 bits or a double cannot hold are refused", () => {
		for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
			expect(() => new ByteWriter().u64(value)).toThrow(RangeError);
		}
	});
});

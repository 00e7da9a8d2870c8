import { describe, expect, it } from "vitest";
import { rangeHeader, resolveRange } from "./byte-range.ts";

// RFC 9110 §14.1.2: its examples are of a representation of 10,000 bytes.
describe("ranges", () => {
	it.each([
		[{ start: 0, end: 499 }, "bytes=0-499", { start: 0, end: 499 }],
		[{ start: 500, end: 999 }, "bytes=500-999", { start: 500, end: 999 }],
		[{ suffix: 500 }, "bytes=-500", { start: 9500, end: 9999 }],
		[{ start: 9500 }, "bytes=9500-", { start: 9500, end: 9999 }],
		[{ start: 0, end: 0 }, "bytes=0-0", { start: 0, end: 0 }],
		[{ start: 9999, end: 20_000 }, "bytes=9999-20000", { start: 9999, end: 9999 }],
		[{ suffix: 20_000 }, "bytes=-20000", { start: 0, end: 9999 }],
	])("%j is %s", (range, header, resolved) => {
		expect(rangeHeader(range)).toBe(header);
		expect(resolveRange(range, 10_000)).toEqual(resolved);
	});

	it("is everything when nothing is said", () => {
		expect(resolveRange(undefined, 10)).toEqual({ start: 0, end: 9 });
		expect(resolveRange(undefined, 0)).toEqual({ start: 0, end: -1 });
	});

	it("tells the size with the error, for Content-Range", () => {
		expect(() => resolveRange({ start: 10 }, 10)).toThrow(
			expect.objectContaining({ code: "input.range", data: { size: 10 } }),
		);
	});

	it.each([
		{ start: 5, end: 4 },
		{ start: -1 },
		{ start: 1.5 },
		{ start: 0, end: Number.POSITIVE_INFINITY },
		{ suffix: 0 },
		{ suffix: -1 },
	])("refuses %j", (range) => {
		expect(() => rangeHeader(range)).toThrow(expect.objectContaining({ code: "input.range" }));
		expect(() => resolveRange(range, 10)).toThrow(expect.objectContaining({ code: "input.range" }));
	});
});

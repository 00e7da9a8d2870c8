import { describe, expect, it } from "vitest";
import { changesBetween, changesText, isSame, merged, withSetting } from "./draft.ts";

describe("values of JSON", () => {
	it("are the same by what is in them", () => {
		expect(isSame({ a: [1, { b: "x" }], c: undefined }, { a: [1, { b: "x" }] })).toBe(true);
		expect(isSame({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
		expect(isSame([1, 2], [2, 1])).toBe(false);
		expect(isSame([], {})).toBe(false);
		expect(isSame({ a: 1 }, { b: 1 })).toBe(false);
		expect(isSame("1", 1)).toBe(false);
		expect(isSame(null, {})).toBe(false);
	});
});

describe("a draft", () => {
	it("takes a value, and gives it back to the defaults, without touching what it was", () => {
		const before = Object.freeze({ hls: false });
		expect(withSetting(before, "maxReaders", 3)).toEqual({ hls: false, maxReaders: 3 });
		expect(withSetting(before, "hls", undefined)).toEqual({});
		expect(before).toEqual({ hls: false });
	});

	it("knows what is different, by key", () => {
		expect(changesBetween({ a: 1, b: [1], d: "x" }, { b: [1], c: true, d: "y" })).toEqual([
			{ key: "a", kind: "removed", before: 1, after: undefined },
			{ key: "c", kind: "added", before: undefined, after: true },
			{ key: "d", kind: "changed", before: "x", after: "y" },
		]);
		expect(changesBetween({ a: undefined }, {})).toEqual([]);
	});

	it("counts in words", () => {
		expect([0, 1, 3].map(changesText)).toEqual(["0 changes", "1 change", "3 changes"]);
	});
});

describe("a conflict", () => {
	const base = { a: 1, b: 1, c: 1 };

	it("keeps what only one of both has changed", () => {
		expect(merged(base, { a: 2, b: 1, c: 1 }, { a: 1, b: 3 })).toEqual({ overrides: { a: 2, b: 3 }, both: [] });
	});

	it("names what both have changed, mine first; the same change is none", () => {
		expect(merged(base, { a: 2, b: 5 }, { a: 3, b: 5, c: 1 })).toEqual({ overrides: { a: 2, b: 5 }, both: ["a"] });
	});

	it("takes out what mine gave back to the defaults", () => {
		expect(merged(base, { a: 1, b: 1 }, { a: 1, b: 1, c: 2 })).toEqual({ overrides: { a: 1, b: 1 }, both: ["c"] });
	});
});

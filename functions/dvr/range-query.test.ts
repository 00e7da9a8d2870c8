import { describe, expect, it } from "vitest";
import { parseRange, parseSkip, resolveRange } from "./range-query.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 0, 1);
const range = (query: string) => parseRange(new URLSearchParams(query));
const resolved = (query: string, nowMs = NOW, targetDuration = 2) => {
	const asked = range(query);
	if (asked === null) throw new Error("no range");
	return resolveRange(asked, nowMs, targetDuration);
};
const invalid = expect.objectContaining({ code: "input.invalid" });

describe("a range of time in an address", () => {
	it.each([
		["start=2026-01-31T10:00:00Z", Date.UTC(2026, 0, 31, 10)],
		["start=2026-01-31t10:00:00.25z", Date.UTC(2026, 0, 31, 10, 0, 0, 250)],
		["start=2026-01-31T12:00:00%2B02:00", Date.UTC(2026, 0, 31, 10)],
		// A plus sign that was not escaped is a space.
		["start=2026-01-31T12:00:00+02:00", Date.UTC(2026, 0, 31, 10)],
		["start=1769853600", Date.UTC(2026, 0, 31, 10)],
		["start=1769853600.5", Date.UTC(2026, 0, 31, 10, 0, 0, 500)],
	])("is a time of RFC 3339 or Unix seconds: %s", (query, startMs) => {
		expect(resolved(query)).toEqual({ startMs, endMs: Number.POSITIVE_INFINITY, isSliding: false });
	});

	it("is seconds before now, in whole target durations, so that viewers of one moment ask the same", () => {
		const [a, b] = [resolved("start=-7200", NOW), resolved("start=-7199", NOW + 900)];
		expect(a).toEqual(b);
		expect(a).toMatchObject({ startMs: Date.UTC(2026, 0, 31, 10), isSliding: true });
		expect(resolved("start=-7200", NOW + 1000).startMs).toBe(a.startMs + 2000);
	});

	it("has an end that is given in the same ways", () => {
		expect(resolved("start=-7200&end=-3600")).toMatchObject({ endMs: Date.UTC(2026, 0, 31, 11), isSliding: false });
		expect(resolved("start=2026-01-31T10:00:00Z&end=1769857200").endMs).toBe(Date.UTC(2026, 0, 31, 11));
	});

	it("is none without a start and an end", () => {
		expect(range("x=1&_HLS_skip=YES")).toBeNull();
	});

	it.each([
		"start=",
		"start=yesterday",
		"start=2026-01-31",
		"start=2026-01-31T10:00:00",
		"start=2026-02-31T25:00:00Z",
		"start=1e9",
		"start=-",
		"start=NaN",
		"start=999999999999",
		"start=-7200&end=soon",
		"end=-60",
	])("is refused when it is none: %s", (query) => {
		expect(() => range(query)).toThrow(invalid);
	});

	it.each(["start=-60&end=-120", "start=-60&end=-60", "start=-604900", "start=1769000000&end=1769700000", "start=0"])(
		"is refused when it is empty or longer than a week: %s",
		(query) => {
			expect(() => resolved(query)).toThrow(invalid);
		},
	);

	it("may be a week", () => {
		expect(() => resolved("start=-604800")).not.toThrow();
	});
});

describe("a delta update", () => {
	it("is asked for by YES, or by v2, which says no more here", () => {
		expect(["_HLS_skip=YES", "_HLS_skip=v2", ""].map((query) => parseSkip(new URLSearchParams(query)))).toEqual([
			true,
			true,
			false,
		]);
		expect(() => parseSkip(new URLSearchParams("_HLS_skip=no"))).toThrow(invalid);
	});
});

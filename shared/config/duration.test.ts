import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationMs, durationSchema, formatDurationMs, parseDurationMs } from "./duration.ts";

describe("durations", () => {
	it.each([
		["0", 0],
		["0s", 0],
		["500ms", 500],
		["10s", 10_000],
		["1.5s", 1500],
		["1h30m", 5_400_000],
		["1d", 86_400_000],
		["-3s", -3000],
	])("reads %s", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

	it.each(["", "10", "s", "1x", "1h 30m", "1h30", "--1s", "1e3s", "١s"])("refuses %j", (text) => {
		expect(parseDurationMs(text)).toBeNull();
		expect(durationSchema.safeParse(text).success).toBe(false);
		expect(() => durationMs(text)).toThrow(TypeError);
	});

	it("shows what a duration looks like to who writes a number", () => {
		expect(durationSchema.safeParse(10).error?.issues[0]?.message).toMatch(/must be a duration such as 500ms, 10s/);
	});

	it("reads what it writes", () => {
		fc.assert(fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => parseDurationMs(formatDurationMs(ms)) === ms));
	});
});

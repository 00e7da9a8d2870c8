import { describe, expect, it } from "vitest";
import { MAX_CLOCK_STEP_MS, OurClock } from "./our-clock.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("OurClock", () => {
	it("moves all reports of a publisher by the same, as its first one tells", () => {
		const clock = new OurClock();
		expect(clock.reportOf({ wallclockMs: 5000, rtpTime: 7 }, NOW)).toEqual({ wallclockMs: NOW, rtpTime: 7 });
		// Of another track, taken 130 ms before and delayed: the distance between the two stays.
		expect(clock.reportOf({ wallclockMs: 4870, rtpTime: 8 }, NOW + 250).wallclockMs).toBe(NOW - 130);
		expect(clock.reportOf({ wallclockMs: 10_000, rtpTime: 9 }, NOW + 5900).wallclockMs).toBe(NOW + 5000);
	});

	it.each([
		["the publisher's", MAX_CLOCK_STEP_MS + 1, 0],
		["ours", 0, MAX_CLOCK_STEP_MS + 1],
		["the publisher's, back,", -86_400_000, 0],
	])("begins anew when a clock, %s, was set", (_, theirsMs, oursMs) => {
		const clock = new OurClock();
		clock.reportOf({ wallclockMs: 0, rtpTime: 0 }, NOW);
		const arrivalMs = NOW + 1000 + oursMs;
		expect(clock.reportOf({ wallclockMs: 1000 + theirsMs, rtpTime: 1 }, arrivalMs).wallclockMs).toBe(arrivalMs);
	});
});

import { describe, expect, it } from "vitest";
import { MIN_STEP_MS, STEP_INTERVAL_MS, WallclockSteps } from "./wallclock-steps.ts";

/** Says at which seconds a step is seen; wall-clock time is `offMs(second)` ahead of media time. */
function stepsOf(seconds: number, offMs: (second: number) => number, { track = 0, randomAccess = true } = {}) {
	const steps = new WallclockSteps(0);
	const seen: number[] = [];
	for (let second = 0; second < seconds; second++) {
		const mediaMs = second * 1000;
		const moment = { track, randomAccess, mediaMs, wallclockMs: mediaMs + offMs(second), arrivalMs: mediaMs };
		if (steps.isStep(moment)) seen.push(second);
	}
	return seen;
}

describe("WallclockSteps", () => {
	it("sees where time leaps, either way, and only there", () => {
		expect(stepsOf(40, (second) => (second < 5 ? 0 : second < 20 ? 3_600_000 : -500))).toEqual([5, 20]);
	});

	it("sees none in drift and jitter", () => {
		expect(stepsOf(10_000, (second) => second * 2 + (second % 2) * (MIN_STEP_MS / 2))).toEqual([]);
	});

	it("waits for the leading track, and for where a decoder can begin", () => {
		const leap = (second: number) => (second < 5 ? 0 : 3_600_000);
		expect(stepsOf(40, leap, { track: 1 })).toEqual([]);
		expect(stepsOf(40, leap, { randomAccess: false })).toEqual([]);
	});

	it("does not follow a clock that is set all the time", () => {
		expect(stepsOf(60, (second) => second * 5000).length).toBeLessThanOrEqual(60_000 / STEP_INTERVAL_MS);
	});

	it("sees none where everything begins anew", () => {
		const steps = new WallclockSteps(0);
		const at = { track: 0, randomAccess: true, mediaMs: 0, arrivalMs: 0 };
		expect(steps.isStep({ ...at, wallclockMs: 0 })).toBe(false);
		steps.restart();
		expect(steps.isStep({ ...at, wallclockMs: 1e9 })).toBe(false);
		expect(steps.isStep({ ...at, wallclockMs: 0 })).toBe(true);
	});
});

import { describe, expect, test } from "vitest";
import { WallclockEstimate } from "./wallclock-estimate.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("WallclockEstimate", () => {
	test("media time goes on evenly, however unevenly it arrives", () => {
		const estimate = new WallclockEstimate();
		expect(estimate.wallclockOf(10_000, NOW)).toBe(NOW);
		expect(estimate.wallclockOf(10_040, NOW + 900)).toBe(NOW + 40);
		expect(estimate.wallclockOf(11_000, NOW + 901)).toBe(NOW + 1_000);
	});

	test("follows a clock that drifts, in steps of a second", () => {
		const estimate = new WallclockEstimate();
		let worst = 0;
		const steps = new Set<number>();
		let last = NOW - 1_000;
		// Media of an hour arrives in an hour and 36 seconds.
		for (let ms = 0; ms < 3_600_000; ms += 1_000) {
			const wallclock = estimate.wallclockOf(ms, NOW + ms * 1.01);
			worst = Math.max(worst, Math.abs(wallclock - (NOW + ms * 1.01)));
			steps.add(Math.sign(Math.round(wallclock - last - 1_000)));
			last = wallclock;
		}
		expect(worst).toBeLessThan(3_000);
		expect([...steps].filter((step) => step !== 0)).toEqual([1]);
	});

	test("a network that stands still for a while changes nothing", () => {
		const estimate = new WallclockEstimate();
		for (let ms = 0; ms < 300_000; ms += 1_000) {
			const stalled = ms >= 100_000 && ms < 120_000;
			expect(estimate.wallclockOf(ms, NOW + (stalled ? 120_000 : ms))).toBe(NOW + ms);
		}
	});
});

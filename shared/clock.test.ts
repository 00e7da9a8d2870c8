import { describe, expect, it } from "vitest";
import { systemClock } from "./clock.ts";

/** Of sums and differences of times. */
const ROUNDING_MS = 1e-6;

describe("the system's clock", () => {
	it("never calls early, wherever between two milliseconds it was asked", async () => {
		const calls = Array.from({ length: 200 }, (_, i) => {
			const ms = 1 + (i % 20) + i / 200;
			// Of the time between two milliseconds, each asks at another part.
			const askedMs = performance.now() + i / 100;
			while (performance.now() < askedMs);
			const sinceMs = systemClock.monotonic();
			return new Promise<number>((resolve) => {
				systemClock.after(ms, () => resolve(systemClock.monotonic() - sinceMs - ms));
			});
		});
		const lateMs = await Promise.all(calls);
		expect(Math.min(...lateMs)).toBeGreaterThan(-ROUNDING_MS);
	});

	it("never wakes early", async () => {
		const sinceMs = systemClock.monotonic();
		const waits = Array.from({ length: 50 }, async (_, i) => {
			await systemClock.sleep(5 + i / 50);
			return systemClock.monotonic() - sinceMs - (5 + i / 50);
		});
		expect(Math.min(...(await Promise.all(waits)))).toBeGreaterThan(-ROUNDING_MS);
	});

	it("does not call what was disposed, and rejects the sleep that was stopped", async () => {
		let calls = 0;
		const timer = systemClock.after(5, () => void calls++);
		timer[Symbol.dispose]();
		const stop = new AbortController();
		const sleep = systemClock.sleep(60_000, stop.signal);
		stop.abort();
		await expect(sleep).rejects.toThrow("stopped before it finished");
		await systemClock.sleep(20);
		expect(calls).toBe(0);
	});
});

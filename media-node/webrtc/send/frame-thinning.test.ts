import { describe, expect, it } from "vitest";
import { addToThinning, allowsPicture, drainThinning, MAX_QUEUE_MS, newThinning } from "./frame-thinning.ts";

/** A second of a network that carries 1 Mbit/s is 125 000 bytes. */
const TARGET = 1_000_000;
const STREAM = 2_000_000;
const FULL = (MAX_QUEUE_MS + 1) * 125;

describe("Thinning", () => {
	it("lets everything pass while there is no target, or one that carries the stream", () => {
		const state = newThinning();
		addToThinning(state, 10 * FULL);
		expect(allowsPicture(state, null, 5_000, false)).toBe(true);
		drainThinning(state, 2_000_000, STREAM, 0);
		expect(allowsPicture(state, 2_000_000, 0, false)).toBe(true);
	});

	it("holds pictures when too much is on its way, up to a key frame that finds the network free", () => {
		const state = newThinning();
		addToThinning(state, FULL);
		expect(allowsPicture(state, TARGET, 0, false)).toBe(false);
		drainThinning(state, TARGET, STREAM, 300);
		// A key frame that comes too early is not sent: it would be late, and what follows too.
		expect(allowsPicture(state, TARGET, 0, true)).toBe(false);
		drainThinning(state, TARGET, STREAM, 400);
		expect(allowsPicture(state, TARGET, 0, false)).toBe(false);
		expect(allowsPicture(state, TARGET, 0, true)).toBe(true);
		expect(allowsPicture(state, TARGET, 0, false)).toBe(true);
	});

	it("believes a queue that was measured more than what it takes to be on its way", () => {
		const state = newThinning();
		expect(allowsPicture(state, TARGET, MAX_QUEUE_MS + 1, false)).toBe(false);
		expect(allowsPicture(state, TARGET, 100, true)).toBe(false);
		expect(allowsPicture(state, TARGET, 10, true)).toBe(true);
	});

	it("forgets what was on its way when the network carries the stream again", () => {
		const state = newThinning();
		addToThinning(state, FULL);
		allowsPicture(state, TARGET, 0, false);
		drainThinning(state, 3_000_000, STREAM, 1);
		expect(allowsPicture(state, 3_000_000, 0, true)).toBe(true);
	});

	it("never lets more be on its way than its bound and one picture", () => {
		const state = newThinning();
		let queued = 0;
		let worst = 0;
		for (let i = 0; i < 3_000; i++) {
			queued = Math.max(0, queued - (TARGET * 33) / 8000);
			drainThinning(state, TARGET, STREAM, i * 33);
			const size = i % 60 === 0 ? 25_000 : 8_000;
			if (!allowsPicture(state, TARGET, 0, i % 60 === 0)) continue;
			addToThinning(state, size);
			queued += size;
			worst = Math.max(worst, (queued * 8000) / TARGET);
		}
		expect(worst).toBeLessThan(MAX_QUEUE_MS + 200);
		expect(worst).toBeGreaterThan(MAX_QUEUE_MS);
	});
});

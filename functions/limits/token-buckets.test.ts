import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { TokenBuckets } from "./token-buckets.ts";

describe("token buckets", () => {
	it("give a burst at once, then as many a second as they are told, and say how long to wait", async () => {
		const clock = new FakeClock();
		const buckets = new TokenBuckets({ perSecond: 0.5, burst: 3 }, 10, clock);
		expect([1, 2, 3, 4].map(() => buckets.take("a"))).toEqual([0, 0, 0, 2]);
		await clock.advance(1999);
		expect(buckets.take("a")).toBe(1);
		await clock.advance(1);
		expect([buckets.take("a"), buckets.take("a")]).toEqual([0, 2]);
	});

	it("do not know of each other", () => {
		const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10, new FakeClock());
		expect([buckets.take("a"), buckets.take("b"), buckets.take("a")]).toEqual([0, 0, 1]);
	});

	it("are looked into without taking", () => {
		const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10, new FakeClock());
		expect([buckets.peek("a"), buckets.peek("a"), buckets.take("a"), buckets.peek("a")]).toEqual([0, 0, 0, 1]);
	});

	it("never grow beyond their number, and forget the one that was used longest ago", () => {
		const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 2, new FakeClock());
		buckets.take("a");
		buckets.take("b");
		buckets.take("a");
		buckets.take("c");
		expect(buckets.size).toBe(2);
		expect([buckets.peek("a"), buckets.peek("b")]).toEqual([1, 0]);
	});

	it("give in any time no more than the burst and what came back", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.nat(3000), { maxLength: 60 }),
				fc.integer({ min: 1, max: 20 }),
				fc.integer({ min: 1, max: 10 }),
				async (waits, perSecond, burst) => {
					const clock = new FakeClock();
					const buckets = new TokenBuckets({ perSecond, burst }, 10, clock);
					let given = 0;
					for (const waitMs of waits) {
						await clock.advance(waitMs);
						for (let i = 0; i < burst + 1; i++) if (buckets.take("a") === 0) given++;
					}
					expect(given).toBeLessThanOrEqual(burst + (clock.monotonic() / 1000) * perSecond + 1e-6);
				},
			),
			{ seed: 20_261_121, numRuns: 100 },
		);
	});
});

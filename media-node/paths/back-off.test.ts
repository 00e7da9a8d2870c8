import { describe, expect, it } from "vitest";
import { BackOff, MAX_RETRY_MS, MIN_RETRY_MS } from "./back-off.ts";

describe("the wait after a failure", () => {
	it("doubles up to a limit, and is never the same for all", () => {
		const [least, most] = [new BackOff(() => 0), new BackOff(() => 1)];
		const waits = (backOff: BackOff) => Array.from({ length: 6 }, () => backOff.next(0));
		expect(waits(most)).toEqual([1000, 2000, 4000, 8000, MAX_RETRY_MS, MAX_RETRY_MS]);
		expect(waits(least)).toEqual([500, 1000, 2000, 4000, MAX_RETRY_MS / 2, MAX_RETRY_MS / 2]);
	});

	it("is short again after what lived for long", () => {
		const backOff = new BackOff(() => 1);
		for (let i = 0; i < 100; i++) backOff.next(0);
		expect(backOff.next(29_999)).toBe(MAX_RETRY_MS);
		expect(backOff.next(30_000)).toBe(MIN_RETRY_MS);
	});
});

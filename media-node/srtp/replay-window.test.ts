import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REPLAY_WINDOW, ReplayWindow } from "./replay-window.ts";

describe("the replay window", () => {
	it("admits each packet once, and none that is too far behind", () => {
		const index = fc.oneof(fc.nat(400), fc.integer({ min: 2 ** 48 - 400, max: 2 ** 48 - 1 }));
		fc.assert(
			fc.property(fc.array(index, { maxLength: 300 }), (indices) => {
				const window = new ReplayWindow();
				const seen = new Set<number>();
				let highest = -1;
				for (const index of indices) {
					expect(window.admits(index)).toBe(!seen.has(index) && index > highest - REPLAY_WINDOW);
					if (!window.admits(index)) continue;
					window.mark(index);
					seen.add(index);
					highest = Math.max(highest, index);
				}
				expect(window.highest).toBe(highest);
			}),
			{ seed: 20_261_121 },
		);
	});

	it("admits a packet again as long as it was not marked", () => {
		const window = new ReplayWindow();
		expect(window.admits(7)).toBe(true);
		expect(window.admits(7)).toBe(true);
		window.mark(7);
		expect(window.admits(7)).toBe(false);
	});
});

import { describe, expect, it } from "vitest";
import { chooseRendition, rateForBetter } from "./rendition-choice.ts";

const RATES = [{ bitrate: 150_000 }, { bitrate: 500_000 }, { bitrate: 1_500_000 }];

describe("the encoding that a viewer gets", () => {
	it.each<[string, number, number | null, number]>([
		["the best one while there is no limit", -1, null, 2],
		["the best one that the network carries", -1, 800_000, 1],
		["the lowest one when it carries none", -1, 60_000, 0],
		["the present one as long as it fits at all", 2, 1_510_000, 2],
		["a lower one when the present one does not fit", 2, 1_400_000, 1],
		["the present one as long as a better one does not fit by far", 1, 1_800_000, 1],
		["a better one when it does", 1, 2_000_000, 2],
	])("is %s", (_, present, target, expected) => {
		expect(chooseRendition(RATES, present, target)).toBe(expected);
	});

	it("is none of those that are not sent", () => {
		expect(chooseRendition([{ bitrate: 0 }, { bitrate: 10 }], 0, null)).toBe(1);
		expect(chooseRendition([{ bitrate: 0 }], 0, null)).toBe(-1);
	});

	it("is gone up from when the network was found to carry the next one", () => {
		const needed = rateForBetter(RATES, 0) ?? 0;
		expect(needed).toBeGreaterThan(500_000);
		expect(chooseRendition(RATES, 0, needed)).toBe(1);
		expect(rateForBetter(RATES, 2)).toBeNull();
	});
});

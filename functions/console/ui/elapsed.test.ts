import { describe, expect, it } from "vitest";
import { elapsed } from "./elapsed.ts";

describe("elapsed", () => {
	it.each([
		[0, "now"],
		[-4, "now"],
		[-30, "30 seconds ago"],
		[-90, "1 minute ago"],
		[7_300, "in 2 hours"],
		[8 * 3_600 - 10, "in 8 hours"],
		[-86_400, "yesterday"],
		[-40 * 86_400, "40 days ago"],
	])("says %d seconds as %s", (seconds, text) => {
		expect(elapsed(1_000_000 + seconds * 1000, 1_000_000)).toBe(text);
	});
});

import { describe, expect, it } from "vitest";
import { groupSizeFor, interleave } from "./fec-cover.ts";

describe("which packets FEC packets protect", () => {
	it("protects with more of them the more is lost", () => {
		expect([0.001, 0.01, 0.02, 0.05, 0.1, 0.5].map(groupSizeFor)).toEqual([16, 16, 11, 4, 2, 2]);
	});

	it("gives neighbours to different ones", () => {
		expect(interleave(7, 3, 48)).toEqual([
			[0, 3, 6],
			[1, 4],
			[2, 5],
		]);
	});

	it("covers each packet once, by groups of which none is too wide or too large", () => {
		for (const span of [48, 109]) {
			for (let count = 0; count <= 250; count += 7) {
				for (const groupSize of [1, 2, 4, 16]) {
					const groups = interleave(count, groupSize, span);
					expect(groups.flat().sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
					for (const places of groups) {
						expect(places.length).toBeLessThanOrEqual(groupSize);
						expect((places.at(-1) ?? 0) - (places[0] ?? 0)).toBeLessThan(span);
					}
				}
			}
		}
	});

	it("protects two packets by one, and one by one", () => {
		expect(interleave(2, 4, 48)).toEqual([[0, 1]]);
		expect(interleave(1, 4, 48)).toEqual([[0]]);
		expect(interleave(0, 4, 48)).toEqual([]);
	});
});

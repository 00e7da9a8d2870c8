import { describe, expect, it } from "vitest";
import { inOrder, swapped, without } from "./list-order.ts";

describe("the order of a list", () => {
	it("is changed by a swap of neighbours, and not at its end", () => {
		expect(swapped(inOrder(3), 0)).toEqual([1, 0, 2]);
		expect(swapped(inOrder(3), 1)).toEqual([0, 2, 1]);
		expect(swapped(inOrder(3), 2)).toEqual([0, 1, 2]);
		expect(swapped(inOrder(3), -1)).toEqual([0, 1, 2]);
	});

	it("loses what is taken out", () => {
		expect(without(inOrder(3), 1)).toEqual([0, 2]);
		expect(without([2, 0, 1], 0)).toEqual([0, 1]);
	});
});

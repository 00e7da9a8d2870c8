import { describe, expect, it } from "vitest";
import { placeLabels } from "./map-label.ts";

const dot = (x: number, y: number, label = "eu-west-1") => ({ x, y, radius: 10, label });

describe("placeLabels", () => {
	it("puts a name to the right of its dot", () => {
		expect(placeLabels([dot(100, 50)], 20, 1000)).toEqual([{ x: 118, y: 50, anchor: "start" }]);
	});

	it("puts it to the left at the right edge", () => {
		expect(placeLabels([dot(950, 50)], 20, 1000)).toEqual([{ x: 932, y: 50, anchor: "end" }]);
	});

	it("keeps clear of the dots and names of neighbours", () => {
		const [first, second, third] = placeLabels([dot(500, 50), dot(540, 52), dot(520, 56)], 20, 1000);
		expect(first?.anchor).toBe("end");
		expect(second?.anchor).toBe("start");
		expect(Math.abs((third?.y ?? 56) - 56)).toBeGreaterThan(0);
	});

	it("places every name even where there is no room at all", () => {
		const crowd = Array.from({ length: 30 }, () => dot(500, 50));
		expect(placeLabels(crowd, 20, 1000)).toHaveLength(30);
		expect(placeLabels([dot(5, 5, "x".repeat(200))], 20, 100)).toHaveLength(1);
	});
});

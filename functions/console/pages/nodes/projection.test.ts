import { describe, expect, it } from "vitest";
import { LAND, LAND_NORTH, LAND_STEP } from "./land.ts";
import { MAP_HEIGHT, MAP_WIDTH, project } from "./projection.ts";
import { KNOWN_REGIONS, placeOf } from "./region-place.ts";

function isLand(region: string): boolean {
	const { latitude, longitude } = placeOf(region) ?? { latitude: 0, longitude: 0 };
	const row = Math.floor((LAND_NORTH - latitude) / LAND_STEP);
	const column = Math.floor((longitude + 180) / LAND_STEP);
	return [-1, 0, 1].some((dy) => [-1, 0, 1].some((dx) => LAND[row + dy]?.[column + dx] === "#"));
}

describe("project", () => {
	it("puts Greenwich in the middle, and the equator where it is to scale", () => {
		expect(project({ latitude: 0, longitude: 0 })).toEqual({ x: MAP_WIDTH / 2, y: LAND_NORTH * 4 });
	});

	it("keeps the poles on the map", () => {
		expect(project({ latitude: 90, longitude: 0 }).y).toBe(0);
		expect(project({ latitude: -90, longitude: 0 }).y).toBe(MAP_HEIGHT);
	});
});

describe("placeOf", () => {
	it("knows regions in any case, and says when it does not", () => {
		expect(placeOf("EU-Central-1")).toEqual({ latitude: 50.1, longitude: 8.7 });
		expect(placeOf("office")).toBeNull();
		expect(placeOf("")).toBeNull();
		expect(placeOf("constructor")).toBeNull();
	});

	it.each(KNOWN_REGIONS)("has %s on or near land", (region) => {
		expect(isLand(region)).toBe(true);
	});
});

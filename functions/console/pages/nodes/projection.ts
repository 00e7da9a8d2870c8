/** A plain map: longitude is x and latitude is y, to scale (equirectangular), without what is too far north or south. */

import { LAND, LAND_NORTH, LAND_STEP } from "./land.ts";
import type { Place } from "./region-place.ts";

/** Of the map, in its own units: four a degree. */
const UNITS = 4;
const SOUTH = LAND_NORTH - LAND.length * LAND_STEP;
export const MAP_WIDTH = 360 * UNITS;
export const MAP_HEIGHT = (LAND_NORTH - SOUTH) * UNITS;

export type Point = { readonly x: number; readonly y: number };

/** Where a place is on the map. What is beyond its edges is put on them. */
export function project({ latitude, longitude }: Place): Point {
	const y = (LAND_NORTH - latitude) * UNITS;
	return { x: (longitude + 180) * UNITS, y: Math.min(MAP_HEIGHT, Math.max(0, y)) };
}

/** All of the land as one line of dots, for a stroke with round ends. */
export function landPath(): string {
	const dots = LAND.flatMap((row, i) =>
		Array.from(row, (cell, j) => {
			const latitude = LAND_NORTH - (i + 0.5) * LAND_STEP;
			const { x, y } = project({ latitude, longitude: -180 + (j + 0.5) * LAND_STEP });
			return cell === "#" ? `M${x} ${y}h0` : "";
		}),
	);
	return dots.join("");
}

/** Every thirtieth meridian and parallel. */
export function graticulePath(): string {
	const meridians = Array.from({ length: 11 }, (_, i) => `M${(i + 1) * 30 * UNITS} 0v${MAP_HEIGHT}`);
	const parallels = [60, 30, 0, -30].map((latitude) => `M0 ${project({ latitude, longitude: 0 }).y}h${MAP_WIDTH}`);
	return [...meridians, ...parallels].join("");
}

/** What the map shows of a region: one dot for all of its nodes. */

import { counted, fleetLoad, type RegionGroup, statesInWords } from "./fleet.ts";
import { type Point, project } from "./projection.ts";
import { placeOf } from "./region-place.ts";

export type MapDot = Point & {
	readonly region: string;
	readonly radius: number;
	readonly isDown: boolean;
	readonly words: string;
};

const MIN_RADIUS = 10;
const MAX_RADIUS = 34;

/** The regions whose place is known as dots, their areas by their streams; and the names of the others. */
export function mapDots(groups: readonly RegionGroup[]): {
	dots: readonly MapDot[];
	elsewhere: readonly RegionGroup[];
} {
	const busiest = Math.max(1, ...groups.map(({ nodes }) => fleetLoad(nodes).streams));
	const dots = groups.flatMap(({ region, nodes }) => {
		const place = placeOf(region);
		if (place === null) return [];
		const load = fleetLoad(nodes);
		const point = project(place);
		return [
			{
				...point,
				region,
				radius: MIN_RADIUS + (MAX_RADIUS - MIN_RADIUS) * Math.sqrt(load.streams / busiest),
				isDown: load.nodes === 0,
				words: `${region}: ${statesInWords(nodes)}; ${counted(load.streams, "stream")}, ${counted(load.readers, "reader")}`,
			},
		];
	});
	return { dots, elsewhere: groups.filter(({ region }) => placeOf(region) === null) };
}

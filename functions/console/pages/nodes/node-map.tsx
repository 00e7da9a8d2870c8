import { Paper, Text, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { RegionGroup } from "./fleet.ts";
import { mapDots } from "./map-dot.ts";
import { placeLabels } from "./map-label.ts";
import classes from "./node-map.module.css";
import { graticulePath, landPath, MAP_HEIGHT, MAP_WIDTH } from "./projection.ts";

const LAND = landPath();
const GRATICULE = graticulePath();

/** Where the nodes are. Nothing when no region is one whose place is known. */
export function NodeMap({ groups }: { groups: readonly RegionGroup[] }) {
	const { dots, elsewhere } = mapDots(groups);
	// In units of the map, which is as wide as the page.
	const fontSize = useMediaQuery("(min-width: 48em)") ? 26 : 52;
	if (dots.length === 0) return null;
	const labels = placeLabels(
		dots.map(({ region, ...dot }) => ({ ...dot, label: region })),
		fontSize,
		MAP_WIDTH,
	);
	return (
		<Paper withBorder p="xs" component="figure" m={0}>
			<svg viewBox={`0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`} className={classes["map"]} aria-hidden>
				<path d={GRATICULE} className={classes["graticule"]} />
				<path d={LAND} className={classes["land"]} />
				{dots.map(({ region, x, y, radius, isDown }) => (
					<circle
						key={region}
						cx={x}
						cy={y}
						r={radius}
						className={`${classes["dot"]} ${isDown ? classes["down"] : ""}`}
					/>
				))}
				{labels.map(({ x, y, anchor }, i) => (
					<text
						key={dots[i]?.region}
						x={x}
						y={y}
						fontSize={fontSize}
						textAnchor={anchor}
						dominantBaseline="central"
						className={classes["label"]}
					>
						{dots[i]?.region}
					</text>
				))}
			</svg>
			<figcaption>
				<VisuallyHidden>
					<ul>
						{dots.map(({ region, words }) => (
							<li key={region}>{words}</li>
						))}
					</ul>
				</VisuallyHidden>
				<Text size="xs" c="dimmed" p="xs">
					A dot is a region; the more streams, the larger. A dashed one has no node that is up.
					{elsewhere.length > 0 &&
						` Not on the map: ${elsewhere.map(({ region }) => region || "nodes without a region").join(", ")}.`}
				</Text>
			</figcaption>
		</Paper>
	);
}

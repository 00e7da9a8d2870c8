/** The nodes as the page shows them: by region, and each with its part of the whole. */

import type { NodeDescription } from "../../../routes/nodes.ts";

export type RegionGroup = { readonly region: string; readonly nodes: readonly NodeDescription[] };

/** By name; nodes that do not say where they are come last. The nodes of a region keep their order. */
export function byRegion(nodes: readonly NodeDescription[]): readonly RegionGroup[] {
	const groups = new Map<string, NodeDescription[]>();
	for (const node of nodes) groups.set(node.region, [...(groups.get(node.region) ?? []), node]);
	return [...groups]
		.map(([region, nodes]) => ({ region, nodes }))
		.toSorted((a, b) => Number(a.region === "") - Number(b.region === "") || a.region.localeCompare(b.region));
}

export type FleetLoad = {
	readonly nodes: number;
	/** Of those that are not down: the greatest of any. 0 to 1. */
	readonly cpu: number;
	readonly streams: number;
	readonly readers: number;
	readonly bytesInPerSecond: number;
	readonly bytesOutPerSecond: number;
};

/** What the nodes that are not down carry together. */
export function fleetLoad(nodes: readonly NodeDescription[]): FleetLoad {
	const up = nodes.filter(({ state }) => state !== "down");
	const sum = (figure: "streams" | "readers" | "bytesInPerSecond" | "bytesOutPerSecond") =>
		up.reduce((total, { load }) => total + (load?.[figure] ?? 0), 0);
	return {
		nodes: up.length,
		cpu: Math.max(0, ...up.map(({ load }) => load?.cpu ?? 0)),
		streams: sum("streams"),
		readers: sum("readers"),
		bytesInPerSecond: sum("bytesInPerSecond"),
		bytesOutPerSecond: sum("bytesOutPerSecond"),
	};
}

/** `1 stream`, `2 streams` */
export function counted(many: number, noun: string): string {
	return `${many} ${noun}${many === 1 ? "" : "s"}`;
}

/** `3 active, 1 draining, 1 down`: what there is none of is left out. */
export function statesInWords(nodes: readonly NodeDescription[]): string {
	const count = (wanted: NodeDescription["state"]) => nodes.filter(({ state }) => state === wanted).length;
	return [
		[count("active"), "active"] as const,
		[count("draining"), "draining"] as const,
		[count("down"), "down"] as const,
	]
		.filter(([many]) => many > 0)
		.map(([many, word]) => `${many} ${word}`)
		.join(", ");
}

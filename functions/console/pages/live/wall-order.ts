/** Which streams the wall shows, in which order, and what it says of comings and goings. Pure. */

import { bitrateOf, type Stream } from "./stream.ts";

export const ORDERS = ["name", "viewers", "bitrate", "trouble"] as const;
export type Order = (typeof ORDERS)[number];

const BEFORE: Readonly<Record<Order, (a: Stream, b: Stream) => number>> = {
	name: () => 0,
	viewers: (a, b) => (b.health?.viewers.total ?? 0) - (a.health?.viewers.total ?? 0),
	bitrate: (a, b) => bitrateOf(b) - bitrateOf(a),
	trouble: (a, b) => (b.health?.warnings.length ?? 0) - (a.health?.warnings.length ?? 0),
};

/** The streams whose name has `filter` in it, in order; equals by name. */
export function arranged(streams: readonly Stream[], filter: string, order: Order): Stream[] {
	const wanted = filter.trim().toLowerCase();
	return streams
		.filter(({ path }) => path.toLowerCase().includes(wanted))
		.sort((a, b) => BEFORE[order](a, b) || a.path.localeCompare(b.path, "en", { numeric: true }));
}

/** More names would be no news but noise. */
const MAX_NAMED = 3;

/** What changed between two polls, for those who do not see it; empty when nothing did. */
export function newsOf(before: readonly string[], now: readonly string[]): string {
	const came = now.filter((path) => !before.includes(path));
	const went = before.filter((path) => !now.includes(path));
	return [sentence(came, "is live", "are live"), sentence(went, "ended", "ended")]
		.filter((text) => text !== "")
		.join(" ");
}

function sentence(paths: readonly string[], one: string, many: string): string {
	if (paths.length === 0) return "";
	if (paths.length > MAX_NAMED) return `${paths.length} streams ${many}.`;
	return `${paths.join(", ")} ${paths.length === 1 ? one : many}.`;
}

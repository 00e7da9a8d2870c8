/** Figures that are published only when they say something new: a bit rate that is a little other than before is none. */

import type { NodeStream } from "#shared/nodes/node-streams.ts";

/** By how much a figure must differ. */
const TOLERANCE = 0.1;

/** `before`, unless `now` is another by a tenth, and by more than `least`. */
export function settled(before: number | null, now: number, least = 0): number {
	if (before === null) return now;
	const difference = Math.abs(now - before);
	return difference > least && difference > TOLERANCE * before ? now : before;
}

/** The same for what is in HLS, whose bit rates change a little with each segment. */
export function settledHls(before: NodeStream["hls"], now: NodeStream["hls"]): NodeStream["hls"] {
	if (now === null) return null;
	const renditions = now.renditions.map((rendition) => {
		const known = before?.renditions.find(({ id, codecs }) => id === rendition.id && codecs === rendition.codecs);
		return {
			...rendition,
			bandwidth: settled(known?.bandwidth ?? null, rendition.bandwidth),
			averageBandwidth: settled(known?.averageBandwidth ?? null, rendition.averageBandwidth),
		};
	});
	return { ...now, renditions };
}

/** Rounds to three digits that count. */
export function threeDigits(value: number): number {
	return Number(value.toPrecision(3));
}

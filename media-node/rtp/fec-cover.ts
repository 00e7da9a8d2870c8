/** Which packets of a run each FEC packet protects. Pure. */

/** Where not all is recovered, a round trip heals the rest: that part of the FEC packets may fail. */
const TOLERATED_FAILURE = 0.03;
/** Fewer packets for each FEC packet cost more than half of what is protected; more protect little. */
const MIN_GROUP = 2;
const MAX_GROUP = 16;

/**
 * How many packets one FEC packet should protect where the part `loss` of all packets is lost by chance: as many as can
 * be for two of them and of itself to be lost seldom, (g + 1) g / 2 · loss².
 */
export function groupSizeFor(loss: number): number {
	if (loss <= 0) return MAX_GROUP;
	const size = Math.floor((Math.sqrt(1 + (8 * TOLERATED_FAILURE) / loss ** 2) - 1) / 2);
	return Math.min(MAX_GROUP, Math.max(MIN_GROUP, size));
}

/**
 * Shares `count` packets among FEC packets of about `groupSize` each, so that none protects packets that are `span` or
 * more apart. Gives the places of the packets of each, ascending. Neighbours go to different ones: what is lost in a row
 * is recovered too.
 */
export function interleave(count: number, groupSize: number, span: number): number[][] {
	const runs = Math.ceil(count / span);
	const groups: number[][] = [];
	for (let run = 0; run < runs; run++) {
		const from = Math.floor((run * count) / runs);
		const to = Math.floor(((run + 1) * count) / runs);
		const rows = Math.ceil((to - from) / groupSize);
		for (let row = 0; row < rows; row++) {
			const places: number[] = [];
			for (let place = from + row; place < to; place += rows) places.push(place);
			groups.push(places);
		}
	}
	return groups;
}

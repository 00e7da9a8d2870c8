/**
 * Reads the log from its end, though the functions list a range oldest first: by ranges that lie one before the other, and
 * become longer as long as little is in them.
 */

import type { AuditEntry } from "../../../audit/audit-log.ts";

/** Where to go on. Milliseconds since the Unix epoch; `untilMs` is not in the range. */
export type Place = { readonly untilMs: number; readonly spanMs: number };
export type AuditPage = {
	/** Newest first. */
	readonly entries: readonly AuditEntry[];
	/** `null`: there is nothing before. */
	readonly next: Place | null;
};
export type ListAnswer = { readonly items: readonly AuditEntry[]; readonly next: string | null };
/** Asks for one page of a range. */
export type ListRange = (range: { fromMs: number; toMs: number; cursor: string | null }) => Promise<ListAnswer>;

const FIRST_SPAN_MS = 6 * 3_600_000;
const MIN_SPAN_MS = 1_000;
const GROWTH = 4;
/** With fewer entries one range more is read. */
const ENOUGH = 25;
/** A range with more pages than these is cut. */
const MAX_PAGES = 4;

/** The place at the end of what is to be read. */
export function placeAt(untilMs: number): Place {
	return { untilMs, spanMs: FIRST_SPAN_MS };
}

/** Reads what is before `place`, back to `floorMs` at most. */
export async function readBackwards(list: ListRange, place: Place, floorMs: number): Promise<AuditPage> {
	const entries: AuditEntry[] = [];
	let { untilMs, spanMs } = place;
	while (untilMs > floorMs && entries.length < ENOUGH) {
		const fromMs = Math.max(floorMs, untilMs - spanMs);
		const found = await readRange(list, fromMs, untilMs, spanMs <= MIN_SPAN_MS);
		if (found === null) {
			spanMs = Math.max(MIN_SPAN_MS, Math.min(spanMs, untilMs - fromMs) / GROWTH);
			continue;
		}
		entries.push(...found.toReversed());
		untilMs = fromMs;
		if (found.length < ENOUGH) spanMs *= GROWTH;
	}
	return { entries, next: untilMs > floorMs ? { untilMs, spanMs } : null };
}

/** All of a range, oldest first; `null`: it has too much. */
async function readRange(
	list: ListRange,
	fromMs: number,
	toMs: number,
	isShortest: boolean,
): Promise<readonly AuditEntry[] | null> {
	const entries: AuditEntry[] = [];
	let cursor: string | null = null;
	for (let page = 0; page < MAX_PAGES || isShortest; page++) {
		const answer: ListAnswer = await list({ fromMs, toMs, cursor });
		entries.push(...answer.items);
		cursor = answer.next;
		if (cursor === null) return entries;
	}
	return null;
}

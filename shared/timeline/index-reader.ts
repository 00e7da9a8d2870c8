/** Reading the index, and what the records have that it has not yet. */

import type { PathName } from "#shared/path-name.ts";
import { indexKey, indexPrefix } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { corrupt, parseTimelineObject } from "./chain.ts";
import type { Committed } from "./index-fold.ts";
import { type IndexHour, indexHourSchema } from "./index-hour.ts";
import { runLength } from "./index-runs.ts";
import { readRecord } from "./reader.ts";
import type { Rendition, SegmentEntry, TimelineRecord } from "./record.ts";

export type FoundHour = {
	readonly hour: IndexHour;
	readonly etag: string;
	readonly bytes: number;
	readonly modifiedMs: number;
};

/** Reads the index of an hour; `null` when there is none. @throws StoreError `timeline.corrupt` */
export async function readIndexHour(
	store: ObjectStore,
	path: PathName,
	name: string,
	signal?: AbortSignal,
): Promise<FoundHour | null> {
	const key = indexKey(path, name);
	const object = await store.get(key, { signal });
	if (object === null) return null;
	const text = await object.text();
	const hour = parseTimelineObject(key, text, indexHourSchema) as IndexHour;
	let segments = 0;
	for (const run of hour.runs) segments += runLength(run);
	const isWhole = hour.runs.every((run) => Number.isInteger(runLength(run)));
	if (!isWhole || hour.hour !== name || segments !== hour.nextSequence - hour.firstSequence || segments === 0)
		throw corrupt(key, `holds ${segments} segments of ${hour.hour}, and says otherwise`);
	return { hour, etag: object.etag, bytes: text.length, modifiedMs: object.modifiedMs };
}

const LIST_PAGE = 1000;

/** Finds the newest object of the index by a listing; `null` when there is none. */
export async function findIndexListed(
	store: ObjectStore,
	path: PathName,
	signal?: AbortSignal,
): Promise<FoundHour | null> {
	const prefix = indexPrefix(path);
	let last: string | null = null;
	for (let after: string | null = prefix; after !== null; ) {
		const page = await store.list(prefix, { startAfter: after, limit: LIST_PAGE, signal });
		last = page.objects.at(-1)?.key ?? last;
		after = page.next;
	}
	if (last === null) return null;
	return readIndexHour(store, path, last.slice(prefix.length, -".json".length), signal);
}

export type Walk = Committed & {
	/** Whether it went back to where it was asked to. */
	readonly isComplete: boolean;
};

/**
 * The committed segments from the sequence number `from` on, up to `newest`: out of its window, and of those of earlier
 * records, as few as that takes, at most `maxReads`. It ends early where records are gone, and where they were committed
 * before `sinceMs`.
 */
export async function walkBack(
	store: ObjectStore,
	path: PathName,
	newest: TimelineRecord,
	from: number,
	options: { readonly maxReads: number; readonly sinceMs?: number; readonly signal?: AbortSignal | undefined },
): Promise<Walk> {
	const windows: SegmentEntry[][] = [];
	const renditions: Rendition[][] = [];
	let oldest = newest.nextSequence;
	let discontinuitySequence = newest.discontinuitySequence + discontinuitiesIn(newest.window);
	let record = newest;
	for (let reads = 0; ; reads++) {
		const [earlier, later] = divided(record, oldest);
		const added = earlier.filter((entry) => entry.sequence >= from);
		if (added.length > 0) {
			windows.push(added);
			renditions.push(record.renditions);
			oldest = added[0]?.sequence ?? oldest;
			discontinuitySequence =
				record.discontinuitySequence + discontinuitiesIn(record.window) - discontinuitiesIn([...later, ...added]);
		}
		if (oldest <= from || reads >= options.maxReads || record.n === 0) break;
		if (record.committedMs < (options.sinceMs ?? Number.NEGATIVE_INFINITY)) break;
		const n: number = Math.max(0, record.n - Math.max(1, record.window.length));
		const found = await readRecord(store, path, n, options.signal);
		// What a writer that slept created in the past, after retention had deleted it, does not join on.
		if (found === null || found.record.epoch > record.epoch || found.record.nextSequence < oldest) break;
		record = found.record;
	}
	return {
		entries: windows.reverse().flat(),
		discontinuitySequence,
		renditions: renditions.reverse().flat(),
		isComplete: oldest <= from,
	};
}

/** A record's window, divided where it joins on to what is known from the sequence number `oldest` on. */
function divided({ window }: TimelineRecord, oldest: number): [SegmentEntry[], SegmentEntry[]] {
	return [window.filter((entry) => entry.sequence < oldest), window.filter((entry) => entry.sequence >= oldest)];
}

function discontinuitiesIn(entries: readonly SegmentEntry[]): number {
	let discontinuities = 0;
	for (const entry of entries) if (entry.discontinuity) discontinuities++;
	return discontinuities;
}

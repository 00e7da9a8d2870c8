/** Reading the index, and what the records have that it has not yet. */

import type { PathName } from "#shared/path-name.ts";
import { hasCode, type SluiceError } from "#shared/problem.ts";
import { indexKey, indexPrefix } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { corrupt, parseTimelineObject } from "./chain.ts";
import type { Committed } from "./index-fold.ts";
import { type IndexHour, indexHourSchema, isHourName } from "./index-hour.ts";
import { runLength } from "./index-runs.ts";
import { readRecord } from "./reader.ts";
import type { Rendition, SegmentEntry, TimelineRecord } from "./record.ts";

export type FoundHour = {
	readonly hour: IndexHour;
	readonly etag: string;
	readonly bytes: number;
	readonly modifiedMs: number;
};

/** An object of the index that cannot be read. */
export type DamagedHour = { readonly name: string; readonly etag: string; readonly error: SluiceError };

const REMEDY = "The owner of the stream makes the newest one again, from the records, with its next segment";

/** Reads the index of an hour; `null` when there is none. @throws StoreError `timeline.corrupt` */
export async function readIndexHour(
	store: ObjectStore,
	path: PathName,
	name: string,
	signal?: AbortSignal,
): Promise<FoundHour | null> {
	const found = await readEvenDamaged(store, path, name, signal);
	if (found !== null && "error" in found) throw found.error;
	return found;
}

async function readEvenDamaged(
	store: ObjectStore,
	path: PathName,
	name: string,
	signal?: AbortSignal,
): Promise<FoundHour | DamagedHour | null> {
	const key = indexKey(path, name);
	const object = await store.get(key, { signal });
	if (object === null) return null;
	const { etag, modifiedMs } = object;
	const text = await object.text();
	try {
		return { hour: parseIndexHour(key, name, text), etag, bytes: text.length, modifiedMs };
	} catch (error) {
		if (!hasCode(error, "timeline.corrupt")) throw error;
		return { name, etag, error };
	}
}

function parseIndexHour(key: string, name: string, text: string): IndexHour {
	const hour = parseTimelineObject(key, text, indexHourSchema, REMEDY) as IndexHour;
	let segments = 0;
	for (const run of hour.runs) segments += runLength(run);
	const isWhole = hour.runs.every((run) => Number.isInteger(runLength(run)));
	if (!isWhole || hour.hour !== name || segments !== hour.nextSequence - hour.firstSequence || segments === 0)
		throw corrupt(key, `holds ${segments} segments of ${hour.hour}, and says otherwise`, { remedy: REMEDY });
	return hour;
}

const LIST_PAGE = 1000;
/** Damaged objects that are passed over at most, to find one that is not. */
const MAX_DAMAGED = 24;

/** Finds the newest object of the index by a listing; `null` when there is none. @throws StoreError `timeline.corrupt` */
export async function findIndexListed(
	store: ObjectStore,
	path: PathName,
	signal?: AbortSignal,
): Promise<FoundHour | null> {
	const newest = (await newestHours(store, path, 1, signal)).at(-1);
	return newest === undefined ? null : readIndexHour(store, path, newest, signal);
}

/** The newest object of the index that can be read; and the newest of all, when it is another one, since it cannot. */
export async function findSoundIndex(
	store: ObjectStore,
	path: PathName,
	signal?: AbortSignal,
): Promise<{ readonly sound: FoundHour | null; readonly damaged: DamagedHour | null }> {
	let damaged: DamagedHour | null = null;
	for (const name of (await newestHours(store, path, MAX_DAMAGED + 1, signal)).reverse()) {
		const found = await readEvenDamaged(store, path, name, signal);
		if (found === null) continue;
		if (!("error" in found)) return { sound: found, damaged };
		damaged ??= found;
	}
	return { sound: null, damaged };
}

/** The names of the last hours that the index has, oldest first. */
async function newestHours(
	store: ObjectStore,
	path: PathName,
	count: number,
	signal: AbortSignal | undefined,
): Promise<string[]> {
	const prefix = indexPrefix(path);
	let names: string[] = [];
	for (let after: string | null = prefix; after !== null; ) {
		const page = await store.list(prefix, { startAfter: after, limit: LIST_PAGE, signal });
		const listed = page.objects.map(({ key }) => key.slice(prefix.length, -".json".length)).filter(isHourName);
		names = [...names, ...listed].slice(-count);
		after = page.next;
	}
	return names;
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

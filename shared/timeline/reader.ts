/**
 * Finding the newest record of a timeline. The head object is only a hint: whatever it says, a reader probes forward
 * until a number is free, so two reads one after the other never go back. Retention keeps every record from the head's
 * on, hence there is no hole between the hint and the truth.
 */

import type { PathName } from "#shared/path-name.ts";
import { hasCode } from "#shared/problem.ts";
import { headKey, recordKey, recordsPrefix } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { corrupt, parseRecord, type WrittenRecord } from "./chain.ts";
import type { TimelineRecord } from "./record.ts";

/** The newest record of a stream; `null` when it never had one. One or two small reads as a rule. Does not retry.
 * @throws StoreError `timeline.corrupt`, naming the damaged object; or what the bucket says
 */
export async function readNewest(
	store: ObjectStore,
	path: PathName,
	signal?: AbortSignal,
): Promise<TimelineRecord | null> {
	const found = await findNewest(store, path, signal);
	return found.newest?.record ?? null;
}

/**
 * As {@link readNewest}, by who found `known` a moment ago: one read as long as nothing came. What was committed since
 * must not have been deleted meanwhile, so it was found well within the hour that retention keeps records.
 */
export async function readNewestAfter(
	store: ObjectStore,
	path: PathName,
	known: TimelineRecord,
	signal?: AbortSignal,
): Promise<TimelineRecord> {
	return (await probeForward(store, path, { record: known }, signal)).record;
}

export type FoundNewest = {
	readonly newest: WrittenRecord | null;
	/** The head object as it was read: its etag, and the number it hints at (-1 when it is damaged). */
	readonly head: { readonly etag: string; readonly n: number } | null;
};

/** Finds the newest record, its exact text and the head object's etag. @throws as {@link readNewest} */
export async function findNewest(store: ObjectStore, path: PathName, signal?: AbortSignal): Promise<FoundNewest> {
	const head = await readHead(store, path, signal);
	if (head?.hint) {
		const newest = await probeForward(store, path, head.hint, signal);
		return { newest, head: { etag: head.etag, n: head.hint.record.n } };
	}
	const newest = await newestListed(store, path, signal);
	return {
		newest: newest === null ? null : await probeForward(store, path, newest, signal),
		head: head === null ? null : { etag: head.etag, n: -1 },
	};
}

/** Reads the record `n`; `null` when the number is free. @throws StoreError `timeline.corrupt` */
export async function readRecord(
	store: ObjectStore,
	path: PathName,
	n: number,
	signal?: AbortSignal,
): Promise<WrittenRecord | null> {
	const key = recordKey(path, n);
	const object = await store.get(key, { signal });
	if (object === null) return null;
	const written = parseRecord(key, await object.text());
	if (written.record.n !== n) throw corrupt(key, `holds the record ${written.record.n}`);
	return written;
}

/** Finds the newest record from one that exists: gallops ahead, then halves. Usually one read, or two if one is new. */
async function probeForward<Known extends Pick<WrittenRecord, "record">>(
	store: ObjectStore,
	path: PathName,
	known: Known,
	signal?: AbortSignal,
): Promise<Known | WrittenRecord> {
	let newest: Known | WrittenRecord = known;
	let step = 0.5;
	let free = Number.POSITIVE_INFINITY;
	while (newest.record.n + 1 < free) {
		const n = newest.record.n;
		const at = free === Number.POSITIVE_INFINITY ? n + Math.ceil(step) : n + Math.floor((free - n) / 2);
		const next = await readRecord(store, path, at, signal);
		if (next === null) free = at;
		else newest = next;
		step *= 2;
	}
	return newest;
}

type Head = { readonly etag: string; readonly hint: WrittenRecord | null };

/** The head object; its hint is `null` when it is damaged, which a listing makes up for. */
async function readHead(store: ObjectStore, path: PathName, signal?: AbortSignal): Promise<Head | null> {
	const key = headKey(path);
	const object = await store.get(key, { signal });
	if (object === null) return null;
	const text = await object.text();
	try {
		return { etag: object.etag, hint: parseRecord(key, text) };
	} catch (error) {
		if (!hasCode(error, "timeline.corrupt")) throw error;
		return { etag: object.etag, hint: null };
	}
}

const LIST_PAGE = 1000;

/** The newest record by listing: one page for a short timeline, a few dozen for one of years. */
async function newestListed(store: ObjectStore, path: PathName, signal?: AbortSignal): Promise<WrittenRecord | null> {
	const prefix = recordsPrefix(path);
	const first = await store.list(prefix, { limit: LIST_PAGE, signal });
	let newest = lastNumber(first.objects);
	if (newest === null) return null;
	let step = LIST_PAGE;
	let none = first.next === null ? newest : Number.POSITIVE_INFINITY;
	// Invariant: there is a record `newest`, and none above `none`.
	while (newest < none) {
		const after: number = none === Number.POSITIVE_INFINITY ? newest + step : newest + Math.floor((none - newest) / 2);
		const page = await store.list(prefix, { startAfter: recordKey(path, after), limit: LIST_PAGE, signal });
		const last = lastNumber(page.objects);
		if (last === null) none = after;
		else newest = last;
		if (last !== null && page.next === null) break;
		step *= 2;
	}
	const record = await readRecord(store, path, newest, signal);
	if (record === null) throw corrupt(recordKey(path, newest), "was listed but cannot be read");
	return record;
}

function lastNumber(objects: readonly { readonly key: string }[]): number | null {
	const key = objects.at(-1)?.key;
	if (key === undefined) return null;
	const n = Number(key.slice(key.lastIndexOf("/") + 1, -".json".length));
	if (!Number.isSafeInteger(n) || n < 0) throw corrupt(key, "is not the key of a record");
	return n;
}

/**
 * What of a stream may be deleted. Pure decisions over listings. None of them needs a lock: what may go may go for
 * everyone, and deleting it twice is harmless.
 *
 * Names carry the order. The files of a segment begin with its position, `<epoch>-<serial>-`, and positions sort as
 * segments are committed. A record's **boundary** is the position below which it lists nothing, and no later record
 * ever will: what lies below has left the window, or belongs to an owner that was fenced before it could commit. All
 * that may still be on its way to a commit lies above.
 */

import { INIT_FILE_PREFIX, mediaPosition } from "#shared/store/key.ts";
import type { ObjectInfo } from "#shared/store/object-store.ts";
import { HOUR_MS, hourStartMs } from "./index-hour.ts";
import type { TimelineRecord } from "./record.ts";

/**
 * How much longer a record stays than its segments: so long must its number be taken, lest a writer that slept commits
 * in the past.
 */
export const RECORD_KEEP_MS = 3_600_000;

const POSITION_LENGTH = mediaPosition(0, 0).length;
const MEDIA_NAME = /^\d{12}-\d{12}-[a-z][a-z0-9]{0,15}\.m4s$/;
const INIT_NAME = /^init-\d{12}-\d{12}-[a-z][a-z0-9]{0,15}\.mp4$/;
const INDEX_NAME = /^\d{4}-\d\d-\d\dT\d\d\.json$/;
const RECORD_NAME = /^\d{12,15}\.json$/;

/** The position below which no file is listed by `newest`, nor ever will be. */
export function mediaBoundary({ window, epoch }: TimelineRecord): string {
	const [oldest] = Object.values(window[0]?.parts ?? {});
	return oldest === undefined ? mediaPosition(epoch, 0) : oldest.file.slice(0, POSITION_LENGTH);
}

/** What a stream's boundary was at a moment. */
export type BoundaryMark = {
	/** On a monotonic clock, in milliseconds. */
	readonly atMs: number;
	readonly boundary: string;
	/** How long a file stays that the playlist of that moment listed: see {@link graceMs}. */
	readonly playlistGraceMs: number;
	/** How long what lies below the boundary stays, which the playlist before may have listed. */
	readonly graceMs: number;
};

/**
 * RFC 8216 §6.2.2: a segment that left a playlist stays for its own duration and that of the longest playlist that
 * listed it. Playlists are cached for up to half a target duration, which is added in full.
 */
export function graceMs({ window, targetDuration }: TimelineRecord): number {
	let seconds = 2 * targetDuration;
	for (const entry of window) seconds += entry.duration;
	return seconds * 1000;
}

/** Adds what `newest` says to a stream's marks, oldest first, and drops those that have no more to say. */
export function withMark(marks: readonly BoundaryMark[], newest: TimelineRecord, nowMs: number): BoundaryMark[] {
	const playlistGraceMs = graceMs(newest);
	const grace = Math.max(playlistGraceMs, marks.at(-1)?.playlistGraceMs ?? 0);
	const all = [...marks, { atMs: nowMs, boundary: mediaBoundary(newest), playlistGraceMs, graceMs: grace }];
	return all.slice(
		Math.max(
			0,
			all.findLastIndex((mark) => hasSettled(mark, nowMs)),
		),
	);
}

/** The boundary whose files have left every playlist for long enough; `null` while that is not known of any. */
export function settledBoundary(marks: readonly BoundaryMark[], nowMs: number): string | null {
	return marks.findLast((mark) => hasSettled(mark, nowMs))?.boundary ?? null;
}

function hasSettled(mark: BoundaryMark, nowMs: number): boolean {
	return nowMs - mark.atMs >= mark.graceMs;
}

type Listed = Pick<ObjectInfo, "key" | "modifiedMs">;

/** The keys of the media files that may go: below the settled boundary, and modified before `beforeMs`. */
export function expiredMedia(objects: readonly Listed[], boundary: string, beforeMs: number): string[] {
	return keysOf(objects, (name, { modifiedMs }) => MEDIA_NAME.test(name) && name < boundary && modifiedMs < beforeMs);
}

/**
 * The keys of the init files that may go: a rendition's next one is in force at `oldestKept`, the position of the
 * oldest media file there is. `objects`: all init files, in order of their names.
 */
export function expiredInits(objects: readonly Listed[], oldestKept: string): string[] {
	const superseded = new Set<string>();
	return keysOf(objects.toReversed(), (name) => {
		if (!INIT_NAME.test(name)) return false;
		const position = name.slice(INIT_FILE_PREFIX.length, INIT_FILE_PREFIX.length + POSITION_LENGTH);
		const rendition = name.slice(INIT_FILE_PREFIX.length + POSITION_LENGTH, -".mp4".length);
		const mayGo = superseded.has(rendition);
		if (position <= oldestKept) superseded.add(rendition);
		return mayGo;
	});
}

/** The keys of the records that may go: below `keepFrom`, and modified before `beforeMs`. */
export function expiredRecords(objects: readonly Listed[], keepFrom: number, beforeMs: number): string[] {
	return keysOf(
		objects,
		(name, { modifiedMs }) => RECORD_NAME.test(name) && Number.parseInt(name, 10) < keepFrom && modifiedMs < beforeMs,
	);
}

/**
 * The keys of the index objects that may go: of hours that were over before `beforeMs`. The newest stays, and one more:
 * readers may be about to read it. `objects`: all of them, in order of their names.
 */
export function expiredIndex(objects: readonly Listed[], beforeMs: number): string[] {
	return keysOf(
		objects.slice(0, -2),
		(name, { modifiedMs }) =>
			INDEX_NAME.test(name) &&
			hourStartMs(name.slice(0, -".json".length)) + HOUR_MS < beforeMs &&
			modifiedMs < beforeMs,
	);
}

/** What is not named as it should be is not ours to delete. */
function keysOf(objects: readonly Listed[], mayGo: (name: string, object: Listed) => boolean): string[] {
	return objects.filter((object) => mayGo(nameOf(object.key), object)).map((object) => object.key);
}

function nameOf(key: string): string {
	return key.slice(key.lastIndexOf("/") + 1);
}

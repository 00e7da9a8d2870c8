/**
 * The index of each path and what the records have beyond it, kept in memory as long as it is asked for. Whoever watches
 * costs no read: each newest record carries the segments that came since the one before, and the index is read again each
 * five minutes at most, or when there is a gap. Hours that are over never change.
 */

import type { PathName } from "#shared/path-name.ts";
import { hasCode, StoreError } from "#shared/problem.ts";
import { HOUR_MS, hourOf, type IndexHour, type IndexRow } from "#shared/timeline/index-hour.ts";
import { findIndexListed, readIndexHour, walkBack } from "#shared/timeline/index-reader.ts";
import type { SegmentEntry, TimelineRecord } from "#shared/timeline/record.ts";
import type { Deps } from "../deps.ts";
import { ByteLru } from "./byte-lru.ts";

/** What is known of a path's whole timeline. */
export type StreamTimeline = {
	readonly path: PathName;
	readonly record: TimelineRecord;
	/** The newest hour of the index; `null` when there is none. */
	readonly head: IndexHour | null;
	/** What was committed behind it; without an index, the live window. */
	readonly tail: readonly SegmentEntry[];
	/** How many discontinuities stand before the first of the tail. */
	readonly tailDiscontinuitySequence: number;
};

/** Hours in memory, and timelines; an object of text takes twice its size. */
const MAX_HOUR_BYTES = 16 * 1024 ** 2;
const MAX_TIMELINE_BYTES = 8 * 1024 ** 2;
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_ENTRY = 600;
/** So old may the index be, which says how long segments are kept. */
export const MAX_INDEX_AGE_MS = 300_000;
/** So long it is believed that there is none. */
const NO_INDEX_AGE_MS = 30_000;
/** So long a failure, or that an hour is gone, is told again without another look: else each viewer would take one. */
const FAILED_AGE_MS = 2_000;
const MAX_FAILED_PATHS = 1_000;
const MAX_GONE_HOURS = 1_000;
/** Records that are read for what the index has not yet: a minute of the shortest segments takes 15. */
const MAX_WALK_READS = 40;

type Known = { readonly timeline: StreamTimeline; readonly readMs: number; readonly bytes: number };

export class StreamTimelines {
	readonly #deps: Pick<Deps, "store" | "clock" | "sharesReads">;
	readonly #known = new ByteLru<Known>(MAX_TIMELINE_BYTES);
	readonly #hours = new ByteLru<IndexHour>(MAX_HOUR_BYTES);
	readonly #failed = new ByteLru<{ readonly error: StoreError; readonly atMs: number }>(MAX_FAILED_PATHS);
	/** Since when hours are known to be gone. */
	readonly #gone = new ByteLru<number>(MAX_GONE_HOURS);
	readonly #reading = new Map<string, Promise<unknown>>();

	constructor(deps: Pick<Deps, "store" | "clock" | "sharesReads">) {
		this.#deps = deps;
	}

	/** The timeline up to `record`, which is the newest, or further. @throws StoreError */
	async get(path: PathName, record: TimelineRecord): Promise<StreamTimeline> {
		const known = this.#known.get(path);
		const nowMs = this.#deps.clock.monotonic();
		if (known !== undefined) {
			const maxAgeMs = known.timeline.head === null ? NO_INDEX_AGE_MS : MAX_INDEX_AGE_MS;
			if (nowMs - known.readMs < maxAgeMs) {
				const timeline = extended(known.timeline, record);
				if (timeline === known.timeline) return timeline;
				if (timeline !== null) {
					this.#keep({ ...known, timeline });
					return timeline;
				}
			}
		}
		const failed = this.#failed.get(path);
		if (failed !== undefined && nowMs - failed.atMs < FAILED_AGE_MS) throw failed.error;
		return this.#shared(path, async () => {
			try {
				const loaded = await load(this.#deps, path, record);
				this.#keep({ ...loaded, readMs: nowMs });
				return loaded.timeline;
			} catch (error) {
				if (error instanceof StoreError) this.#failed.set(path, { error, atMs: nowMs }, 1);
				throw error;
			}
		});
	}

	/** The index of an hour that is over; `null` when it is gone, or damaged. @throws StoreError */
	async hour(path: PathName, [name, firstSequence]: IndexRow, nextSequence: number): Promise<IndexHour | null> {
		const key = `${path} ${name} ${firstSequence} ${nextSequence}`;
		const known = this.#hours.get(key);
		if (known !== undefined) return known;
		const nowMs = this.#deps.clock.monotonic();
		if (nowMs - (this.#gone.get(key) ?? Number.NEGATIVE_INFINITY) < FAILED_AGE_MS) return null;
		return this.#shared(key, async () => {
			const found = await readUnlessDamaged(this.#deps.store, path, name);
			if (found?.hour.firstSequence !== firstSequence || found.hour.nextSequence !== nextSequence) {
				this.#gone.set(key, nowMs, 1);
				return null;
			}
			// What stands in it of other hours is asked of the newest one alone, and may be most of it.
			const { before, stretches } = found.hour;
			const hour = { ...found.hour, before: [], stretches: [] };
			const bytes = found.bytes - JSON.stringify([before, stretches]).length;
			this.#hours.set(key, hour, bytes * BYTES_PER_CHARACTER);
			return hour;
		});
	}

	#keep(known: Known): void {
		const { path, tail } = known.timeline;
		this.#known.set(path, known, known.bytes + tail.length * BYTES_PER_ENTRY);
	}

	/** One read for all that wait for it, where one request may wait for another. */
	#shared<T>(key: string, read: () => Promise<T>): Promise<T> {
		if (!this.#deps.sharesReads) return read();
		const reading = this.#reading.get(key) as Promise<T> | undefined;
		if (reading !== undefined) return reading;
		const begun = read().finally(() => this.#reading.delete(key));
		this.#reading.set(key, begun);
		return begun;
	}
}

/** A timeline that goes on to `record`; `null` when segments in between are not known. */
function extended(timeline: StreamTimeline, record: TimelineRecord): StreamTimeline | null {
	if (record.n <= timeline.record.n) return timeline;
	const next = nextSequenceOf(timeline);
	if (record.nextSequence <= next) return { ...timeline, record };
	if ((record.window[0]?.sequence ?? record.nextSequence) > next) return null;
	return { ...timeline, record, tail: [...timeline.tail, ...record.window.filter(({ sequence }) => sequence >= next)] };
}

/** Behind the last segment that a timeline has. */
export function nextSequenceOf({ head, tail, record }: StreamTimeline): number {
	const last = tail.at(-1);
	return last === undefined ? Math.max(head?.nextSequence ?? 0, record.nextSequence) : last.sequence + 1;
}

async function load(
	{ store }: Pick<Deps, "store">,
	path: PathName,
	record: TimelineRecord,
): Promise<{ timeline: StreamTimeline; bytes: number }> {
	let found = await findLikely(store, path, record);
	for (let isListed = false; ; isListed = true) {
		const isNone = found === null && isListed;
		if (found !== null || isNone) {
			const head = found?.hour ?? null;
			// How long segments are kept is not known without an index: then only what is live is there for sure.
			const from = head?.nextSequence ?? record.window[0]?.sequence ?? record.nextSequence;
			const walk = await walkBack(store, path, record, from, { maxReads: MAX_WALK_READS });
			if (walk.isComplete) {
				const { entries: tail, discontinuitySequence: tailDiscontinuitySequence } = walk;
				const bytes = (found?.bytes ?? 0) * BYTES_PER_CHARACTER;
				return { timeline: { path, record, head, tail, tailDiscontinuitySequence }, bytes };
			}
			if (isListed)
				throw new StoreError("store.unavailable", `The index of ${path} is far behind; try again in a minute`);
		}
		found = await findIndexListed(store, path);
	}
}

/** Nobody mends an hour that is over: without it, what is left of the others can still be played. */
async function readUnlessDamaged(store: Deps["store"], path: PathName, name: string) {
	try {
		return await readIndexHour(store, path, name);
	} catch (error) {
		if (!hasCode(error, "timeline.corrupt")) throw error;
		return null;
	}
}

/** The newest hour of the index is that of the newest segment, or the one before, as a rule. */
async function findLikely(store: Deps["store"], path: PathName, { window, committedMs }: TimelineRecord) {
	const newestMs = window.at(-1)?.startMs ?? committedMs;
	return (
		(await readIndexHour(store, path, hourOf(newestMs))) ??
		(await readIndexHour(store, path, hourOf(newestMs - HOUR_MS)))
	);
}

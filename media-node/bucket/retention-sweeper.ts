/**
 * Deletes what retention allows of the streams of this node: those that are live on it, and those that it was the last
 * to own. Each pass does a bounded amount of work; what is left waits for the next one. A bucket that fails is left
 * alone until then.
 *
 * Streams whose last owner is another node are left to it: only that node knows how long they are to be kept.
 */

import type { Clock } from "#shared/clock.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import { SluiceError } from "#shared/problem.ts";
import {
	INIT_FILE_PREFIX,
	indexKey,
	indexPrefix,
	keyToPath,
	mediaPrefix,
	recordsPrefix,
	STREAMS_PREFIX,
	streamPrefix,
} from "#shared/store/key.ts";
import { MAX_DELETE_KEYS, type ObjectInfo, type ObjectStore } from "#shared/store/object-store.ts";
import { findIndexListed } from "#shared/timeline/index-reader.ts";
import { readLease } from "#shared/timeline/lease.ts";
import { findNewest } from "#shared/timeline/reader.ts";
import type { TimelineRecord } from "#shared/timeline/record.ts";
import {
	type BoundaryMark,
	expiredIndex,
	expiredInits,
	expiredMedia,
	expiredRecords,
	mediaBoundary,
	RECORD_KEEP_MS,
	settledBoundary,
	withMark,
} from "#shared/timeline/retention.ts";
import type { Logger } from "../log.ts";

/** A stream that is live on this node: a `StreamUploader` is one. */
export type LiveTimeline = {
	readonly path: PathName;
	readonly newest: TimelineRecord | null;
	readonly headNumber: number;
};

export type RetentionSweeperOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly nodeId: string;
	/** The streams that are live on this node now. */
	readonly live: () => Iterable<LiveTimeline>;
	/** How long the segments of a path are kept; `null`: it is not ours to say, all of them are. */
	readonly retentionMsOf: (path: PathName) => number | null;
	/** Media of a path were deleted. Must not throw. */
	readonly onDeleted?: ((path: PathName, bytes: number) => void) | undefined;
	readonly everyMs?: number | undefined;
};

export const SWEEP_EVERY_MS = 60_000;
/** Init segments and records are few, or go late: each so many sweeps of a stream look at them. */
const RARE_SWEEPS = 10;
/** Pages of a listing, of up to 1000 objects each, in one pass over one stream. */
const MAX_PAGES = 5;
/** Streams that are not live, in one pass. */
const MAX_IDLE_STREAMS = 5;
/** A stream whose newest record is as old is idle, and its boundary has settled whatever its window is. */
const IDLE_AFTER_MS = 3_600_000;
/** The index says how long segments are kept. When that becomes shorter, so long must readers have had to hear of it. */
const SHORTER_AFTER_MS = 600_000;
/** A pass never takes longer: the next one goes on. */
const MAX_PASS_MS = 30_000;

type Target = {
	readonly path: PathName;
	readonly boundary: string;
	/** Records from here on stay. */
	readonly keepFrom: number;
	readonly retentionMs: number;
};

/** What is remembered of a live stream. */
type Swept = {
	marks: BoundaryMark[];
	sweeps: number;
	lastMs: number;
	/** What readers count on, and since when less is configured. */
	retentionMs: number;
	shorterSinceMs: number | null;
};

export class RetentionSweeper implements AsyncDisposable {
	readonly #options: RetentionSweeperOptions;
	readonly #life = new AbortController();
	readonly #timer: Disposable;
	readonly #swept = new Map<PathName, Swept>();
	/** Where the next pass over idle streams goes on. */
	#idleAfter = "";
	#passing: Promise<void> | null = null;

	constructor(options: RetentionSweeperOptions) {
		this.#options = options;
		this.#timer = options.clock.every(options.everyMs ?? SWEEP_EVERY_MS, () => {
			this.#passing ??= this.#pass().finally(() => {
				this.#passing = null;
			});
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#timer[Symbol.dispose]();
		this.#life.abort();
		await this.#passing;
	}

	async #pass(): Promise<void> {
		const { clock, live } = this.#options;
		const controller = new AbortController();
		const stop = () => controller.abort();
		this.#life.signal.addEventListener("abort", stop, { once: true });
		using _late = clock.after(MAX_PASS_MS, stop);
		const { signal } = controller;
		const lastMs = ({ path }: LiveTimeline) => this.#swept.get(path)?.lastMs ?? Number.NEGATIVE_INFINITY;
		// Those that the pass before did not come to are first.
		const streams = [...live()].sort((a, b) => lastMs(a) - lastMs(b));
		const paths = new Set(streams.map((stream) => stream.path));
		for (const path of this.#swept.keys()) if (!paths.has(path)) this.#swept.delete(path);
		for (const stream of streams) await this.#try(this.#sweepLive(stream, signal), stream.path);
		await this.#try(this.#sweepIdle(paths, signal));
		this.#life.signal.removeEventListener("abort", stop);
	}

	/** What fails with one stream must not keep the others from being swept. */
	async #try(sweep: Promise<void>, path?: PathName): Promise<void> {
		try {
			await sweep;
		} catch (error) {
			const { log } = this.#options;
			if (!(error instanceof SluiceError)) log.error({ err: error, path }, "Old segments could not be deleted");
			else if (error.code !== "aborted") log.warn({ path, code: error.code }, "Old segments could not be deleted yet");
		}
	}

	async #sweepLive({ path, newest, headNumber }: LiveTimeline, signal: AbortSignal): Promise<void> {
		const { clock, retentionMsOf } = this.#options;
		const retentionMs = retentionMsOf(path);
		if (signal.aborted || newest === null || retentionMs === null) return;
		const nowMs = clock.monotonic();
		const swept = this.#swept.get(path) ?? {
			marks: [],
			sweeps: 0,
			lastMs: 0,
			retentionMs,
			shorterSinceMs: null,
		};
		this.#swept.set(path, swept);
		swept.marks = withMark(swept.marks, newest, nowMs);
		swept.lastMs = nowMs;
		const keptMs = settledRetention(swept, retentionMs, nowMs);
		const boundary = settledBoundary(swept.marks, nowMs);
		if (boundary === null) return;
		const target = { path, boundary, keepFrom: Math.min(headNumber, newest.n), retentionMs: keptMs };
		const oldestKept = await this.#sweepMedia(target, signal);
		if (++swept.sweeps % RARE_SWEEPS === 0) await this.#sweepRest(target, oldestKept, signal);
	}

	/** Looks at the next few streams in the bucket, and sweeps those that were ours and are over. */
	async #sweepIdle(live: ReadonlySet<PathName>, signal: AbortSignal): Promise<void> {
		const { store } = this.#options;
		const page = await store.list(STREAMS_PREFIX, {
			delimiter: "/",
			startAfter: this.#idleAfter,
			limit: MAX_IDLE_STREAMS,
			signal,
		});
		this.#idleAfter = page.next ?? "";
		for (const prefix of page.prefixes) {
			const path = keyToPath(prefix.slice(STREAMS_PREFIX.length, -1));
			if (!isPathName(path) || streamPrefix(path) !== prefix || live.has(path)) continue;
			await this.#try(this.#sweepIdleOne(path, signal), path);
		}
	}

	async #sweepIdleOne(path: PathName, signal: AbortSignal): Promise<void> {
		const target = await this.#idleTarget(path, signal);
		if (target === null) return;
		const oldestKept = await this.#sweepMedia(target, signal);
		await this.#sweepRest(target, oldestKept, signal);
	}

	async #idleTarget(path: PathName, signal: AbortSignal): Promise<Target | null> {
		const { store, clock, nodeId, retentionMsOf } = this.#options;
		const retentionMs = retentionMsOf(path);
		if (retentionMs === null) return null;
		const held = await readLease(store, path, signal);
		if (held?.lease.owner !== nodeId || held.lease.expiresMs > clock.now()) return null;
		const { newest, head } = await findNewest(store, path, signal);
		if (newest === null || newest.record.committedMs > clock.now() - IDLE_AFTER_MS) return null;
		const keepFrom = Math.min(head?.n ?? -1, newest.record.n);
		if (!(await this.#isIndexSettled(path, retentionMs, signal))) return null;
		return { path, boundary: mediaBoundary(newest.record), keepFrom, retentionMs };
	}

	/** Whether readers know by the index how long segments are kept. If not they are told, and another pass deletes. */
	async #isIndexSettled(path: PathName, retentionMs: number, signal: AbortSignal): Promise<boolean> {
		const { store, clock } = this.#options;
		const found = await findIndexListed(store, path, signal);
		if (found === null) return true;
		if (found.hour.retentionMs === retentionMs) return found.modifiedMs < clock.now() - SHORTER_AFTER_MS;
		const text = JSON.stringify({ ...found.hour, retentionMs });
		const options = { signal, contentType: "application/json", cacheControl: "no-store" };
		await store.putIfMatch(indexKey(path, found.hour.hour), text, found.etag, options);
		return false;
	}

	/** Deletes media files. Says where the oldest begins that stays. */
	async #sweepMedia({ path, boundary, retentionMs }: Target, signal: AbortSignal): Promise<string> {
		const beforeMs = this.#options.clock.now() - retentionMs;
		const deleted = (bytes: number) => this.#options.onDeleted?.(path, bytes);
		const expired = (page: readonly ObjectInfo[]) => expiredMedia(page, boundary, beforeMs);
		const rest = await this.#sweepPages(mediaPrefix(path), expired, signal, deleted);
		const oldest = rest.find(({ key }) => key.endsWith(".m4s"))?.key.slice(mediaPrefix(path).length) ?? boundary;
		return oldest < boundary ? oldest : boundary;
	}

	async #sweepRest({ path, keepFrom, retentionMs }: Target, oldestKept: string, signal: AbortSignal): Promise<void> {
		const nowMs = this.#options.clock.now();
		const beforeMs = nowMs - retentionMs - RECORD_KEEP_MS;
		const inits = mediaPrefix(path) + INIT_FILE_PREFIX;
		const deleted = (bytes: number) => this.#options.onDeleted?.(path, bytes);
		await this.#sweepPages(inits, (page) => expiredInits(page, oldestKept), signal, deleted);
		await this.#sweepPages(indexPrefix(path), (page) => expiredIndex(page, nowMs - retentionMs), signal);
		await this.#sweepPages(recordsPrefix(path), (page) => expiredRecords(page, keepFrom, beforeMs), signal);
	}

	/** Deletes from the oldest object on, page by page while whole pages go. Returns what is left of the last page. */
	async #sweepPages(
		prefix: string,
		expired: (page: readonly ObjectInfo[]) => string[],
		signal: AbortSignal,
		onDeleted: (bytes: number) => void = () => {},
	): Promise<readonly ObjectInfo[]> {
		const { store } = this.#options;
		let left: readonly ObjectInfo[] = [];
		for (let pages = 0, after: string | null = prefix; after !== null && pages < MAX_PAGES; pages++) {
			const page = await store.list(prefix, { startAfter: after, limit: MAX_DELETE_KEYS, signal });
			const keys = expired(page.objects);
			if (keys.length > 0) await store.delete(keys, { signal });
			const gone = new Set(keys);
			const bytes = page.objects.reduce((sum, { key, size }) => sum + (gone.has(key) ? size : 0), 0);
			if (bytes > 0) onDeleted(bytes);
			left = page.objects.filter(({ key }) => !gone.has(key));
			if (left.length > 0) break;
			after = page.next;
		}
		return left;
	}
}

/** How long segments stay: what is configured, or what was until a while ago, if that was longer. */
function settledRetention(swept: Swept, retentionMs: number, nowMs: number): number {
	if (retentionMs >= swept.retentionMs) {
		swept.retentionMs = retentionMs;
		swept.shorterSinceMs = null;
		return retentionMs;
	}
	swept.shorterSinceMs ??= nowMs;
	if (nowMs - swept.shorterSinceMs >= SHORTER_AFTER_MS) {
		swept.retentionMs = retentionMs;
		swept.shorterSinceMs = null;
	}
	return swept.retentionMs;
}

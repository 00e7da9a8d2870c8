/**
 * Keeps the index of a stream behind its records. It is written beside the commits: behind the first one, then at most
 * once a minute while the stream is live (twice in the minute in which an hour ends), and when the stream ends; its
 * failure never is a commit's failure. What a crash left out is taken from the records by the next owner, before its own
 * segments; so is what stood in the newest object, when that is found damaged.
 *
 * Every write is conditional: created, or swapped for the object that this writer has read or written. A fenced owner
 * therefore fails as soon as the new owner has written; and what it could write before that is what it has committed,
 * which is true.
 */

import type { PathName } from "#shared/path-name.ts";
import { hasCode, type SluiceError } from "#shared/problem.ts";
import { indexKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { type Committed, foldIndex } from "./index-fold.ts";
import { HOUR_MS, type IndexHour } from "./index-hour.ts";
import { type DamagedHour, findSoundIndex, readIndexHour, walkBack } from "./index-reader.ts";
import type { Rendition, SegmentEntry, TimelineRecord } from "./record.ts";
import { ATTEMPT_MS, type Retry, timed } from "./retry.ts";

export const INDEX_INTERVAL_MS = 60_000;
/** After a failed write. */
const INDEX_RETRY_MS = 15_000;
/** Records that are read at most to heal an index: a stream of days that has none yet takes some thousand, once. */
const MAX_HEAL_READS = 20_000;
/** Segments that wait for the bucket in memory; those of a longer outage are taken from the records. */
const MAX_WAITING = 2_000;

export type IndexWriterOptions = {
	readonly store: ObjectStore;
	readonly retry: Retry;
	readonly path: PathName;
	/** How long segments are kept, in milliseconds; `null`: all of them, as long as nobody says otherwise. */
	readonly retentionMs: () => number | null;
	/** Told once of a damaged object, which is then made again; must not throw. */
	readonly onDamaged?: ((error: SluiceError) => void) | undefined;
};

type Held = { readonly hour: IndexHour; readonly etag: string };

export class IndexWriter {
	readonly #options: IndexWriterOptions;
	readonly #stop = new AbortController();
	/** The newest record there is. */
	#newest: TimelineRecord;
	/** Committed, and perhaps not in the index: without a gap, up to `#newest`. */
	#waiting: SegmentEntry[] = [];
	readonly #renditions = new Map<string, Rendition>();
	/** Before the first of `#waiting`. */
	#discontinuitySequence = 0;
	/** The newest object that can be read, as it is in the bucket; `undefined`: that is not known. */
	#held: Held | null | undefined = undefined;
	/** A newer one, which cannot be read: to be replaced. */
	#damaged: DamagedHour | null = null;
	/** The etag of the damaged object that was told of. */
	#toldEtag: string | null = null;
	#lastWriteMs = Number.NEGATIVE_INFINITY;
	#timer: Disposable | null = null;
	#writing: Promise<void> | null = null;
	#state: "open" | "closing" | "fenced" = "open";
	/** It has something to write: new segments, or what the owner before left out. */
	#isDue = true;

	/** `newest` is the fence of the owner: what stands before it is healed by the first write. */
	constructor(options: IndexWriterOptions, newest: TimelineRecord) {
		this.#options = options;
		this.#newest = newest;
	}

	/** Says what was committed. Returns at once; the index follows within a minute, or soon when the stream ended. */
	add(record: TimelineRecord): void {
		const entry = record.kind === "segment" ? record.window.at(-1) : undefined;
		this.#newest = record;
		if (entry !== undefined) {
			if (this.#waiting.length === 0 || this.#waiting.length >= MAX_WAITING) {
				this.#waiting = [];
				this.#renditions.clear();
				this.#discontinuitySequence = discontinuitySequenceOf(record);
			}
			this.#waiting.push(entry);
			for (const rendition of record.renditions) this.#renditions.set(rendition.id, rendition);
			this.#isDue = true;
		}
		const waitMs = this.#lastWriteMs + INDEX_INTERVAL_MS - this.#options.retry.clock.monotonic();
		this.#schedule(record.kind === "end" ? 0 : waitMs);
	}

	/** Writes what is not written yet, once; then stops for good. Never fails. */
	async close(signal: AbortSignal): Promise<void> {
		if (this.#state === "open") this.#state = "closing";
		this.#timer?.[Symbol.dispose]();
		this.#timer = null;
		const onAbort = () => this.#stop.abort();
		signal.addEventListener("abort", onAbort, { once: true });
		if (signal.aborted) onAbort();
		await this.#writing;
		// Once more, since an answer may have been lost.
		for (let attempts = 0; attempts < 2 && this.#isDue && !this.#stop.signal.aborted; attempts++) await this.#write();
		signal.removeEventListener("abort", onAbort);
		this.#stop.abort();
	}

	#schedule(waitMs: number): void {
		// Who keeps nothing needs no index.
		if (this.#options.retentionMs() === 0) return;
		if (this.#state !== "open" || this.#writing !== null || !this.#isDue) return;
		if (this.#timer !== null) {
			if (waitMs > 0) return;
			this.#timer[Symbol.dispose]();
			this.#timer = null;
		}
		if (waitMs <= 0) {
			this.#start();
			return;
		}
		this.#timer = this.#options.retry.clock.after(waitMs, () => {
			this.#timer = null;
			this.#start();
		});
	}

	#start(): void {
		this.#writing = this.#write().then((waitMs) => {
			this.#writing = null;
			this.#schedule(this.#newest.kind === "end" && waitMs === INDEX_INTERVAL_MS ? 0 : waitMs);
		});
	}

	/** Brings the index up to the newest record. Says how long to wait before the next write. Never fails. */
	async #write(): Promise<number> {
		if (this.#state === "fenced" || !this.#isDue || this.#options.retentionMs() === 0) return INDEX_INTERVAL_MS;
		this.#lastWriteMs = this.#options.retry.clock.monotonic();
		const newest = this.#newest;
		try {
			const held = this.#held ?? (await this.#timed((signal) => this.#find(signal)));
			this.#held = held;
			if (held !== null && held.hour.epoch > newest.epoch) {
				this.#state = "fenced";
				return INDEX_INTERVAL_MS;
			}
			const committed = await this.#committedSince(held?.hour.nextSequence ?? 0, newest);
			for (const hour of foldIndex(held?.hour ?? null, committed, this.#contextOf(newest))) await this.#put(hour);
			this.#forget(newest);
			return INDEX_INTERVAL_MS;
		} catch {
			// Readers take from the records what the index has not; the commits hear of a bucket that is away, and say so.
			return INDEX_RETRY_MS;
		}
	}

	async #find(signal: AbortSignal): Promise<Held | null> {
		const { store, path, onDamaged } = this.#options;
		const { sound, damaged } = await findSoundIndex(store, path, signal);
		this.#damaged = damaged;
		if (damaged !== null && damaged.etag !== this.#toldEtag) {
			this.#toldEtag = damaged.etag;
			onDamaged?.(damaged.error);
		}
		return sound;
	}

	/** What waits in memory; and what stands before that, from the records. */
	async #committedSince(from: number, newest: TimelineRecord): Promise<Committed> {
		const entries = this.#waiting;
		const first = entries[0];
		if (first !== undefined && first.sequence <= from) {
			return {
				entries,
				discontinuitySequence: this.#discontinuitySequence,
				renditions: [...this.#renditions.values()],
			};
		}
		if (newest.nextSequence <= from) return { entries: [], discontinuitySequence: 0, renditions: [] };
		const retentionMs = this.#options.retentionMs();
		const { store, path, retry } = this.#options;
		return walkBack(store, path, newest, from, {
			maxReads: MAX_HEAL_READS,
			...(retentionMs === null ? {} : { sinceMs: retry.clock.now() - retentionMs - HOUR_MS }),
			signal: this.#stop.signal,
		});
	}

	#contextOf({ n, epoch, targetDuration }: TimelineRecord) {
		const nowMs = this.#options.retry.clock.now();
		const retentionMs = this.#options.retentionMs();
		return { n, epoch, targetDuration, retentionMs, nowMs, fromHour: this.#damaged?.name };
	}

	/** Creates or swaps the object of an hour. */
	async #put(hour: IndexHour): Promise<void> {
		const { store, path } = this.#options;
		const key = indexKey(path, hour.hour);
		const text = JSON.stringify(hour);
		const held = this.#held?.hour.hour === hour.hour ? this.#held : null;
		const damaged = this.#damaged?.name === hour.hour ? this.#damaged : null;
		const etag = held?.etag ?? damaged?.etag ?? null;
		const options = { contentType: "application/json", cacheControl: "no-store" };
		try {
			const written = await this.#timed((signal) =>
				etag === null
					? store.putIfAbsent(key, text, { ...options, signal })
					: store.putIfMatch(key, text, etag, { ...options, signal }),
			);
			this.#held = { hour, etag: written.etag };
			if (damaged !== null) this.#damaged = null;
		} catch (error) {
			// Ours, in a request whose answer was lost; an old owner's, which goes on from there; or a new owner's.
			this.#held = undefined;
			if (!hasCode(error, "store.precondition")) throw error;
			const found = await this.#timed((signal) => readIndexHour(store, path, hour.hour, signal));
			if (found !== null && found.hour.epoch > hour.epoch) this.#state = "fenced";
			throw error;
		}
	}

	/** What stands in the index up to `written` need not wait any more. */
	#forget(written: TimelineRecord): void {
		const kept = this.#waiting.filter((entry) => entry.sequence >= written.nextSequence);
		for (const entry of this.#waiting)
			if (entry.sequence < written.nextSequence && entry.discontinuity) this.#discontinuitySequence++;
		this.#waiting = kept;
		this.#isDue = kept.length > 0;
	}

	#timed<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
		return timed(this.#options.retry.clock, attempt, this.#stop.signal, ATTEMPT_MS);
	}
}

/** How many discontinuities stand before the segment of its record. */
function discontinuitySequenceOf({ window, discontinuitySequence }: TimelineRecord): number {
	let before = discontinuitySequence;
	for (const entry of window.slice(0, -1)) if (entry.discontinuity) before++;
	return before;
}

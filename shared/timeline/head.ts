/**
 * The head object: a copy of a recent record, so that a reader needs no listing. Buckets take about one write a second
 * of one key, so it is written at most that often, beside the commits; its failure never is a commit's failure.
 *
 * Every write is conditional on the etag that this writer saw last. A request of an old owner that was under way while
 * a new owner took over therefore fails once the new owner has written, and an old owner never adopts an etag of a
 * higher epoch. So the head only moves forward. Readers do not depend on that (they probe on from whatever the head
 * says); retention does, since it deletes records below the head only.
 */

import type { PathName } from "#shared/path-name.ts";
import { hasCode } from "#shared/problem.ts";
import { headKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { parseRecord, type WrittenRecord } from "./chain.ts";
import { ATTEMPT_MS, type Retry, timed } from "./retry.ts";

export const HEAD_INTERVAL_MS = 1_000;
/** After a failed write: the next commit's head is the better one anyway. */
const HEAD_RETRY_MS = 3_000;

export class HeadWriter {
	readonly #store: ObjectStore;
	readonly #retry: Retry;
	readonly #path: PathName;
	#etag: string | null;
	#confirmed: number;
	#newest: WrittenRecord | null = null;
	#lastWriteMs = Number.NEGATIVE_INFINITY;
	#timer: Disposable | null = null;
	#writing: Promise<void> | null = null;
	#isClosing = false;
	readonly #stop = new AbortController();

	/** `head` is the object as it was found; `null` when there was none. */
	constructor(
		store: ObjectStore,
		retry: Retry,
		path: PathName,
		head: { readonly etag: string; readonly n: number } | null,
	) {
		this.#store = store;
		this.#retry = retry;
		this.#path = path;
		this.#etag = head?.etag ?? null;
		this.#confirmed = head?.n ?? -1;
	}

	/** The highest record that the object is known to hint at, or a later one; -1 when none is known. */
	get confirmed(): number {
		return this.#confirmed;
	}

	/** Says which record is the newest now. Returns at once; the object follows within about a second. */
	set(newest: WrittenRecord): void {
		this.#newest = newest;
		this.#schedule(this.#lastWriteMs + HEAD_INTERVAL_MS - this.#retry.clock.monotonic());
	}

	/** Writes what is not written yet, once and without waiting for the interval; then stops for good. Never fails. */
	async close(signal: AbortSignal): Promise<void> {
		this.#isClosing = true;
		this.#timer?.[Symbol.dispose]();
		this.#timer = null;
		const onAbort = () => this.#stop.abort();
		signal.addEventListener("abort", onAbort, { once: true });
		if (signal.aborted) onAbort();
		await this.#writing;
		await this.#write();
		signal.removeEventListener("abort", onAbort);
		this.#stop.abort();
	}

	#schedule(waitMs: number): void {
		if (this.#timer !== null || this.#writing !== null || this.#isClosing) return;
		if (waitMs <= 0) {
			this.#start();
			return;
		}
		this.#timer = this.#retry.clock.after(waitMs, () => {
			this.#timer = null;
			this.#start();
		});
	}

	#start(): void {
		this.#writing = this.#write().then((waitMs) => {
			this.#writing = null;
			if (this.#newest !== null) this.#schedule(waitMs);
		});
	}

	/** Writes the newest record once. Says how long to wait before the next write. Never fails. */
	async #write(): Promise<number> {
		const target = this.#newest;
		if (target === null) return HEAD_INTERVAL_MS;
		this.#lastWriteMs = this.#retry.clock.monotonic();
		try {
			await timed(this.#retry.clock, (signal) => this.#put(target, signal), this.#stop.signal, ATTEMPT_MS);
			this.#confirmed = Math.max(this.#confirmed, target.record.n);
			if (this.#newest === target) this.#newest = null;
			return HEAD_INTERVAL_MS;
		} catch {
			// A hint only: the commits hear of a bucket that is away, and say so.
			return HEAD_RETRY_MS;
		}
	}

	async #put({ record, text }: WrittenRecord, signal: AbortSignal): Promise<void> {
		const key = headKey(this.#path);
		const options = { signal, contentType: "application/json", cacheControl: "no-store" };
		try {
			({ etag: this.#etag } = await (this.#etag === null
				? this.#store.putIfAbsent(key, text, options)
				: this.#store.putIfMatch(key, text, this.#etag, options)));
		} catch (error) {
			if (!hasCode(error, "store.precondition")) throw error;
			await this.#adopt(record.epoch, signal);
			throw error;
		}
	}

	/** Learns the etag of a head that somebody wrote in between: us, in a request whose answer was lost, or an old owner. */
	async #adopt(epoch: number, signal: AbortSignal): Promise<void> {
		const key = headKey(this.#path);
		const object = await this.#store.get(key, { signal });
		if (object === null) {
			this.#etag = null;
			return;
		}
		const text = await object.text();
		try {
			// A new owner's: its etag is not for us, and the next commit will find out who that is.
			if (parseRecord(key, text).record.epoch > epoch) return;
		} catch (error) {
			// A damaged hint is best overwritten.
			if (!hasCode(error, "timeline.corrupt")) throw error;
		}
		this.#etag = object.etag;
	}
}

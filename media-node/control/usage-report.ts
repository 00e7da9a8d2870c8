import { type Clock, within } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { hasCode } from "#shared/problem.ts";
import { mediaPrefix } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { UsageMeter } from "#shared/usage/usage-meter.ts";
import type { Logger } from "../log.ts";
import type { StreamObserver } from "../paths/stream-observer.ts";
import type { Stream } from "../stream/stream.ts";

/** What is not counted of a session that ends: what it got in this time. */
export const TICK_MS = 5_000;
const FLUSH_TIMEOUT_MS = 10_000;
/** So long the last figures may take when the node stops. */
const LAST_WORD_MS = 2_000;
/** Of 1000 segments each. A path with more is counted from what comes and goes, and not from what is there. */
const MAX_PAGES = 200;

export type ReadingSession = { readonly id: string; readonly path: PathName; readonly bytesSent: number };

export type UsageReportOptions = {
	/** Whose requests are counted with {@link UsageReport.meter}. */
	readonly store: (meter: UsageMeter) => ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly nodeId: string;
};

/**
 * Counts what streams use on this node: requests and bytes to the bucket, time live, and bytes to readers; and writes it
 * to the bucket once a minute, while there is something to count.
 */
export class UsageReport implements Partial<StreamObserver>, AsyncDisposable {
	readonly meter: UsageMeter;
	/** The bucket, where every request is counted. */
	readonly store: ObjectStore;
	readonly #options: UsageReportOptions;
	readonly #life = new AbortController();
	readonly #timer: Disposable;
	/** Since when a publisher is there that was not counted yet. */
	readonly #live = new Map<PathName, number>();
	/** What each session had got when it was looked at last. */
	#sent: ReadonlyMap<string, number> = new Map();
	#measuring: Promise<void> = Promise.resolve();
	readonly #measured = new Set<PathName>();
	/** Of the last attempt. */
	#failures = 0;
	/** It was said. */
	#isFailing = false;
	#closing: Promise<void> | null = null;
	#sessions: () => readonly ReadingSession[] = () => [];

	constructor(options: UsageReportOptions) {
		this.#options = options;
		const { clock, nodeId } = options;
		this.meter = new UsageMeter({
			clock,
			writer: `${nodeId}-${clock.now().toString(36)}`,
			writesShared: true,
			onFailure: (error) => this.#failed(error),
		});
		this.store = options.store(this.meter);
		this.#timer = clock.every(TICK_MS, () => {
			this.#count();
			if (this.meter.isDue) void this.#flush(FLUSH_TIMEOUT_MS, false);
		});
	}

	/** Counts what the sessions get that read. `sessions` must not throw. */
	watch(sessions: () => readonly ReadingSession[]): void {
		this.#sessions = sessions;
	}

	streamBegan(stream: Stream): void {
		this.#live.set(stream.path, this.#options.clock.monotonic());
		if (!stream.config.hls || this.#measured.has(stream.path)) return;
		this.#measured.add(stream.path);
		// One after the other: nobody waits for it.
		this.#measuring = this.#measuring.then(() => this.#measure(stream.path));
	}

	publisherReturned({ path }: Stream): void {
		this.#live.set(path, this.#options.clock.monotonic());
	}

	publisherLeft({ path }: Stream): void {
		this.#ended(path);
	}

	streamEnded({ path }: Stream): void {
		this.#ended(path);
	}

	/** Retention deleted media of a path. */
	deleted(path: PathName, bytes: number): void {
		this.meter.add(path, { bytesDeleted: bytes });
	}

	/** Counts and writes what is left. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		this.#timer[Symbol.dispose]();
		this.#life.abort();
		await this.#measuring;
		this.#count();
		await this.#flush(LAST_WORD_MS, true);
	}

	#ended(path: PathName): void {
		this.#countLive(path);
		this.#live.delete(path);
	}

	#count(): void {
		for (const path of this.#live.keys()) this.#countLive(path);
		const sent = new Map<string, number>();
		for (const { id, path, bytesSent } of this.#sessions()) {
			sent.set(id, bytesSent);
			const bytesToReaders = bytesSent - (this.#sent.get(id) ?? 0);
			if (bytesToReaders > 0) this.meter.add(path, { bytesToReaders });
		}
		this.#sent = sent;
	}

	#countLive(path: PathName): void {
		const sinceMs = this.#live.get(path);
		if (sinceMs === undefined) return;
		const nowMs = this.#options.clock.monotonic();
		this.#live.set(path, nowMs);
		this.meter.add(path, { secondsLive: (nowMs - sinceMs) / 1000 });
	}

	async #flush(timeoutMs: number, now: boolean): Promise<void> {
		this.#failures = 0;
		await within(this.#options.clock, timeoutMs, (signal) => this.meter.flush(this.store, { now, signal }));
		if (this.#failures === 0) this.#isFailing = false;
	}

	/** Sums what a path has in the bucket, once. Never fails. */
	async #measure(path: PathName): Promise<void> {
		const { signal } = this.#life;
		const prefix = mediaPrefix(path);
		let bytes = 0;
		try {
			let next: string | null = prefix;
			for (let page = 0; next !== null && page < MAX_PAGES; page++) {
				const found = await this.store.list(prefix, { startAfter: next, signal });
				for (const { size } of found.objects) bytes += size;
				next = found.next;
			}
			if (next === null) this.meter.setStored(path, bytes);
		} catch (error) {
			this.#measured.delete(path);
			if (!hasCode(error, "aborted")) this.#failed(error);
		}
	}

	#failed(error: unknown): void {
		this.#failures++;
		if (this.#isFailing) return;
		this.#isFailing = true;
		const code = error instanceof Error && "code" in error ? { code: error.code } : {};
		this.#options.log.warn({ ...code, err: error }, "Usage could not be counted or written; it is tried again");
	}
}

import type { Clock } from "../clock.ts";
import type { PathName } from "../path-name.ts";
import { usageHourKey } from "../store/key.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { addCounters, type Counters, compactCounters, noCounters } from "./counters.ts";
import { dayOf, HOUR_MS, type HourDocument, SHARED } from "./hour-document.ts";

/** So often at most is written what was counted: what dies with its process is at most so old. */
export const FLUSH_EVERY_MS = 60_000;
/** Of one hour. What is more is counted as shared. */
const MAX_PATHS = 20_000;
/** Hours that are over and did not reach the bucket yet. */
const MAX_ENDED = 24;
/** A write that takes longer is given up: on Workers it may have ended with the request that began it, without a word. */
const FLUSH_LOST_MS = 60_000;

export type UsageMeterOptions = {
	readonly clock: Clock;
	/** Unique for each process or isolate, for ever: nobody else writes its objects. `[0-9A-Za-z._-]`, at most 100. */
	readonly writer: string;
	/**
	 * What is of no path is worth a write of its own, once it is an hour's. Who has nothing to do but to be asked for
	 * figures leaves it out: counting would be all that it does.
	 */
	readonly writesShared: boolean;
	/** Counting went wrong; it is tried again a minute later. Must not throw. */
	readonly onFailure: (error: unknown) => void;
};

export type FlushOptions = { readonly now?: boolean; readonly signal?: AbortSignal | undefined };

type Hour = {
	readonly number: number;
	readonly counters: Map<string, Counters>;
	/** Something of a path was counted that was not written. */
	isNew: boolean;
	/** The same of what is shared. */
	isSharedNew: boolean;
};

/**
 * Counts by path and hour, and keeps one object an hour in the bucket up to date. Counting is a few additions; writing
 * is for others to begin, when nobody waits for it.
 */
export class UsageMeter {
	readonly #options: UsageMeterOptions;
	#hour: Hour;
	readonly #ended: Hour[] = [];
	/** Bytes of media in the bucket, of paths where that is known. */
	readonly #stored = new Map<string, number>();
	#flushedMs: number;
	#hasFailed = false;
	#flushing: Promise<void> | null = null;

	constructor(options: UsageMeterOptions) {
		this.#options = options;
		this.#hour = newHour(Math.floor(options.clock.now() / HOUR_MS));
		this.#flushedMs = options.clock.monotonic();
	}

	/** Counts something of a path, or of none ({@link SHARED}). */
	add(path: PathName | typeof SHARED, more: Partial<Counters>): void {
		const hour = this.#current();
		const name = path === SHARED || hour.counters.has(path) || hour.counters.size < MAX_PATHS ? path : SHARED;
		let counters = hour.counters.get(name);
		if (counters === undefined) {
			counters = noCounters();
			hour.counters.set(name, counters);
		}
		addCounters(counters, more);
		if (name === SHARED) hour.isSharedNew = true;
		else hour.isNew = true;
		const stored = this.#stored.get(path);
		if (stored === undefined) return;
		const change = (more.bytesKept ?? 0) - (more.bytesDeleted ?? 0);
		if (change !== 0) this.#stored.set(path, Math.max(0, stored + change));
	}

	/** Says how much media of a path is in the bucket now; from then on that is counted on. */
	setStored(path: PathName, bytes: number): void {
		if (!this.#stored.has(path) && this.#stored.size >= MAX_PATHS) return;
		this.#stored.set(path, bytes);
		this.add(path, {});
	}

	/** Whether there is something to write now. */
	get isDue(): boolean {
		this.#current();
		const sinceMs = this.#options.clock.monotonic() - this.#flushedMs;
		if (this.#flushing !== null) return sinceMs >= FLUSH_LOST_MS;
		if (this.#ended.length > 0 && !this.#hasFailed) return true;
		return (this.#ended.length > 0 || this.#hour.isNew) && sinceMs >= FLUSH_EVERY_MS;
	}

	/**
	 * Writes what is new, if it is due or `now` says that there is no later. One write at a time, for which only `now` waits:
	 * on Workers no request may wait for another one's. Never fails; what could not be written is a minute later.
	 */
	async flush(store: ObjectStore, { now = false, signal }: FlushOptions = {}): Promise<void> {
		if (now) await this.#flushing;
		else if (!this.isDue) return;
		const flushing = this.#flush(store, now, signal).finally(() => {
			if (this.#flushing === flushing) this.#flushing = null;
		});
		this.#flushing = flushing;
		await flushing;
	}

	async #flush(store: ObjectStore, isLast: boolean, signal: AbortSignal | undefined): Promise<void> {
		const hour = this.#current();
		this.#flushedMs = this.#options.clock.monotonic();
		try {
			for (let ended = this.#ended[0]; ended !== undefined; ended = this.#ended[0]) {
				await this.#write(store, ended, signal);
				// One that was given up may have written it, too.
				if (this.#ended[0] === ended) this.#ended.shift();
			}
			if (hour.isNew || (isLast && this.#isWorthy(hour))) await this.#write(store, hour, signal);
			this.#hasFailed = false;
		} catch (error) {
			this.#hasFailed = true;
			this.#options.onFailure(error);
		}
	}

	async #write(store: ObjectStore, hour: Hour, signal: AbortSignal | undefined): Promise<void> {
		const text = JSON.stringify(this.#documentOf(hour));
		const { isNew, isSharedNew } = hour;
		hour.isNew = false;
		hour.isSharedNew = false;
		const { day, hour: ofDay } = placeOf(hour.number);
		try {
			const key = usageHourKey(day, ofDay, this.#options.writer);
			await store.put(key, text, { contentType: "application/json", signal });
		} catch (error) {
			hour.isNew ||= isNew;
			hour.isSharedNew ||= isSharedNew;
			throw error;
		}
	}

	#documentOf(hour: Hour): HourDocument {
		const { clock, writer } = this.#options;
		const atMs = Math.min(clock.now(), (hour.number + 1) * HOUR_MS - 1);
		const paths: [string, unknown][] = [];
		for (const [path, counters] of hour.counters) {
			const bytes = this.#stored.get(path);
			paths.push([path, { ...compactCounters(counters), ...(bytes === undefined ? {} : { stored: { bytes, atMs } }) }]);
		}
		// Zeros are left out, and read as zeros.
		return { v: 1, writer, ...placeOf(hour.number), paths: Object.fromEntries(paths) as HourDocument["paths"] };
	}

	#isWorthy({ isNew, isSharedNew }: Hour): boolean {
		return isNew || (isSharedNew && this.#options.writesShared);
	}

	/** The hour of this moment. A clock that goes back stays in the hour that it was in. */
	#current(): Hour {
		const number = Math.floor(this.#options.clock.now() / HOUR_MS);
		const before = this.#hour;
		if (number <= before.number) return before;
		if (this.#isWorthy(before)) this.#ended.push(before);
		if (this.#ended.length > MAX_ENDED) this.#ended.shift();
		this.#hour = newHour(number);
		return this.#hour;
	}
}

function newHour(number: number): Hour {
	return { number, counters: new Map(), isNew: false, isSharedNew: false };
}

function placeOf(number: number): { readonly day: string; readonly hour: number } {
	return { day: dayOf(number * HOUR_MS), hour: number % 24 };
}

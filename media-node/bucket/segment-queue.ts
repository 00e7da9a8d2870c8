/**
 * The segments of one stream that are not committed yet, in order. Each is in memory, on disk or both; the queue says
 * which goes next: to the bucket, to disk, or away. Pure bookkeeping: no time, no disk, no bucket.
 */

import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import type { SpoolEntry } from "./spool.ts";

/** A segment whose buffers go back to their owner by one call of `release`, which must not throw. */
export type ReleasableSegment = PendingSegment & { release(): void };

export type QueuedSegment = {
	readonly kind: "segment";
	/** Counts up; the name of its file in the spool. */
	readonly order: number;
	/** In seconds; 0 while it is only known from its file. */
	readonly duration: number;
	/** What it takes of memory, or of disk. */
	readonly bytes: number;
	/** What stood before it is lost, or was another packager's. */
	isBroken: boolean;
	memory: ReleasableSegment | null;
	file: SpoolEntry | null;
	/** A file of it is being written. */
	isSpooling: boolean;
	/** There is no room for it on disk. */
	isUnspoolable: boolean;
	/** `taken`: on its way to the bucket. `done`: committed or lost. */
	state: "waiting" | "taken" | "done";
	/** An earlier process left it. */
	readonly isLeftover: boolean;
	/** When it was pushed, by a clock that never goes back; of leftovers it is `Infinity`: they wait since nobody knows when. */
	readonly queuedMs: number;
};

export type QueueItem = QueuedSegment | { readonly kind: "end" };

export type QueueLimits = { readonly maxItems: number; readonly maxBytes: number };

export class SegmentQueue {
	readonly #limits: QueueLimits;
	readonly #waiting: QueueItem[] = [];
	readonly #taken = new Set<QueuedSegment>();
	#nextOrder = 0;
	#isNextBroken = false;
	#memoryItems = 0;
	#memoryBytes = 0;

	constructor(limits: QueueLimits, leftovers: readonly SpoolEntry[]) {
		this.#limits = limits;
		for (const file of leftovers) {
			// A number that is missing was a segment that is lost, or was committed in time: who watches cannot tell.
			const isBroken = file.order !== this.#nextOrder;
			this.#nextOrder = file.order + 1;
			this.#waiting.push({
				kind: "segment",
				order: file.order,
				duration: 0,
				bytes: file.bytes,
				isBroken,
				memory: null,
				file,
				isSpooling: false,
				isUnspoolable: false,
				state: "waiting",
				isLeftover: true,
				queuedMs: Number.POSITIVE_INFINITY,
			});
		}
		this.#isNextBroken = leftovers.length > 0;
	}

	get memoryItems(): number {
		return this.#memoryItems;
	}

	get memoryBytes(): number {
		return this.#memoryBytes;
	}

	/** Whether more is in memory than half of what may be. */
	get isCrowded(): boolean {
		return this.#memoryItems * 2 > this.#limits.maxItems || this.#memoryBytes * 2 > this.#limits.maxBytes;
	}

	/** When the oldest segment was pushed that is not committed; `Infinity` when there is none, or that is not known. */
	get oldestQueuedMs(): number {
		for (const item of this.#taken) return item.queuedMs;
		for (const item of this.#segments()) return item.queuedMs;
		return Number.POSITIVE_INFINITY;
	}

	/** Adds a segment. What no longer fits into memory is returned: it is lost, oldest first. */
	push(segment: ReleasableSegment, queuedMs: number = Number.POSITIVE_INFINITY): QueuedSegment[] {
		const bytes = segment.parts.reduce((sum, part) => sum + part.init.length + part.bytes.length, 0);
		this.#waiting.push({
			kind: "segment",
			order: this.#nextOrder++,
			duration: Math.max(0, ...segment.parts.map((part) => part.duration)),
			bytes,
			isBroken: this.#isNextBroken,
			memory: segment,
			file: null,
			isSpooling: false,
			isUnspoolable: false,
			state: "waiting",
			isLeftover: false,
			queuedMs,
		});
		this.#isNextBroken = false;
		this.#memoryItems++;
		this.#memoryBytes += bytes;
		const lost: QueuedSegment[] = [];
		while (this.#memoryItems > this.#limits.maxItems || this.#memoryBytes > this.#limits.maxBytes) {
			const oldest = this.#segments().find((item) => item.memory !== null && !item.isSpooling);
			if (oldest === undefined) break;
			this.lose(oldest);
			lost.push(oldest);
		}
		return lost;
	}

	/** Marks where the stream ends for now. */
	pushEnd(): void {
		this.#waiting.push({ kind: "end" });
	}

	/** The next item for the bucket, which is on its way from now on; `null` when there is none. */
	take(): QueueItem | null {
		const item = this.#waiting.shift() ?? null;
		if (item?.kind === "segment") {
			item.state = "taken";
			this.#taken.add(item);
		}
		return item;
	}

	/** The oldest segment that is in memory only, or `null`. Without `evenTaken`, only of those that wait. */
	nextToSpool(evenTaken: boolean): QueuedSegment | null {
		const fits = (item: QueuedSegment) =>
			item.memory !== null && item.file === null && !item.isSpooling && !item.isUnspoolable;
		if (evenTaken) for (const item of this.#taken) if (fits(item)) return item;
		return this.#segments().find(fits) ?? null;
	}

	/** The oldest segment before `order` that waits on disk: the first to give up its room. */
	oldestSpooled(order: number): QueuedSegment | null {
		return this.#segments().find((item) => item.file !== null && !item.isSpooling && item.order < order) ?? null;
	}

	/** The file of a segment is written: memory is free, unless the segment is on its way. */
	spooled(item: QueuedSegment, file: SpoolEntry): void {
		item.isSpooling = false;
		item.file = file;
		if (item.state === "waiting") this.#release(item);
	}

	/** A segment is committed: its memory is free. */
	done(item: QueuedSegment): void {
		item.state = "done";
		this.#taken.delete(item);
		this.#release(item);
	}

	/** A segment is lost: its memory is free, and what comes after it does not continue what came before. */
	lose(item: QueuedSegment): void {
		const next = this.#rest().find((other) => other.order > item.order);
		if (next === undefined) this.#isNextBroken = true;
		else next.isBroken = true;
		const index = this.#waiting.indexOf(item);
		if (index !== -1) this.#waiting.splice(index, 1);
		this.done(item);
	}

	/** Takes out all that is not committed, oldest first; its memory is free. What has a file still has it. */
	clear(): QueuedSegment[] {
		const rest = this.#rest();
		this.#waiting.length = 0;
		for (const item of rest) this.done(item);
		return rest;
	}

	#rest(): QueuedSegment[] {
		return [...this.#taken, ...this.#segments()];
	}

	*#segments(): Generator<QueuedSegment> {
		for (const item of this.#waiting) if (item.kind === "segment") yield item;
	}

	#release(item: QueuedSegment): void {
		const { memory } = item;
		if (memory === null) return;
		item.memory = null;
		this.#memoryItems--;
		this.#memoryBytes -= item.bytes;
		memory.release();
	}
}

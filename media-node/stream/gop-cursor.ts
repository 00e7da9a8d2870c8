import type { Clock } from "#shared/clock.ts";
import type { SluiceError } from "#shared/problem.ts";
import { costOf, MAX_GOP_MS } from "./gop-cache.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import type { PacketSink, SenderReport } from "./sink.ts";

/** How much faster than they came batches of the past are given. */
export const CATCH_UP_SPEED = 4;
/** Batches of the past are given at most this often. */
export const CATCH_UP_TICK_MS = 10;
/** A reader that is behind by more goes on with the next key frame. */
export const MAX_BEHIND_BYTES = 16 * 1024 * 1024;
/** Some cameras send no other key frame, or none that can be told: then a reader goes on anywhere. */
export const KEY_FRAME_WAIT_MS = 10_000;
/** About what a report in the queue costs. */
const REPORT_BYTES = 256;

type QueuedReport = { readonly track: number; readonly report: SenderReport };

export type GopCursorOptions = {
	readonly sink: PacketSink;
	/** Begins with a key frame; what is pushed follows. */
	readonly batches: readonly RtpBatch[];
	readonly clock: Clock;
	/** Must call {@link GopCursor.drain}, and deal with what the sink throws then. Called by a timer. */
	readonly onDue: () => void;
};

/**
 * Gives a reader the batches of the past first, faster than they came but not at once, then what came meanwhile, and
 * from there on what comes, as it comes. Batches stay as they are, so sound and pictures stay together. Nothing is given
 * before the timer fires: the caller knows the cursor by then.
 */
export class GopCursor implements PacketSink, Disposable {
	readonly #sink: PacketSink;
	readonly #clock: Clock;
	readonly #onDue: () => void;
	/** `behind`: the queue has something; `skipping`: waits for a key frame, after it had too much; `live`: passes on. */
	#state: "behind" | "skipping" | "live" = "behind";
	#queue: (RtpBatch | QueuedReport)[];
	#queuedBytes = 0;
	/** When the last batch was due, on the monotonic clock, and when it came, by the wall clock. */
	#givenMs: number;
	#arrivalMs: number;
	#skippingSinceMs = 0;
	#timer: Disposable | null;

	constructor({ sink, batches, clock, onDue }: GopCursorOptions) {
		this.#sink = sink;
		this.#clock = clock;
		this.#onDue = onDue;
		this.#queue = [...batches];
		for (const batch of batches) this.#queuedBytes += costOf(batch);
		this.#givenMs = clock.monotonic();
		this.#arrivalMs = batches[0]?.arrivalMs ?? 0;
		this.#timer = clock.after(0, onDue);
	}

	/** Nothing is held any more: the sink gets what comes. */
	get isLive(): boolean {
		return this.#state === "live";
	}

	push(batch: RtpBatch): void {
		if (this.#state === "live") {
			this.#sink.push(batch);
			return;
		}
		if (this.#state === "behind" && this.#enqueue(batch, costOf(batch))) return;
		const isLong = this.#clock.monotonic() - this.#skippingSinceMs >= KEY_FRAME_WAIT_MS;
		if (!batch.randomAccess && !isLong) return;
		this.#state = "live";
		this.#sink.push(batch);
	}

	senderReport(track: number, report: SenderReport): void {
		if (this.#state === "behind" && this.#enqueue({ track, report }, REPORT_BYTES)) return;
		this.#sink.senderReport(track, report);
	}

	/** Ends the sink now: what it did not get yet is of no use without what follows. */
	end(reason: SluiceError): void {
		this.#release("live");
		this.#sink.end(reason);
	}

	/** Gives the sink what is due. Throws what the sink throws. */
	drain(): void {
		this.#timer?.[Symbol.dispose]();
		this.#timer = null;
		const nowMs = this.#clock.monotonic();
		for (;;) {
			const next = this.#queue[0];
			if (next === undefined) break;
			if ("report" in next) {
				this.#queue.shift();
				this.#queuedBytes -= REPORT_BYTES;
				this.#sink.senderReport(next.track, next.report);
				continue;
			}
			const dueMs = this.#givenMs + passedMs(this.#arrivalMs, next.arrivalMs) / CATCH_UP_SPEED;
			if (dueMs > nowMs) {
				this.#timer = this.#clock.after(Math.max(CATCH_UP_TICK_MS, dueMs - nowMs), this.#onDue);
				return;
			}
			// After this process stood still, what should have gone meanwhile does not go at once.
			this.#givenMs = Math.max(dueMs, nowMs - CATCH_UP_TICK_MS);
			this.#arrivalMs = next.arrivalMs;
			this.#queue.shift();
			this.#queuedBytes -= costOf(next);
			this.#sink.push(next);
		}
		if (this.#state === "behind") this.#release("live");
	}

	/** Holds nothing any more, and has no timer. Whoever disposes it lets nothing be pushed to it afterwards. */
	[Symbol.dispose](): void {
		this.#release("live");
	}

	/** `false` when it would be too much: then nothing is queued any more. */
	#enqueue(item: RtpBatch | QueuedReport, bytes: number): boolean {
		this.#queuedBytes += bytes;
		if (this.#queuedBytes <= MAX_BEHIND_BYTES) {
			this.#queue.push(item);
			return true;
		}
		this.#release("skipping");
		this.#skippingSinceMs = this.#clock.monotonic();
		return false;
	}

	#release(state: "skipping" | "live"): void {
		this.#state = state;
		this.#timer?.[Symbol.dispose]();
		this.#timer = null;
		this.#queue = [];
		this.#queuedBytes = 0;
	}
}

/** How long after one batch the next one came. Wall-clock time may have been set in between. */
function passedMs(fromMs: number, toMs: number): number {
	return Math.min(MAX_GOP_MS, Math.max(0, toMs - fromMs));
}

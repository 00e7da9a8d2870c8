import type { NetworkUse } from "./trendline.ts";

/** Nothing is sent below this; sound needs about as much. Bits per second. */
export const MIN_TARGET = 50_000;
/** After a queue grew, a part of what came is aimed at. draft-ietf-rmcat-gcc-02 §5.5. */
const BACK_OFF = 0.85;
/** In a second, while all is well. */
const GROWTH = 1.08;
/** More than what is sent cannot be known to be carried. */
const HEADROOM = 1.5;
/** Loss up to the first is of no concern; beyond the second it is of congestion. §6. */
const LOW_LOSS = 0.02;
const HIGH_LOSS = 0.1;
/** One event is answered once. */
const HOLD_MS = 300;
const MAX_STEP_MS = 1_000;

/**
 * How many bits per second to aim at: `null` until there were signs that the network carries less than what is sent.
 * Pure but for what it remembers; time goes by `nowMs` of a monotonic clock.
 */
export class TargetRate {
	#target: number | null = null;
	/** What the receiver says. */
	#limit: number | null = null;
	#decreasedMs = Number.NEGATIVE_INFINITY;
	#increasedMs = Number.NaN;
	#lossDecreasedMs = Number.NEGATIVE_INFINITY;

	get bitrate(): number | null {
		return this.#target === null || this.#limit === null
			? (this.#target ?? this.#limit)
			: Math.min(this.#target, this.#limit);
	}

	/** Takes what the delay says. `carried`: bits per second that came lately; `null` when it is not known. */
	delay(use: NetworkUse, carried: number | null, rttMs: number, nowMs: number): void {
		if (use === "overuse") {
			this.#increasedMs = Number.NaN;
			if (nowMs - this.#decreasedMs < HOLD_MS + rttMs || carried === null) return;
			this.#decreasedMs = nowMs;
			const next = carried * BACK_OFF;
			this.#target = Math.max(MIN_TARGET, this.#target === null ? next : Math.min(this.#target, next));
			return;
		}
		// While a queue drains, the rate stays.
		if (use === "underuse" || this.#target === null) {
			this.#increasedMs = Number.NaN;
			return;
		}
		if (!Number.isNaN(this.#increasedMs)) {
			const seconds = Math.min(MAX_STEP_MS, nowMs - this.#increasedMs) / 1000;
			const grown = this.#target * GROWTH ** seconds;
			const limit = carried === null ? grown : Math.max(this.#target, carried * HEADROOM + 10_000);
			this.#target = Math.min(grown, limit);
		}
		this.#increasedMs = nowMs;
	}

	/** Takes the part of packets that was lost, 0 to 1, over about a second. `sent`: bits per second that went out. */
	loss(fraction: number, sent: number, rttMs: number, nowMs: number): void {
		if (fraction > HIGH_LOSS) {
			if (nowMs - this.#lossDecreasedMs < HOLD_MS + rttMs) return;
			this.#lossDecreasedMs = nowMs;
			const from = this.#target === null ? sent : Math.min(this.#target, sent);
			this.#target = Math.max(MIN_TARGET, from * (1 - fraction / 2));
			this.#increasedMs = Number.NaN;
		} else if (fraction > LOW_LOSS) {
			// Neither is it well nor is it congestion: it does not grow in this interval.
			this.#increasedMs = Number.NaN;
		}
	}

	/** Grows where nothing tells of delay: for receivers that report loss only. */
	grow(fraction: number, sent: number): void {
		if (this.#target === null || fraction >= LOW_LOSS) return;
		this.#target = Math.min(this.#target * GROWTH, Math.max(this.#target, sent * HEADROOM + 10_000));
	}

	/** So many bits per second were carried when more was sent. Changes nothing while there is no target. */
	raise(bitrate: number): void {
		if (this.#target !== null) this.#target = Math.max(this.#target, bitrate);
	}

	/** The receiver says what it can take. */
	limit(bitrate: number): void {
		this.#limit = Math.max(MIN_TARGET, bitrate);
	}
}

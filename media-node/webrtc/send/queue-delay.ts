/** The shortest delay is looked for in this much time, or up to twice as much: clocks drift, and routes change. */
const WINDOW_MS = 10_000;

/**
 * How long packets wait in a queue on their way: as much longer as they took than the fastest one of the last seconds.
 * The clocks of both ends need not agree.
 */
export class QueueDelay {
	/** The shortest of this window, and of the one before it. */
	#shortestMs = Number.POSITIVE_INFINITY;
	#beforeMs = Number.POSITIVE_INFINITY;
	#windowMs = Number.NEGATIVE_INFINITY;
	#lastMs = 0;
	#seenMs = 0;

	/** Takes how long a packet took: by the receiver's clock when it came, less ours when it was sent. */
	update(tookMs: number, nowMs: number): void {
		if (nowMs - this.#windowMs >= WINDOW_MS) {
			this.#beforeMs = this.#shortestMs;
			this.#shortestMs = Number.POSITIVE_INFINITY;
			this.#windowMs = nowMs;
		}
		this.#shortestMs = Math.min(this.#shortestMs, tookMs);
		this.#lastMs = tookMs - Math.min(this.#shortestMs, this.#beforeMs);
		this.#seenMs = nowMs;
	}

	/** What is left of the queue now, when nothing was sent meanwhile: it drains as time goes by. */
	at(nowMs: number): number {
		return Math.max(0, this.#lastMs - Math.max(0, nowMs - this.#seenMs));
	}

	/** The other clock jumped. */
	reset(): void {
		this.#shortestMs = Number.POSITIVE_INFINITY;
		this.#beforeMs = Number.POSITIVE_INFINITY;
		this.#lastMs = 0;
	}
}

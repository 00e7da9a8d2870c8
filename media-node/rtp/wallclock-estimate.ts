/**
 * Tells what time it was here when media of a presentation time was captured, as near as arrival can tell.
 *
 * The packet with the least delay tells best, so the estimate is the smallest distance between arrival and presentation
 * time. It is taken anew each minute, as clocks drift, and changed only when it is off by more than a second.
 */
export class WallclockEstimate {
	#distanceMs: number | null = null;
	#smallestMs = Number.POSITIVE_INFINITY;
	#windowEndMs = 0;

	/** Milliseconds since the Unix epoch of what is presented at `ptsMs` and came at `arrivalMs`. */
	wallclockOf(ptsMs: number, arrivalMs: number): number {
		const distanceMs = arrivalMs - ptsMs;
		this.#distanceMs ??= distanceMs;
		this.#smallestMs = Math.min(this.#smallestMs, distanceMs);
		if (arrivalMs >= this.#windowEndMs) {
			if (Math.abs(this.#smallestMs - this.#distanceMs) > TOLERANCE_MS) this.#distanceMs = this.#smallestMs;
			this.#smallestMs = Number.POSITIVE_INFINITY;
			this.#windowEndMs = arrivalMs + WINDOW_MS;
		}
		return ptsMs + this.#distanceMs;
	}
}

const WINDOW_MS = 60_000;
const TOLERANCE_MS = 1_000;

/** The first wait after a failure, and the longest. */
export const MIN_RETRY_MS = 1_000;
export const MAX_RETRY_MS = 15_000;
/** What lived so long begins anew with short waits. */
const HEALTHY_MS = 30_000;

/** How long to wait before the next attempt: longer after each failure, and never the same for all. */
export class BackOff {
	readonly #random: () => number;
	#failures = 0;

	/** `random` gives numbers from 0 to 1. */
	constructor(random: () => number = Math.random) {
		this.#random = random;
	}

	/** Notes a failure of what lived for `livedMs`, and gives the wait in milliseconds. */
	next(livedMs: number): number {
		if (livedMs >= HEALTHY_MS) this.#failures = 0;
		const longest = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** this.#failures);
		this.#failures = Math.min(this.#failures + 1, 16);
		return longest / 2 + (this.#random() * longest) / 2;
	}
}

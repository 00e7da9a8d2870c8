/** The first wait after a failure, and the longest. */
export const MIN_RETRY_MS = 1_000;
export const MAX_RETRY_MS = 15_000;
/** What lived so long begins anew with short waits. */
const HEALTHY_MS = 30_000;

/** How long to wait before the next attempt: longer after each failure, and never the same for all. */
export class BackOff {
	readonly #random: () => number;
	readonly #waits: { readonly minMs: number; readonly maxMs: number };
	#failures = 0;

	/** `random` gives numbers from 0 to 1. `waits`: the first one, and the longest. */
	constructor(random: () => number = Math.random, waits = { minMs: MIN_RETRY_MS, maxMs: MAX_RETRY_MS }) {
		this.#random = random;
		this.#waits = waits;
	}

	/** Notes a failure of what lived for `livedMs`, and gives the wait in milliseconds. */
	next(livedMs: number): number {
		if (livedMs >= HEALTHY_MS) this.#failures = 0;
		const longest = Math.min(this.#waits.maxMs, this.#waits.minMs * 2 ** this.#failures);
		this.#failures = Math.min(this.#failures + 1, 16);
		return longest / 2 + (this.#random() * longest) / 2;
	}
}

import type { Clock } from "#shared/clock.ts";

/** Somebody who has not asked for this long is not there any more: players ask at least each target duration. */
export const VIEWER_WINDOW_MS = 30_000;
const MAX_COUNTED_TOKENS = 10_000;

/**
 * How many addresses use a token at the same time, as one instance sees it. A token with a limit of *n* may so be used
 * by *n* addresses on each instance that they happen to reach: a hindrance to sharing, not a wall.
 */
export class ViewerCount {
	readonly #clock: Clock;
	/** Least recently used token first; the addresses of each with when they asked last. */
	readonly #tokens = new Map<string, Map<string, number>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Counts a request, unless it would be that of one address more than `limit`: `false` then. */
	admit(tokenId: string, address: string, limit: number): boolean {
		const nowMs = this.#clock.monotonic();
		const viewers = this.#tokens.get(tokenId) ?? new Map<string, number>();
		for (const [other, atMs] of viewers) if (nowMs - atMs >= VIEWER_WINDOW_MS) viewers.delete(other);
		if (!viewers.has(address) && viewers.size >= limit) return false;
		viewers.set(address, nowMs);
		this.#tokens.delete(tokenId);
		this.#tokens.set(tokenId, viewers);
		if (this.#tokens.size > MAX_COUNTED_TOKENS) {
			for (const oldest of this.#tokens.keys()) {
				this.#tokens.delete(oldest);
				break;
			}
		}
		return true;
	}
}

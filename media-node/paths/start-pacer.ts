import type { Clock } from "#shared/clock.ts";

/**
 * Spaces out what would all begin at once, such as two hundred cameras after a restart: each start waits its turn, and
 * nobody waits for another to succeed.
 */
export class StartPacer {
	readonly #clock: Clock;
	readonly #intervalMs: number;
	#nextMs = 0;

	constructor(clock: Clock, intervalMs: number) {
		this.#clock = clock;
		this.#intervalMs = intervalMs;
	}

	/** Waits for the next free moment. @throws GoneError `aborted` */
	async turn(signal: AbortSignal): Promise<void> {
		const nowMs = this.#clock.monotonic();
		const atMs = Math.max(nowMs, this.#nextMs);
		this.#nextMs = atMs + this.#intervalMs;
		if (atMs > nowMs) await this.#clock.sleep(atMs - nowMs, signal);
	}
}

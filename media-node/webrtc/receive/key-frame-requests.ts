/** A publisher is asked for a key frame at most this often. */
export const KEY_FRAME_INTERVAL_MS = 500;
/** How often it is asked while none comes. */
const MAX_ASKED = 10;

export type KeyFrameRequestsOptions = {
	/** Asks the publisher. Never throws. */
	readonly ask: () => void;
};

/**
 * Asks a publisher for a key frame when somebody needs one, and never else: each costs as much as many other frames.
 * Whoever wants one while one came less than {@link KEY_FRAME_INTERVAL_MS} ago, or is on its way, waits for it. Time
 * goes by `nowMs` of a monotonic clock.
 */
export class KeyFrameRequests {
	readonly #ask: () => void;
	#askedMs = Number.NEGATIVE_INFINITY;
	#cameMs = Number.NEGATIVE_INFINITY;
	/** Asked how often since the last one came; 0 when nobody wants one. */
	#wanted = 0;
	/** Requests that were sent. */
	asked = 0;

	constructor({ ask }: KeyFrameRequestsOptions) {
		this.#ask = ask;
	}

	/** A reader came: one that came lately is as good, for what begins with it is kept. */
	join(nowMs: number): void {
		if (nowMs - this.#cameMs >= KEY_FRAME_INTERVAL_MS) this.need(nowMs);
	}

	/** Pictures are broken, or a reader says so: only one that comes from now on helps. */
	need(nowMs: number): void {
		if (this.#wanted === 0) this.#wanted = 1;
		this.tick(nowMs);
	}

	/** A key frame began. */
	came(nowMs: number): void {
		this.#cameMs = nowMs;
		this.#wanted = 0;
	}

	/** Asks again while none came. Called every few milliseconds. */
	tick(nowMs: number): void {
		if (this.#wanted === 0 || nowMs - this.#askedMs < KEY_FRAME_INTERVAL_MS) return;
		if (this.#wanted > MAX_ASKED) {
			// It sends none, whatever it is asked: somebody has to want one again.
			this.#wanted = 0;
			return;
		}
		this.#wanted++;
		this.#askedMs = nowMs;
		this.asked++;
		this.#ask();
	}
}

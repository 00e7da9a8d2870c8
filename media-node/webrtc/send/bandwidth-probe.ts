/** How long more is sent: feedback comes several times meanwhile. */
const PROBE_MS = 600;
/** What feedback takes beside the round trip. */
const FEEDBACK_MS = 150;
/** In one step, so that the queue that a probe in vain makes stays short. */
const MAX_STEP = 2;
/** A part of what is aimed at is as good: what arrives comes unevenly. */
const ENOUGH = 0.85;
const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
/** After one that was right, the next step follows. */
const NEXT_STEP_MS = 500;

/**
 * Finds out whether a network carries more than what is sent, by sending more for a moment: what is sent grows no queue,
 * so that alone tells nothing of what else there is room for. Time goes by `nowMs` of a monotonic clock.
 */
export class BandwidthProbe {
	#rate = 0;
	#startMs = 0;
	#sentBytes = 0;
	/** The most that came while more was sent. */
	#carried = 0;
	#waitMs = FIRST_WAIT_MS;
	#nextMs = Number.NaN;
	/** Bytes that were sent for nothing else. */
	paddingBytes = 0;

	/** More is sent now, or it is waited for what becomes of it. */
	get isActive(): boolean {
		return this.#rate > 0;
	}

	/**
	 * Begins, if it is time to. `wanted`: bits per second that there is a use for; `now`: what is known to be carried.
	 */
	begin(wanted: number, now: number, nowMs: number): void {
		if (this.isActive) return;
		if (Number.isNaN(this.#nextMs)) this.#nextMs = nowMs + this.#waitMs;
		if (nowMs < this.#nextMs || now <= 0) return;
		this.#rate = Math.min(wanted, now * MAX_STEP);
		this.#startMs = nowMs;
		this.#sentBytes = 0;
		this.#carried = 0;
	}

	/** There is no use for more, or the network is too thin as it is. */
	cancel(nowMs: number): void {
		this.#rate = 0;
		this.#nextMs = nowMs + this.#waitMs;
	}

	/** How many bytes to send besides `sent`, which were just sent. */
	due(sent: number, nowMs: number): number {
		this.#sentBytes += sent;
		const passedMs = nowMs - this.#startMs;
		if (!this.isActive || passedMs > PROBE_MS) return 0;
		const bytes = Math.max(0, Math.floor((this.#rate * passedMs) / 8000) - this.#sentBytes);
		return bytes;
	}

	/** Takes note of what was sent for nothing else. */
	padded(bytes: number): void {
		this.#sentBytes += bytes;
		this.paddingBytes += bytes;
	}

	/**
	 * Takes what came lately, in bits per second, and whether a queue grows. Gives what the network carries once that is
	 * known to be more than before, and `null` else.
	 */
	feedback(carried: number, isTooMuch: boolean, rttMs: number, nowMs: number): number | null {
		if (!this.isActive) return null;
		this.#carried = Math.max(this.#carried, carried);
		const isRight = this.#carried >= this.#rate * ENOUGH;
		const isOver = nowMs - this.#startMs > PROBE_MS + rttMs + FEEDBACK_MS;
		if (!isTooMuch && !isOver) return null;
		this.#rate = 0;
		if (isTooMuch || !isRight) {
			this.#waitMs = Math.min(MAX_WAIT_MS, this.#waitMs * 2);
			this.#nextMs = nowMs + this.#waitMs;
			return null;
		}
		this.#waitMs = FIRST_WAIT_MS;
		this.#nextMs = nowMs + NEXT_STEP_MS;
		return this.#carried;
	}
}

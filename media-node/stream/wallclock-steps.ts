/** What is less is drift, or another packet's delay: packagers make up for it bit by bit. */
export const MIN_STEP_MS = 1000;
/** A clock that is set more often is not followed each time. */
export const STEP_INTERVAL_MS = 10_000;

export type Moment = {
	readonly track: number;
	readonly randomAccess: boolean;
	/** Presentation time. */
	readonly mediaMs: number;
	readonly wallclockMs: number;
	readonly arrivalMs: number;
};

/**
 * Tells where the wall-clock time of a publisher's media leaps: when its first report comes, and when its clock is set.
 * Whoever takes media time for wall-clock time has to begin anew there. That is put off until a decoder can begin, too, so
 * that nothing is lost.
 */
export class WallclockSteps {
	readonly #leader: number;
	#distanceMs: number | null = null;
	#stepMs = Number.NEGATIVE_INFINITY;

	/** `leader`: index of the track that readers begin with. */
	constructor(leader: number) {
		this.#leader = leader;
	}

	/** Takes each unit, in order; `true` before the one where time leaps. */
	isStep({ track, randomAccess, mediaMs, wallclockMs, arrivalMs }: Moment): boolean {
		if (track !== this.#leader || !randomAccess) return false;
		const distanceMs = wallclockMs - mediaMs;
		const before = this.#distanceMs;
		if (before === null || Math.abs(distanceMs - before) < MIN_STEP_MS) {
			this.#distanceMs = distanceMs;
			return false;
		}
		if (Math.abs(arrivalMs - this.#stepMs) < STEP_INTERVAL_MS) return false;
		this.#distanceMs = distanceMs;
		this.#stepMs = arrivalMs;
		return true;
	}

	/** Everything begins anew anyway. */
	restart(): void {
		this.#distanceMs = null;
	}
}

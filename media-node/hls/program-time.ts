/** How far wall-clock time may run ahead of or behind media time to make up for clocks that drift apart. */
const SLEW = 1 / 1000;

/**
 * The wall-clock time of media. It advances as media does, for players take the one for the other: what clocks drift
 * apart is made up for slowly, and a leap is not followed but where everything begins anew.
 */
export class ProgramTime {
	#distanceMs = 0;
	#mediaMs: number | null = null;

	/** Milliseconds since the Unix epoch of what is presented at `mediaMs`, where the unit's own clock says `wallclockMs`. */
	at(mediaMs: number, wallclockMs: number): number {
		if (this.#mediaMs === null) {
			this.#distanceMs = wallclockMs - mediaMs;
		} else {
			const most = Math.max(0, mediaMs - this.#mediaMs) * SLEW;
			const drift = wallclockMs - mediaMs - this.#distanceMs;
			this.#distanceMs += Math.max(-most, Math.min(most, drift));
		}
		this.#mediaMs = mediaMs;
		return Math.max(0, Math.round(mediaMs + this.#distanceMs));
	}

	/** The next time is taken as it is. */
	restart(): void {
		this.#mediaMs = null;
	}
}

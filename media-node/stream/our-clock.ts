/** A publisher's clock that is off by more than this, after it was put right, was set to another time meanwhile. */
export const MAX_CLOCK_STEP_MS = 10_000;

type Report = { readonly wallclockMs: number; readonly rtpTime: number };

/**
 * Puts the sender reports of one publisher on our wall clock: all of its tracks are moved by the same, which its first
 * report tells, so that they stay together as the publisher says. What the clocks drift apart later is left.
 */
export class OurClock {
	/** What is added to the publisher's wall-clock time. */
	#shiftMs: number | null = null;

	/** `arrivalMs`: when the report came, milliseconds since the Unix epoch. */
	reportOf({ wallclockMs, rtpTime }: Report, arrivalMs: number): Report {
		const offMs = arrivalMs - wallclockMs;
		if (this.#shiftMs === null || Math.abs(offMs - this.#shiftMs) > MAX_CLOCK_STEP_MS) this.#shiftMs = offMs;
		return { wallclockMs: wallclockMs + this.#shiftMs, rtpTime };
	}
}

import { PES_CLOCK_RATE } from "./elementary-parser.ts";

/**
 * Times audio frames on their own clock. PES time stamps are rounded to 1/90000 s: where they agree with the frames
 * counted, within that, the count is right.
 */
export class FrameTimer {
	#next: number | null = null;
	readonly #clockRate: number;

	/** `clockRate` is of the times that it gives. */
	constructor(clockRate: number) {
		this.#clockRate = clockRate;
	}

	/** Takes the time stamp of the next frame, in ticks of 1/90000 s; `null` when it has none. */
	stamp(pts: number | null): void {
		if (pts === null) return;
		const time = (pts * this.#clockRate) / PES_CLOCK_RATE;
		const tolerance = this.#clockRate === PES_CLOCK_RATE ? 0 : this.#clockRate / PES_CLOCK_RATE + 1;
		if (this.#next === null || Math.abs(time - this.#next) > tolerance) this.#next = time;
	}

	/** The time of the next frame, which lasts `ticks`; `null` before the first time stamp. */
	advance(ticks: number): number | null {
		if (this.#next === null) return null;
		const time = Math.round(this.#next);
		this.#next += ticks;
		return time;
	}

	/** What comes next does not follow what came before. */
	reset(): void {
		this.#next = null;
	}
}

import type { FileUnit } from "./media-source.ts";

/** A longer time without anything is a leap in the time stamps, and is left out. */
export const MAX_GAP_SECONDS = 60;
/** Time stamps that go back by more begin anew; those that go back by less are set right one by one. */
const MAX_BACK_SECONDS = 1;
/** For a track that never says how long a unit lasts. */
const ASSUMED_SECONDS = 1 / 25;

type Lane = {
	readonly clockRate: number;
	/** Ticks from the file's times to those that are given, within one pass. */
	shift: number;
	/** Of the last unit, as given, and how long it or the one before lasted. */
	dts: number;
	duration: number;
	/** Of this pass: the first decoding time, and from when to when something is shown. */
	first: number | null;
	shownFrom: number;
	shownUntil: number;
};

/** The times of a unit as they are sent. */
export type Placed = {
	readonly pts: number;
	readonly dts: number /** `dts` since the beginning. */;
	readonly seconds: number;
};

/**
 * The time line of a file that is played again and again: it begins at 0, and each pass goes on where the one before
 * ended. Decoding times of a track always increase.
 */
export class Timeline {
	readonly #lanes: readonly Lane[];
	/** Seconds: the file's time that is 0, when this pass began, and the newest time in it. */
	#origin: number | null = null;
	#passStart = 0;
	#newest = Number.NEGATIVE_INFINITY;

	constructor(clockRates: readonly number[]) {
		this.#lanes = clockRates.map((clockRate) => ({
			clockRate,
			shift: 0,
			dts: Number.NEGATIVE_INFINITY,
			duration: 0,
			first: null,
			shownFrom: Number.POSITIVE_INFINITY,
			shownUntil: Number.NEGATIVE_INFINITY,
		}));
	}

	/** Places the next unit; `null` when there is no such track or its times are no numbers. */
	place({ trackIndex, pts, dts, duration }: FileUnit): Placed | null {
		const lane = this.#lanes[trackIndex];
		if (lane === undefined || !Number.isSafeInteger(dts) || !Number.isSafeInteger(pts)) return null;
		const { clockRate } = lane;
		this.#origin ??= dts / clockRate;
		if (lane.first === null) lane.shift = Math.round((this.#passStart - this.#origin) * clockRate);
		const time = this.#follow(lane, dts);
		if (duration > 0) lane.duration = Math.min(duration, MAX_GAP_SECONDS * clockRate);
		else if (lane.first !== null) lane.duration = time - lane.dts;
		lane.first ??= time;
		lane.dts = time;
		this.#newest = Math.max(this.#newest, time / clockRate);
		const delay = pts - dts;
		const shown = Math.abs(delay) <= MAX_GAP_SECONDS * clockRate ? time + delay : time;
		lane.shownFrom = Math.min(lane.shownFrom, shown);
		lane.shownUntil = Math.max(lane.shownUntil, shown);
		return { pts: shown, dts: time, seconds: time / clockRate };
	}

	/** The pass is over. The next one begins when nothing of this one is to be shown or decoded any more. */
	endPass(): void {
		let from = Number.POSITIVE_INFINITY;
		let until = Number.NEGATIVE_INFINITY;
		let decoding = 0;
		for (const lane of this.#lanes) {
			if (lane.first === null) continue;
			const { clockRate } = lane;
			const lasts = this.#lasts(lane);
			from = Math.min(from, lane.shownFrom / clockRate);
			until = Math.max(until, lane.shownUntil / clockRate + lasts);
			decoding = Math.max(decoding, (lane.dts - lane.first) / clockRate + lasts);
			lane.first = null;
			lane.shownFrom = Number.POSITIVE_INFINITY;
			lane.shownUntil = Number.NEGATIVE_INFINITY;
		}
		this.#passStart += Math.max(decoding, until - from);
		this.#newest = Number.NEGATIVE_INFINITY;
	}

	/** The time of a unit, after the last one of its track. */
	#follow(lane: Lane, dts: number): number {
		const { clockRate } = lane;
		const time = dts + lane.shift;
		const back = lane.first !== null && time < lane.dts - MAX_BACK_SECONDS * clockRate;
		const leaps = time / clockRate > this.#newest + MAX_GAP_SECONDS && this.#newest !== Number.NEGATIVE_INFINITY;
		if (!back && !leaps) return Math.max(time, lane.dts + 1);
		const begin = Math.round(this.#newest * clockRate);
		const next = lane.first === null ? begin : lane.dts + Math.max(1, Math.round(this.#lasts(lane) * clockRate));
		lane.shift += next - time;
		return Math.max(next, lane.dts + 1);
	}

	#lasts({ duration, clockRate }: Lane): number {
		return duration > 0 ? duration / clockRate : ASSUMED_SECONDS;
	}
}

import { nearestTimestamp } from "./timestamp.ts";
import { WallclockEstimate } from "./wallclock-estimate.ts";

/** The presentation time of the first packet. What is aligned with it and began up to this much earlier stays positive. */
export const FIRST_PTS_MS = 10_000;

/** Sender reports that differ by more than this are not of one clock. */
const MAX_SKEW_MS = FIRST_PTS_MS;
/** Under way, tracks are only moved when they are apart by more than viewers tolerate: ITU-R BT.1359. */
const TOLERANCE_MS = 40;
/** Time stamps that go farther ahead than time did, or farther back than frames are reordered, are of another clock. */
const MAX_AHEAD_MS = 10_000;
const MAX_BACK_MS = 2_000;

type TrackClock = {
	readonly clockRate: number;
	/** The newest time stamp, unwrapped, and when it came; `null` before the first packet. */
	last: { rtpTime: number; arrivalMs: number } | null;
	/** What to add to an unwrapped time stamp for a presentation time. */
	offset: number;
	report: { readonly wallclockMs: number; readonly rtpTime: number } | null;
	/** What the reports of before a jump said of presentation time 0: it holds on, as time goes on. */
	zeroBeforeMs: number | null;
};

/**
 * Puts the tracks of one publisher on one time line. RTP time stamps of each begin anywhere and wrap.
 *
 * - The first packet of any track is at {@link FIRST_PTS_MS}.
 * - Another track begins where the sender reports say, when both have one; otherwise where its arrival says.
 * - Sender reports that come later, or drift apart, move tracks forward and never back: of two, the one that lags.
 * - When the time stamps of a track jump, because its sender began anew, it goes on as long after its last packet as
 *   passed here.
 */
export class ClockMap {
	readonly #tracks: readonly TrackClock[];
	readonly #wallclock = new WallclockEstimate();
	/** When the first packet came. */
	#startMs: number | null = null;

	/** `clockRates`: of each track, in ticks per second. */
	constructor(clockRates: readonly number[]) {
		this.#tracks = clockRates.map((clockRate) => ({
			clockRate,
			last: null,
			offset: 0,
			report: null,
			zeroBeforeMs: null,
		}));
	}

	/** Takes a sender report of a track. */
	senderReport(track: number, wallclockMs: number, rtpTime: number): void {
		const clock = this.#clockOf(track);
		const reference = clock.last?.rtpTime ?? rtpTime;
		clock.report = { wallclockMs, rtpTime: nearestTimestamp(reference, rtpTime) };
		this.#align();
	}

	/** The presentation time of a packet of a track, in the track's ticks. `arrivalMs`: since the Unix epoch. */
	ptsOf(track: number, rtpTime: number, arrivalMs: number): number {
		const clock = this.#clockOf(track);
		const { last } = clock;
		if (last === null) {
			this.#begin(clock, rtpTime, arrivalMs);
			return rtpTime + clock.offset;
		}
		const unwrapped = nearestTimestamp(last.rtpTime, rtpTime);
		const stepMs = ((unwrapped - last.rtpTime) * 1000) / clock.clockRate;
		const passedMs = Math.max(0, arrivalMs - last.arrivalMs);
		if (stepMs < -MAX_BACK_MS || (stepMs > MAX_AHEAD_MS && stepMs > passedMs + MAX_AHEAD_MS)) {
			clock.zeroBeforeMs = zeroOf(clock) ?? clock.zeroBeforeMs;
			clock.offset += last.rtpTime + ticksOf(passedMs, clock) - unwrapped;
			clock.report = null;
		}
		last.rtpTime = unwrapped;
		last.arrivalMs = arrivalMs;
		return unwrapped + clock.offset;
	}

	/** The wall-clock time here of a presentation time that `ptsOf` gave, milliseconds since the Unix epoch. */
	wallclockOf(track: number, pts: number, arrivalMs: number): number {
		return this.#wallclock.wallclockOf((pts * 1000) / this.#clockOf(track).clockRate, arrivalMs);
	}

	/** The same by the sender's own clock, as its reports say; `null` while there was none of the track. */
	sentAt(track: number, pts: number): number | null {
		const clock = this.#clockOf(track);
		const zero = zeroOf(clock) ?? clock.zeroBeforeMs;
		return zero === null ? null : zero + (pts * 1000) / clock.clockRate;
	}

	#begin(clock: TrackClock, rtpTime: number, arrivalMs: number): void {
		this.#startMs ??= arrivalMs;
		clock.last = { rtpTime, arrivalMs };
		if (clock.report !== null)
			clock.report = { ...clock.report, rtpTime: nearestTimestamp(rtpTime, clock.report.rtpTime) };
		clock.offset = ticksOf(FIRST_PTS_MS + arrivalMs - this.#startMs, clock) - rtpTime;

		const zero = zeroOf(clock);
		const others = this.#tracks
			.filter((other) => other !== clock)
			.map(zeroOf)
			.filter((other) => other !== null);
		if (zero === null || others.length === 0) return;
		const early = zero - Math.min(...others);
		if (Math.abs(early) <= MAX_SKEW_MS) clock.offset += ticksOf(early, clock);
	}

	/** Moves tracks that lag behind others forward. */
	#align(): void {
		const zeros = this.#tracks.map(zeroOf);
		const earliest = Math.min(...zeros.filter((zero) => zero !== null));
		for (const [i, clock] of this.#tracks.entries()) {
			const lagMs = (zeros[i] ?? earliest) - earliest;
			if (lagMs > TOLERANCE_MS && lagMs <= MAX_SKEW_MS) clock.offset += ticksOf(lagMs, clock);
		}
	}

	#clockOf(track: number): TrackClock {
		const clock = this.#tracks[track];
		if (clock === undefined) throw new RangeError(`There is no track ${track}`);
		return clock;
	}
}

function ticksOf(ms: number, { clockRate }: TrackClock): number {
	return Math.round((ms * clockRate) / 1000);
}

/** The wall-clock time of presentation time 0, by the sender's clock; `null` while it is not known. */
function zeroOf({ last, report, offset, clockRate }: TrackClock): number | null {
	if (last === null || report === null) return null;
	return report.wallclockMs - ((report.rtpTime + offset) * 1000) / clockRate;
}

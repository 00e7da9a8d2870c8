import { withParameterSets } from "../codecs/parameter-sets.ts";
import { describeCodec } from "../rtp/format.ts";
import type { UnitSink } from "./sink.ts";
import type { SinkList } from "./sink-list.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";

/** Time stamps further ahead of the last ones, after the time that really passed, are a leap. */
export const MAX_AHEAD_MS = 10_000;
/** Time stamps further behind the last decoding time are a leap. Less is what a correction of clocks does. */
export const MAX_BEHIND_MS = 1000;
/** One track makes at most one break in this time; what leaps more often is noise, and is left out. */
export const BREAK_INTERVAL_MS = 1000;

type Last = { dts: number; atMs: number; breakMs: number };

/**
 * The units of one publisher on their way to the sinks: holds back what would give a sink negative or absurd durations,
 * and notes new parameter sets.
 */
export class UnitFeed {
	readonly #sinks: SinkList<UnitSink>;
	readonly #onTracks: (tracks: readonly Track[]) => void;
	#tracks: readonly Track[];
	/** By track; `dts` is `null` before the first unit. */
	readonly #last: Last[];
	/** Units that were left out, and breaks that were made. */
	dropped = 0;
	breaks = 0;

	constructor(tracks: readonly Track[], sinks: SinkList<UnitSink>, onTracks: (tracks: readonly Track[]) => void) {
		this.#tracks = tracks;
		this.#sinks = sinks;
		this.#onTracks = onTracks;
		this.#last = tracks.map(() => ({ dts: Number.NaN, atMs: 0, breakMs: Number.NEGATIVE_INFINITY }));
	}

	/** With the newest parameter sets. */
	get tracks(): readonly Track[] {
		return this.#tracks;
	}

	/** What follows does not continue what came before. */
	begin(): void {
		for (const last of this.#last) last.dts = Number.NaN;
		this.#sinks.each(begin, this.#tracks);
	}

	/**
	 * Says what becomes of a unit whose time is `time`, in ticks: it goes on, it follows a break (its caller begins
	 * anew), or it is left out.
	 */
	judge(track: number, time: number, arrivalMs: number): "continue" | "break" | "drop" {
		const last = this.#last[track];
		const clockRate = this.#tracks[track]?.clockRate;
		if (last === undefined || clockRate === undefined || !Number.isSafeInteger(time)) {
			this.dropped++;
			return "drop";
		}
		if (Number.isNaN(last.dts)) return "continue";
		const aheadMs = ((time - last.dts) * 1000) / clockRate;
		const passedMs = Math.max(0, arrivalMs - last.atMs);
		if (aheadMs >= -MAX_BEHIND_MS && aheadMs <= passedMs + MAX_AHEAD_MS) return "continue";
		if (Math.abs(arrivalMs - last.breakMs) < BREAK_INTERVAL_MS) {
			this.dropped++;
			return "drop";
		}
		last.breakMs = arrivalMs;
		this.breaks++;
		return "break";
	}

	/** Notes the parameter sets that a unit brings, and gives the track as it is now. */
	refresh(index: number, frames: readonly Uint8Array[]): Track {
		const track = this.#tracks[index];
		if (track === undefined) throw new RangeError(`There is no track ${index}`);
		const codec = withParameterSets(track.codec, frames);
		if (codec === track.codec) return track;
		const fmtp = mergedFmtp(track.rtp.fmtp, describeCodec(codec, track.clockRate)?.fmtp ?? "");
		const refreshed = { ...track, codec, rtp: { ...track.rtp, fmtp } };
		this.#tracks = this.#tracks.with(index, refreshed);
		this.#onTracks(this.#tracks);
		return refreshed;
	}

	/** Gives a unit that was judged to the sinks, with decoding times that always increase. */
	push(unit: Unit, arrivalMs: number): void {
		const last = this.#last[unit.track.index];
		if (last === undefined) throw new RangeError(`There is no track ${unit.track.index}`);
		const dts = unit.dts > last.dts || Number.isNaN(last.dts) ? unit.dts : last.dts + 1;
		last.dts = dts;
		last.atMs = arrivalMs;
		const inOrder = dts === unit.dts && unit.pts >= dts;
		this.#sinks.each(push, inOrder ? unit : { ...unit, dts, pts: Math.max(unit.pts, dts) });
	}
}

function begin(sink: UnitSink, tracks: readonly Track[]): void {
	sink.begin(tracks);
}

function push(sink: UnitSink, unit: Unit): void {
	sink.push(unit);
}

/** The parameters of `newer`, and those of `older` that it does not mention. */
function mergedFmtp(older: string, newer: string): string {
	const parameters = [...newer.split(";"), ...older.split(";")].map((text) => text.trim());
	const nameOf = (parameter: string) => parameter.split("=", 1)[0]?.toLowerCase();
	return parameters
		.filter((text, i) => text !== "" && parameters.findIndex((other) => nameOf(other) === nameOf(text)) === i)
		.join("; ");
}

import { ProtocolError, SluiceError } from "#shared/problem.ts";
import type { UnitSink } from "../stream/sink.ts";
import type { Track } from "../stream/track.ts";
import type { Unit } from "../stream/unit.ts";
import type { ArenaPool } from "./arena-pool.ts";
import type { PackagedSegment } from "./open-segment.ts";
import { ProgramTime } from "./program-time.ts";
import { SegmentLine } from "./segment-line.ts";
import { packagedKind, TrackPackager } from "./track-packager.ts";

/** A segment waits this much longer than it should last for a key frame, and is cut without one then. */
export const MAX_KEY_FRAME_WAIT_MS = 30_000;
/** A track that is this far behind the leading one is no longer waited for. What it brings later goes into later segments. */
export const MAX_LAG_MS = 3_000;
/** When the leading track is silent while another goes on for this long, the other one leads. */
export const MAX_LEADER_SILENCE_MS = 10_000;
/** After a silence of all tracks as long as this, the stream begins anew. */
export const MAX_SILENCE_MS = 10_000;
/** No sample lasts longer: more than the longest segment and any silence that is bridged. */
export const MAX_SAMPLE_MS = 120_000;
/** What a stream may hold that has not left as a segment. When it is more, segments are cut where they stand. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** As many as a timeline record takes. */
export const MAX_RENDITIONS = 32;
/** Presentation times farther from zero, in milliseconds (31 years), are not believed: in ticks they would not be exact. */
export const MAX_TIME_MS = 1e12;

export type PackagerOptions = {
	readonly segmentDurationMs: number;
	readonly pool: ArenaPool;
	/** Takes a segment; called in order. Must not throw. */
	readonly onSegment: (segment: PackagedSegment) => void;
	/** A track that is left out, and why, as a sentence for a person. */
	readonly onSkippedTrack: (track: Track, reason: string) => void;
	/** A segment has lasted as long as it should, and needs a key frame of a track to end. May be called often. */
	readonly onKeyFrameNeeded: (track: number) => void;
	/** `media.unsupported`: no track of the publisher can be packaged. */
	readonly onProblem: (problem: SluiceError) => void;
};

/** When a unit or frame is to be decoded and shown, and what may be done there. */
type Moment = {
	readonly timeMs: number;
	readonly dts: number;
	readonly wallclockMs: number;
	readonly randomAccess: boolean;
	/** Its part needs another init segment than the one before. */
	readonly changed: boolean;
};

/**
 * Makes HLS segments of a stream's units: fragmented MP4, one rendition for each track, all cut at the same moments.
 * One track leads, video if there is any: its key frames are where segments begin. The README tells the rules.
 */
export class Packager implements UnitSink {
	readonly #options: PackagerOptions;
	readonly #programTime = new ProgramTime();
	/** By track; `null` for those that are left out. */
	#byTrack: readonly (TrackPackager | null)[] = [];
	#tracks: readonly TrackPackager[] = [];
	/** The first video, or the first audio when there is none. */
	#preferred: TrackPackager | null = null;
	#leader: TrackPackager | null = null;
	#leaderUnits = 0;
	/** `null` until the first segment begins. */
	#line: SegmentLine | null = null;
	#newestMs = Number.NaN;
	/** The next segment does not continue the one before. */
	#broken = false;
	/** Where the line before ended. */
	#continues = { timelineEndMs: 0, sequence: 0 };

	constructor(options: PackagerOptions) {
		this.#options = options;
	}

	/** What all that has not left as a segment costs in memory. */
	get heldBytes(): number {
		if (this.#line !== null) return this.#line.heldBytes;
		return this.#tracks.reduce((sum, track) => sum + track.builder.held, 0);
	}

	begin(tracks: readonly Track[]): void {
		this.#restart();
		const counts = { video: 0, audio: 0 };
		this.#byTrack = tracks.map((track) => {
			const packager = this.#packagerOf(track, counts);
			if (packager !== null) counts[packager.kind]++;
			return packager;
		});
		this.#tracks = this.#byTrack.filter((track) => track !== null);
		this.#preferred = this.#tracks.find(({ kind }) => kind === "video") ?? this.#tracks[0] ?? null;
		this.#leader = this.#preferred;
		if (this.#tracks.length === 0) {
			const names = tracks.map(({ codec, rtp }) => (codec.name === "Generic" ? rtp.encoding : codec.name)).join(", ");
			const message = `HLS carries none of the tracks (${names}); publish H264, H265, VP9, AV1, AAC or Opus`;
			this.#options.onProblem(new ProtocolError("media.unsupported", message));
		}
	}

	push(unit: Unit): void {
		const track = this.#byTrack[unit.track.index];
		if (track === null || track === undefined) return;
		if (track.kind === "video") this.#pushPicture(track, unit);
		else this.#pushFrames(track, unit);
		if (this.heldBytes > MAX_HELD_BYTES) this.#relieve(unit.wallclockMs - track.msOf(unit.pts));
	}

	pause(): void {
		this.#restart();
	}

	end(_reason: SluiceError): void {
		this.#restart();
		this.#byTrack = [];
		this.#tracks = [];
	}

	#packagerOf(track: Track, counts: Readonly<Record<"video" | "audio", number>>): TrackPackager | null {
		try {
			if (counts.video + counts.audio === MAX_RENDITIONS) {
				throw new ProtocolError("media.unsupported", `There are ${MAX_RENDITIONS} renditions already`);
			}
			const kind = packagedKind(track);
			return new TrackPackager(`${kind[0]}${counts[kind]}`, kind, track, this.#options.pool);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			this.#options.onSkippedTrack(track, error.message);
			return null;
		}
	}

	#pushPicture(track: TrackPackager, { track: { codec }, pts, dts, wallclockMs, randomAccess, frames }: Unit): void {
		// Parameter sets count from a key frame on.
		const format = randomAccess ? track.formatWith(codec) : track.format;
		if (format === null) return;
		const changed = format !== track.format && track.format !== null;
		if (!this.#admit(track, { timeMs: track.msOf(pts), dts, wallclockMs, randomAccess, changed })) return;
		if (randomAccess) track.adopt(codec, format);
		track.builder.addPicture(track.codec, frames, pts, dts, randomAccess);
	}

	#pushFrames(track: TrackPackager, { pts, wallclockMs, frames }: Unit): void {
		let time = pts;
		for (const frame of frames) {
			const ticks = track.frameTicks?.(frame) ?? 0;
			if (ticks === 0) continue;
			const timeMs = track.msOf(time);
			const captured = wallclockMs + track.msOf(time - pts);
			const moment = { timeMs, dts: time, wallclockMs: captured, randomAccess: true, changed: false };
			if (this.#admit(track, moment)) track.builder.addFrame(frame, time, ticks);
			time += ticks;
		}
	}

	/** Makes way for what is to be added to a track. `false` if it is to be left out. */
	#admit(track: TrackPackager, moment: Moment): boolean {
		const { timeMs, randomAccess } = moment;
		if (!(Math.abs(timeMs) <= MAX_TIME_MS)) return false;
		if (this.#isBreak(track, timeMs)) this.#restart();
		if (track.waiting && !randomAccess) return false;
		if (this.#line !== null && timeMs < this.#line.firstMs) {
			// Sound of before the first picture, or pictures that need ones of before it. What needs this is of no use either.
			if (randomAccess) track.waiting = true;
			return false;
		}
		track.waiting = false;
		track.idle = false;
		if (randomAccess) this.#line?.reach(track, timeMs, moment.dts);
		const leads = track === this.#leader || (track === this.#preferred && this.#canTakeOver(moment));
		if (leads) this.#lead(track, moment);
		else this.#follow(track, moment);
		track.newestMs = maxOf(track.newestMs, timeMs);
		this.#newestMs = maxOf(this.#newestMs, timeMs);
		return true;
	}

	/** Time leaps: all were silent, or the sample that the track holds would last for ever. */
	#isBreak(track: TrackPackager, timeMs: number): boolean {
		const silenceMs = timeMs - track.newestMs;
		if (silenceMs > MAX_SAMPLE_MS && track.builder.count > 0) return true;
		return silenceMs > MAX_SILENCE_MS && timeMs - this.#newestMs > MAX_SILENCE_MS;
	}

	/** The track that should lead comes back with a key frame, and not out of the past. */
	#canTakeOver({ timeMs, randomAccess }: Moment): boolean {
		return randomAccess && (this.#line === null || timeMs > this.#line.beginMs);
	}

	#lead(track: TrackPackager, moment: Moment): void {
		const { timeMs, randomAccess, changed, dts, wallclockMs } = moment;
		const returns = track !== this.#leader;
		this.#leader = track;
		this.#leaderUnits++;
		const line = this.#line;
		if (line === null) {
			this.#open(timeMs, track.msOf(dts), wallclockMs);
			return;
		}
		const lastedMs = timeMs - line.beginMs;
		const wantedMs = this.#options.segmentDurationMs;
		// The frame that is nearest to the wanted duration, for time stamps jitter.
		const due = randomAccess && lastedMs >= wantedMs - track.msOf(track.builder.lastTicks) / 2;
		const overdue = lastedMs >= wantedMs + MAX_KEY_FRAME_WAIT_MS;
		if (returns || changed || due || overdue) this.#cut(track, moment);
		else if (!randomAccess && lastedMs >= wantedMs) this.#options.onKeyFrameNeeded(track.index);
		line.settle(timeMs - MAX_LAG_MS);
	}

	#follow(track: TrackPackager, moment: Moment): void {
		const { timeMs } = moment;
		if (track.leaderUnits !== this.#leaderUnits) {
			track.leaderUnits = this.#leaderUnits;
			track.sinceMs = timeMs;
		} else if (timeMs - track.sinceMs >= MAX_LEADER_SILENCE_MS) {
			this.#takeOver(track, moment);
		}
		if (!moment.changed) return;
		if (this.#line === null) track.builder.discard(track.builder.count);
		else this.#cut(track, moment);
	}

	/** Lets a track lead from the first sample that it holds, and makes up for the cuts that the leader missed. */
	#takeOver(track: TrackPackager, { timeMs, dts, wallclockMs }: Moment): void {
		if (this.#leader !== null) this.#leader.idle = true;
		this.#leader = track;
		this.#leaderUnits++;
		const first = track.builder.first;
		const firstMs = first === undefined ? timeMs : track.msOf(first.pts);
		if (this.#line === null) {
			const firstDtsMs = first === undefined ? track.msOf(dts) : track.msOf(first.dts);
			this.#open(firstMs, firstDtsMs, wallclockMs - (timeMs - firstMs));
		}
		const line = this.#line;
		if (line === null) return;
		const wantedMs = this.#options.segmentDurationMs;
		for (;;) {
			const atMs = Math.max(line.beginMs + wantedMs, firstMs);
			if (atMs > timeMs) break;
			const startMs = this.#programTime.at(atMs, wallclockMs - (timeMs - atMs));
			line.cut(atMs, { startMs, discontinuity: false, by: null });
		}
		line.reach(track, timeMs, dts);
	}

	/** Begins the first segment of a line. */
	#open(beginMs: number, dtsMs: number, wallclockMs: number): void {
		this.#programTime.restart();
		const startMs = this.#programTime.at(beginMs, wallclockMs);
		const begin = { beginMs, dtsMs, startMs, discontinuity: this.#broken };
		this.#line = new SegmentLine(this.#tracks, begin, this.#continues, this.#options.onSegment);
		this.#broken = false;
	}

	/** Ends the newest segment where `track` is. */
	#cut(track: TrackPackager, { timeMs, dts, wallclockMs, changed }: Moment): void {
		const line = this.#line;
		if (line === null) return;
		// A part has one init segment.
		if (changed && !line.isAtHead(track)) line.settle(Number.POSITIVE_INFINITY);
		if (changed) this.#programTime.restart();
		const startMs = this.#programTime.at(timeMs, wallclockMs);
		line.cut(Math.max(timeMs, line.beginMs), { startMs, discontinuity: changed, by: { track, dts } });
	}

	/** Lets go of all that is held, because it is too much. `distanceMs` is from media time to wall-clock time. */
	#relieve(distanceMs: number): void {
		const line = this.#line;
		if (line === null) {
			this.#restart();
			return;
		}
		const atMs = Math.max(line.beginMs, this.#newestMs);
		const startMs = this.#programTime.at(atMs, atMs + distanceMs);
		line.cut(atMs, { startMs, discontinuity: false, by: null });
		line.settle(Number.POSITIVE_INFINITY);
	}

	/** Finishes what was begun. What comes next does not continue it. */
	#restart(): void {
		const line = this.#line;
		if (line !== null) {
			line.finish();
			this.#continues = { timelineEndMs: line.timelineEndMs, sequence: line.sequence };
			this.#broken = true;
		}
		this.#line = null;
		this.#newestMs = Number.NaN;
		this.#leader = this.#preferred;
		for (const track of this.#tracks) track.restart();
	}
}

function maxOf(a: number, b: number): number {
	return a > b ? a : b;
}

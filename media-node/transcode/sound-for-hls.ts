import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import { writeAudioSpecificConfig } from "../codecs/aac.ts";
import { type FrameTicks, frameTicksOf } from "../codecs/audio-duration.ts";
import type { Codec } from "../codecs/codec.ts";
import { describeCodec } from "../rtp/format.ts";
import type { UnitSink } from "../stream/sink.ts";
import type { Track } from "../stream/track.ts";
import type { Unit } from "../stream/unit.ts";
import { OUTPUT_CLOCK_RATE, outputChannels } from "./ffmpeg-arguments.ts";
import { transcodeInputOf } from "./transcode-input.ts";
import type { OpenTranscoder, Transcoders } from "./transcoders.ts";

export type SoundForHlsOptions = {
	readonly path: PathName;
	readonly config: Pick<PathConfig, "audioTranscode" | "hlsAudio">;
	readonly transcoders: Transcoders;
	/** Says whether a track is packaged as it is. */
	readonly isPackaged: (track: Track) => boolean;
};

/** One track of sound on its way into AAC. */
type Lane = {
	/** What the publisher sends. */
	readonly source: Track;
	/** What the packager is told. */
	readonly track: Track;
	readonly transcoder: OpenTranscoder;
	readonly frameTicks: FrameTicks;
	/** Wall-clock time less time in the stream, of the newest unit, in milliseconds. */
	distanceMs: number;
	/** Time of the newest packet that came out. */
	last: number;
};

/**
 * Gives a packager the units of a stream, with sound in AAC where it cannot take the codec, or the path wants AAC. All
 * else goes through as it comes. Sound that was transcoded comes some 50 ms later, with its own times.
 */
export class SoundForHls implements UnitSink, Disposable {
	readonly #sink: UnitSink;
	readonly #options: SoundForHlsOptions;
	/** By track; `null` for those that go through. */
	#lanes: readonly (Lane | null)[] = [];

	constructor(sink: UnitSink, options: SoundForHlsOptions) {
		this.#sink = sink;
		this.#options = options;
	}

	begin(tracks: readonly Track[]): void {
		const before = this.#lanes;
		this.#lanes = tracks.map((track, i) => continued(before[i] ?? null, track) ?? this.#laneOf(track));
		for (const lane of before) if (!this.#lanes.includes(lane)) void lane?.transcoder.close();
		this.#sink.begin(tracks.map((track, i) => this.#lanes[i]?.track ?? track));
	}

	push(unit: Unit): void {
		const lane = this.#lanes[unit.track.index] ?? null;
		if (lane === null) {
			this.#sink.push(unit);
			return;
		}
		let time = unit.pts;
		lane.distanceMs = unit.wallclockMs - (time * 1000) / unit.track.clockRate;
		for (const frame of unit.frames) {
			lane.transcoder.push(time, frame);
			time += lane.frameTicks(frame);
		}
	}

	pause(): void {
		for (const lane of this.#lanes) lane?.transcoder.restart();
		this.#sink.pause();
	}

	end(reason: SluiceError): void {
		this[Symbol.dispose]();
		this.#sink.end(reason);
	}

	/** Ends the programs, without a word to the packager. Idempotent. */
	[Symbol.dispose](): void {
		for (const lane of this.#lanes) void lane?.transcoder.close();
		this.#lanes = [];
	}

	#laneOf(source: Track): Lane | null {
		const { path, config, transcoders, isPackaged } = this.#options;
		const isWanted = !isPackaged(source) || (config.hlsAudio === "aac" && source.codec.name === "Opus");
		if (source.kind !== "audio" || !config.audioTranscode || !isWanted || !transcoders.canTake(source)) return null;
		const input = transcodeInputOf(source.codec, source.clockRate);
		const frameTicks = frameTicksOf(source.codec, source.clockRate);
		if (input === null || frameTicks === null) return null;
		const onPacket = (time48k: number, bytes: Uint8Array) => this.#give(lane, time48k, bytes);
		const transcoder = transcoders.open({ path, track: source, to: "AAC", reader: "HLS", onPacket });
		if (transcoder === null) return null;
		const track = inAac(source, outputChannels(input));
		const lane: Lane = { source, track, transcoder, frameTicks, distanceMs: 0, last: Number.NEGATIVE_INFINITY };
		return lane;
	}

	#give(lane: Lane, time48k: number, frame: Uint8Array): void {
		// An encoder begins before its input, with nothing. What comes out of a new one may overlap the end of the old.
		if (time48k < 0 || time48k <= lane.last || !this.#lanes.includes(lane)) return;
		lane.last = time48k;
		const wallclockMs = lane.distanceMs + (time48k * 1000) / OUTPUT_CLOCK_RATE;
		const { track } = lane;
		this.#sink.push({ track, pts: time48k, dts: time48k, wallclockMs, randomAccess: true, frames: [frame] });
	}
}

/** The lane of a track that goes on behind a break; `null` when it is another track. */
function continued(lane: Lane | null, track: Track): Lane | null {
	if (lane === null || lane.source.codec !== track.codec || lane.source.clockRate !== track.clockRate) return null;
	lane.transcoder.restart();
	lane.last = Number.NEGATIVE_INFINITY;
	return lane;
}

function inAac(track: Track, channels: 1 | 2): Track {
	const config = writeAudioSpecificConfig({ sampleRate: OUTPUT_CLOCK_RATE, channels });
	const codec: Codec = { name: "MPEG-4 Audio", config };
	const rtp = { ...track.rtp, ...describeCodec(codec, OUTPUT_CLOCK_RATE) };
	return { ...track, codec, clockRate: OUTPUT_CLOCK_RATE, rtp };
}

import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type { Numbering, ReadableStreamOfPath } from "../stream/publication.ts";
import type { Track } from "../stream/track.ts";
import { DerivedSound } from "./derived-sound.ts";
import { outputChannels } from "./ffmpeg-arguments.ts";
import { transcodeInputOf } from "./transcode-input.ts";
import type { Transcoders } from "./transcoders.ts";

export type SoundInOpusOptions = {
	readonly transcoders: Transcoders;
	readonly clock: Clock;
	readonly log: Logger;
	/** The settings of a path, as they are now; without it, every path has sound made. */
	readonly configOf?: (path: PathName) => Pick<PathConfig, "audioTranscode"> | null;
};

/** Sound in Opus of the streams of a node, for readers that take nothing else. One for each stream, whoever reads it. */
export class SoundInOpus implements AsyncDisposable {
	readonly #options: SoundInOpusOptions;
	/** Those of streams that are gone are so as well. */
	readonly #derived = new WeakMap<Numbering, DerivedSound>();
	readonly #running = new Set<DerivedSound>();
	#isClosed = false;

	constructor(options: SoundInOpusOptions) {
		this.#options = options;
	}

	/**
	 * The sound of a stream in Opus, as a stream with that one track; `null` when it has Opus or no sound already, the
	 * codec cannot be decoded, the path's settings say so, or there is no program to do it.
	 */
	opusOf(stream: ReadableStreamOfPath): ReadableStreamOfPath | null {
		const { transcoders, clock, log, configOf } = this.#options;
		const track = trackOf(stream.tracks);
		if (this.#isClosed || track === null || !transcoders.canTake(track)) return null;
		if (configOf?.(stream.path)?.audioTranscode === false) return null;
		const known = this.#derived.get(stream.numbering);
		if (known !== undefined) return known;
		const input = transcodeInputOf(track.codec, track.clockRate);
		if (input === null) return null;
		const { numbering } = stream;
		const channels = outputChannels(input);
		const derived: DerivedSound = new DerivedSound({
			...{ source: stream, track, channels, transcoders, clock, log },
			onRun: (isRunning) => void (isRunning ? this.#running.add(derived) : this.#running.delete(derived)),
			onEnd: () => void this.#derived.delete(numbering),
		});
		this.#derived.set(numbering, derived);
		return derived;
	}

	/** Ends all readers, and resolves when no program runs for them. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#isClosed = true;
		const reason = new GoneError("stream.ended", "The node stops");
		await Promise.all([...this.#running].map((derived) => derived.end(reason)));
	}
}

/** The first track of sound, unless there is one that needs nothing done. */
function trackOf(tracks: readonly Track[]): Track | null {
	const sound = tracks.filter(({ kind }) => kind === "audio");
	if (sound.some(({ codec }) => codec.name === "Opus" && codec.channels <= 2)) return null;
	return sound[0] ?? null;
}

import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { frameTicksOf } from "../codecs/audio-duration.ts";
import type { Logger } from "../log.ts";
import type { Track } from "../stream/track.ts";
import { AudioTranscoder, type TranscodeCounters } from "./audio-transcoder.ts";
import { Ffmpeg } from "./ffmpeg.ts";
import type { TargetCodec } from "./ffmpeg-arguments.ts";
import { transcodeInputOf } from "./transcode-input.ts";

/** As many programs may run at once: each takes some 2 % of a core, and some 30 MB. */
export const MAX_TRANSCODERS = 500;

export type TranscodersOptions = {
	readonly clock: Clock;
	readonly log: Logger;
	/** Name or path of ffmpeg, as it is configured now. */
	readonly program: () => string;
};

export type TranscodeRequest = {
	readonly path: PathName;
	readonly track: Pick<Track, "codec" | "clockRate">;
	readonly to: TargetCodec;
	/** What for, as the log calls it: `WebRTC`. */
	readonly reader: string;
	readonly onPacket: (time48k: number, bytes: Uint8Array) => void;
};

/** A transcoder that runs, for metrics. Plain data. */
export type TranscodeSnapshot = Readonly<TranscodeCounters> & {
	readonly path: PathName;
	readonly from: string;
	readonly to: TargetCodec;
	/** CPU time of the program that runs now. */
	readonly cpuSeconds: number;
};

/** A transcoder that somebody has open. */
export type OpenTranscoder = {
	push(ticks: number, frame: Uint8Array): void;
	/** What was begun ends; what follows begins anew. */
	restart(): void;
	/** Resolves when its program is gone. Idempotent. */
	close(): Promise<void>;
};

/** All sound of a node that is made into another codec. */
export class Transcoders implements AsyncDisposable {
	readonly #options: TranscodersOptions;
	readonly #ffmpeg: Ffmpeg;
	readonly #running = new Map<AudioTranscoder, Pick<TranscodeSnapshot, "path" | "from" | "to">>();
	/** Those that end. */
	readonly #closing = new Set<Promise<void>>();
	#isClosed = false;

	constructor(options: TranscodersOptions) {
		this.#options = options;
		this.#ffmpeg = new Ffmpeg(options);
	}

	/** Sound of this codec can be decoded, and the program was not found to be missing. */
	canTake({ codec, clockRate }: Pick<Track, "codec" | "clockRate">): boolean {
		return !this.#isClosed && !this.#ffmpeg.isMissing && transcodeInputOf(codec, clockRate) !== null;
	}

	/**
	 * Opens a transcoder, whose program starts with the first frame; `null` when the codec cannot be decoded, or there are
	 * {@link MAX_TRANSCODERS}.
	 */
	open({ path, track: { codec, clockRate }, to, reader, onPacket }: TranscodeRequest): OpenTranscoder | null {
		const input = this.#isClosed ? null : transcodeInputOf(codec, clockRate);
		const frameTicks = input === null ? null : frameTicksOf(codec, clockRate);
		if (input === null || frameTicks === null) return null;
		const from = codec.name;
		if (this.#running.size >= MAX_TRANSCODERS) {
			const text = `${path} has no sound for ${reader}: ${MAX_TRANSCODERS} streams have theirs transcoded already`;
			this.#options.log.warn({ path, from, to }, text);
			return null;
		}
		const { clock } = this.#options;
		const log = this.#options.log.child({ path, from, to });
		const missingWarning =
			`${path} has no sound for ${reader}, which takes ${to} and gets ${from}: install ffmpeg, name it with ffmpegPath, ` +
			"or set audioTranscode: no";
		const ffmpeg = this.#ffmpeg;
		const transcoder = new AudioTranscoder({
			...{ input, clockRate, frameTicks, to, ffmpeg, clock, log, missingWarning, onPacket },
		});
		this.#running.set(transcoder, { path, from, to });
		log.info(`Sound is made into ${to} for ${reader}`);
		let closed: Promise<void> | null = null;
		const close = async () => {
			await transcoder.close();
			this.#running.delete(transcoder);
			const { packetsIn, packetsOut, dropped, restarts } = transcoder.counters;
			log.info({ packetsIn, packetsOut, dropped, restarts }, `Sound is no longer made into ${to} for ${reader}`);
		};
		return {
			push: (ticks, frame) => transcoder.push(ticks, frame),
			restart: () => transcoder.restart(),
			close: () => {
				closed ??= this.#track(close());
				return closed;
			},
		};
	}

	/** Those that are open. */
	list(): TranscodeSnapshot[] {
		return [...this.#running].map(([transcoder, labels]) => ({
			...labels,
			...transcoder.counters,
			cpuSeconds: transcoder.cpuSeconds,
		}));
	}

	/** Process ids of the programs that run. */
	get pids(): number[] {
		return [...this.#running.keys()].flatMap(({ pid }) => pid ?? []);
	}

	/** Ends all programs, and resolves when they are gone. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#isClosed = true;
		for (const transcoder of this.#running.keys()) void this.#track(transcoder.close());
		await Promise.all(this.#closing);
		this.#running.clear();
	}

	#track(closing: Promise<void>): Promise<void> {
		const tracked = closing.finally(() => this.#closing.delete(tracked));
		this.#closing.add(tracked);
		return tracked;
	}
}

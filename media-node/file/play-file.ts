import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { ProtocolError, SluiceError } from "#shared/problem.ts";
import type { Publication } from "../stream/publication.ts";
import type { Track } from "../stream/track.ts";
import { openByteSource } from "./byte-source.ts";
import type { MediaSource } from "./media-source.ts";
import { openMedia } from "./open-media.ts";
import { Timeline } from "./timeline.ts";

export type PlayFileOptions = {
	readonly file: string;
	readonly signal: AbortSignal;
	readonly clock: Clock;
	/** Begin again at the end; else the file is played once. */
	readonly loop?: boolean;
	/** Asked for once, before the first unit. */
	readonly publish: (tracks: readonly Omit<Track, "index">[]) => Promise<Publication>;
};

/** Who is late by more goes on from now, instead of sending what was missed at once. */
const MAX_LATE_MS = 2_000;
/** After so many units without a timer, others get their turn: a damaged file may have any number at one time. */
const MAX_HURRIED = 256;

/**
 * Plays an MP4, MPEG-TS, H.264 or H.265 file as a camera would: in real time, again and again without a seam. It ends
 * when the file does and is not to be repeated. The publication is closed in any case.
 *
 * @throws InputError `input.invalid`: the file is not there, or is of no kind that is played
 * @throws ProtocolError `bytes.malformed`, `bytes.truncated`, `bytes.limit`, `media.unsupported`: the file is damaged, or
 * has no codec that is supported
 * @throws GoneError `aborted` when `signal` fires
 */
export async function playFile({ file, signal, clock, loop = true, publish }: PlayFileOptions): Promise<void> {
	await using bytes = await openByteSource(file);
	const media = await openMedia(bytes, file).catch((error: unknown) => {
		throw named(file, error);
	});
	await playMedia({ media, name: file, signal, clock, loop, publish });
}

export type PlayMediaOptions = Omit<PlayFileOptions, "file"> & {
	readonly media: MediaSource;
	/** Of the file, for what is thrown. */
	readonly name: string;
};

/**
 * Plays what was opened, as {@link playFile} does.
 *
 * @throws ProtocolError, GoneError as `playFile`
 */
export async function playMedia({ media, name, signal, clock, loop = true, publish }: PlayMediaOptions): Promise<void> {
	throwIfAborted(signal);
	const publication = await publish(media.tracks);
	try {
		const player = new Player(media, publication, clock, signal);
		do {
			const count = await player.playOnce();
			throwIfAborted(signal);
			if (count === 0) throw new ProtocolError("bytes.malformed", `${name} has no picture or sound that is whole`);
		} while (loop);
		publication.close();
	} catch (thrown) {
		const error = named(name, thrown);
		publication.close(error instanceof SluiceError ? error : undefined);
		throw error;
	}
}

/** What a parser throws does not know of which file it is. */
function named(file: string, error: unknown): unknown {
	if (!(error instanceof ProtocolError) || error.message.includes(file)) return error;
	// A ProtocolError was made with a code of its kind.
	const code = error.code as ConstructorParameters<typeof ProtocolError>[0];
	return new ProtocolError(code, `Cannot play ${file}: ${error.message}`, { data: error.data, cause: error });
}

class Player {
	readonly #media: MediaSource;
	readonly #publication: Publication;
	readonly #clock: Clock;
	readonly #signal: AbortSignal;
	readonly #timeline: Timeline;
	/** When the time line's 0 is or was, by both clocks; `null` before the first unit. */
	#start: { readonly monotonicMs: number; readonly wallclockMs: number } | null = null;

	/** Units since the last timer. */
	#hurried = 0;

	constructor(media: MediaSource, publication: Publication, clock: Clock, signal: AbortSignal) {
		this.#media = media;
		this.#publication = publication;
		this.#clock = clock;
		this.#signal = signal;
		this.#timeline = new Timeline(media.tracks.map(({ clockRate }) => clockRate));
	}

	/** Plays the file from beginning to end and gives the number of its units. */
	async playOnce(): Promise<number> {
		let count = 0;
		for await (const unit of this.#media.units(this.#signal)) {
			throwIfAborted(this.#signal);
			const placed = this.#timeline.place(unit);
			const track = this.#media.tracks[unit.trackIndex];
			if (placed === null || track === undefined) continue;
			const start = await this.#wait(placed.seconds * 1000);
			this.#publication.writeUnit(unit.trackIndex, {
				pts: placed.pts,
				dts: placed.dts,
				wallclockMs: start + (placed.pts * 1000) / track.clockRate,
				randomAccess: unit.randomAccess,
				frames: unit.frames,
			});
			count++;
		}
		this.#publication.flush();
		this.#timeline.endPass();
		return count;
	}

	/** Waits until `ms` of the time line, and gives the wall-clock time of its 0. */
	async #wait(ms: number): Promise<number> {
		if (++this.#hurried === MAX_HURRIED) await this.#sleep(0);
		const early = this.#start === null ? 0 : this.#start.monotonicMs + ms - this.#clock.monotonic();
		if (this.#start === null || early < -MAX_LATE_MS) {
			this.#start = { monotonicMs: this.#clock.monotonic() - ms, wallclockMs: this.#clock.now() - ms };
		} else if (early >= 1) {
			await this.#sleep(early);
		}
		return this.#start.wallclockMs;
	}

	async #sleep(ms: number): Promise<void> {
		this.#hurried = 0;
		this.#publication.flush();
		await this.#clock.sleep(ms, this.#signal);
	}
}

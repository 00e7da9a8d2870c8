import { ByteWriter } from "../bytes/byte-writer.ts";
import type { Codec } from "../codecs/codec.ts";
import { type FragmentSample, writeFragmentHeader } from "../mp4/fragment.ts";
import type { ArenaPool } from "./arena-pool.ts";
import { appendPicture } from "./picture.ts";
import { SegmentArena } from "./segment-arena.ts";

/** What a sample costs besides its bytes, when memory is counted. */
const SAMPLE_OVERHEAD_BYTES = 128;
/** A decoding time farther from the presentation time than any reordering is not believed. */
const MAX_COMPOSITION_SECONDS = 10;
/** What the first part of a track is expected to need; later ones are expected to be like the one before. */
const FIRST_HEADROOM_BYTES = 2048;
const FIRST_PAYLOAD_BYTES = 64 * 1024;

/** One rendition's part of a segment, in an arena. */
export type BuiltPart = {
	readonly bytes: Uint8Array;
	/** In ticks. */
	readonly duration: number;
	readonly samples: number;
	/** When it ends, on the clock of the samples. */
	readonly end: number;
	/** What it costs in memory. */
	readonly held: number;
	readonly release: () => void;
};

export type PartBuilderOptions = {
	readonly pool: ArenaPool;
	readonly kind: "video" | "audio";
	readonly clockRate: number;
	/** How long a sample lasts that none follows, in ticks, if its predecessor does not tell. */
	readonly usualTicks: number;
};

type Sample = FragmentSample & {
	/** Of its bytes, among those of the part. */
	readonly offset: number;
	/** How long it lasts if none follows, in ticks; 0: as its predecessor. */
	readonly ticks: number;
};

/** Gathers the samples of one track and makes parts of them. Times are in ticks of the track's clock. */
export class PartBuilder {
	readonly #options: PartBuilderOptions;
	readonly #header = new ByteWriter(FIRST_HEADROOM_BYTES);
	#samples: Sample[] = [];
	#arena: SegmentArena | null = null;
	#headroom = FIRST_HEADROOM_BYTES;
	#payload = FIRST_PAYLOAD_BYTES;
	/** Decoding times below this are taken. */
	#earliest = Number.NEGATIVE_INFINITY;

	constructor(options: PartBuilderOptions) {
		this.#options = options;
	}

	/** Samples that wait for their part to end. */
	get count(): number {
		return this.#samples.length;
	}

	/** What they cost in memory. */
	get held(): number {
		return (this.#arena?.length ?? 0) + this.#samples.length * SAMPLE_OVERHEAD_BYTES;
	}

	/** The first sample that waits. */
	get first(): FragmentSample | undefined {
		return this.#samples[0];
	}

	/** How long the newest sample but one lasted. */
	get lastTicks(): number {
		const before = this.#samples.at(-2);
		const last = this.#samples.at(-1);
		return before === undefined || last === undefined ? this.#options.usualTicks : last.dts - before.dts;
	}

	/** Takes all decoding times before `time`. */
	notBefore(time: number): void {
		this.#earliest = Math.max(this.#earliest, time);
	}

	/** Drops all samples, and forgets which decoding times are taken. */
	restart(): void {
		this.discard(this.count);
		this.#earliest = Number.NEGATIVE_INFINITY;
	}

	/** Adds an access unit of video. `false` when there is nothing to show in it. */
	addPicture(codec: Codec, nals: readonly Uint8Array[], pts: number, dts: number, sync: boolean): boolean {
		const arena = this.#writable();
		const offset = arena.length;
		if (!appendPicture(arena, codec, nals)) return false;
		const believable = Math.abs(pts - dts) <= MAX_COMPOSITION_SECONDS * this.#options.clockRate;
		const size = arena.length - offset;
		this.#samples.push({ dts: this.#occupy(believable ? dts : pts), pts, size, sync, offset, ticks: 0 });
		return true;
	}

	/** Adds a frame of audio that lasts `ticks`. */
	addFrame(frame: Uint8Array, time: number, ticks: number): void {
		const arena = this.#writable();
		const offset = arena.length;
		arena.append(frame);
		const dts = this.#occupy(time);
		this.#samples.push({ dts, pts: dts, size: frame.length, sync: true, offset, ticks });
	}

	/** The number of samples before the first one at or after `pts` where a decoder can begin; -1 if there is none. */
	countBefore(pts: number): number {
		return this.#samples.findIndex((sample) => sample.sync && sample.pts >= pts);
	}

	/** Drops the first `count` samples. */
	discard(count: number): void {
		const { arena } = this.#takeFirst(count);
		arena?.release();
	}

	/**
	 * Makes a part of the first `count` samples; `null` if there are none. `next` is the decoding time of what comes
	 * behind them, if it is known. `shift` is what times on the timeline are greater by.
	 */
	build(count: number, sequence: number, shift: number, next: number | null): BuiltPart | null {
		const behind = this.#samples[count]?.dts ?? next;
		const { samples, arena } = this.#takeFirst(count);
		const first = samples[0];
		const last = samples.at(-1);
		if (arena === null || first === undefined || last === undefined) return null;
		const end = behind !== null && behind > last.dts ? behind : last.dts + this.#guess(samples, last);
		this.#earliest = Math.max(this.#earliest, end);
		const header = this.#header;
		header.reset();
		const decodeTime = first.dts + shift;
		writeFragmentHeader(header, { kind: this.#options.kind, sequence, decodeTime, samples, end });
		const held = arena.length + samples.length * SAMPLE_OVERHEAD_BYTES;
		this.#headroom = header.length + (header.length >> 2);
		this.#payload = arena.length + (arena.length >> 3);
		return {
			bytes: arena.finish(header.written),
			duration: end - first.dts,
			samples: samples.length,
			end,
			held,
			release: () => arena.release(),
		};
	}

	/** Takes the first `count` samples with their arena; those behind them move to another one. */
	#takeFirst(count: number): { samples: Sample[]; arena: SegmentArena | null } {
		const arena = this.#arena;
		if (count === 0 || arena === null) return { samples: [], arena: null };
		const samples = this.#samples;
		const rest = samples.splice(count);
		const cut = rest[0]?.offset;
		this.#samples = [];
		this.#arena = null;
		if (cut !== undefined) {
			this.#writable().append(arena.from(cut));
			for (const sample of rest) this.#samples.push({ ...sample, offset: sample.offset - cut });
			arena.truncate(cut);
		}
		return { samples, arena };
	}

	#writable(): SegmentArena {
		this.#arena ??= new SegmentArena(this.#options.pool, this.#headroom, this.#payload);
		return this.#arena;
	}

	/** Takes a decoding time, or the next free one. */
	#occupy(time: number): number {
		const dts = Math.max(time, this.#earliest);
		this.#earliest = dts + 1;
		return dts;
	}

	/** How long the last sample lasts when what follows is not known. */
	#guess(samples: readonly Sample[], last: Sample): number {
		if (last.ticks > 0) return last.ticks;
		const before = samples.at(-2);
		return before === undefined ? this.#options.usualTicks : last.dts - before.dts;
	}
}

import { hasCode, ProtocolError } from "#shared/problem.ts";
import { type FrameTicks, frameTicksOf } from "../codecs/audio-duration.ts";
import type { Codec, CodecName } from "../codecs/codec.ts";
import { OPUS_CLOCK_RATE } from "../codecs/opus.ts";
import type { Track } from "../stream/track.ts";
import type { ArenaPool } from "./arena-pool.ts";
import type { OpenSegment } from "./open-segment.ts";
import { PartBuilder } from "./part-builder.ts";
import { type RenditionFormat, renditionFormatOf, withFrameRate } from "./rendition-format.ts";

/** For the last frame of a video whose rate nobody knows. */
const USUAL_FRAME_RATE = 30;

/** Ticks of slower clocks cannot tell frames apart; times in ticks of faster ones do not fit the fields of a segment. */
export const MIN_CLOCK_RATE = 1000;
export const MAX_CLOCK_RATE = 1_000_000;

const CARRIED_VIDEO: readonly CodecName[] = ["H264", "H265", "VP9", "AV1"];

/**
 * The kind of a track's rendition.
 *
 * @throws ProtocolError `media.unsupported`: there can be no rendition of it
 */
export function packagedKind({ kind, codec, clockRate }: Track): "video" | "audio" {
	if (kind === "application") throw unsupported("It is neither video nor audio");
	const shows = CARRIED_VIDEO.includes(codec.name);
	const sounds = codec.name === "MPEG-4 Audio" || codec.name === "Opus";
	if (!shows && !sounds) {
		const carried = kind === "video" ? "H264, H265, VP9 or AV1" : "AAC or Opus";
		throw unsupported(`${codec.name} is not carried in HLS; publish ${carried}`);
	}
	if (shows !== (kind === "video")) throw unsupported(`It is called ${kind}, but is of codec ${codec.name}`);
	// RFC 7587 §4.1: Opus counts at 48 kHz.
	const possible = codec.name === "Opus" ? clockRate === OPUS_CLOCK_RATE : isClockRate(clockRate);
	if (!possible) throw unsupported(`${codec.name} with a clock rate of ${clockRate} Hz is not supported`);
	return kind;
}

/** Says whether there can be a rendition of a track. */
export function isPackaged(track: Track): boolean {
	try {
		packagedKind(track);
		return true;
	} catch (error) {
		if (hasCode(error, "media.unsupported")) return false;
		throw error;
	}
}

function isClockRate(rate: number): boolean {
	return Number.isInteger(rate) && rate >= MIN_CLOCK_RATE && rate <= MAX_CLOCK_RATE;
}

function unsupported(message: string): ProtocolError {
	return new ProtocolError("media.unsupported", message);
}

/** One track on its way into segments: what its rendition is, and where in the line of segments it stands. */
export class TrackPackager {
	readonly id: string;
	readonly index: number;
	readonly kind: "video" | "audio";
	readonly clockRate: number;
	readonly builder: PartBuilder;
	/** Of audio. */
	readonly frameTicks: FrameTicks | null;
	#codec: Codec;
	#format: RenditionFormat | null;
	/** The segment that its samples go into; `null` before the first begins. */
	segment: OpenSegment | null = null;
	/** Nobody waits for it: it has been silent. */
	idle = false;
	/** Its next sample must be one where a decoder can begin. */
	waiting = true;
	/** The newest presentation time, in milliseconds; NaN before the first. */
	newestMs = Number.NaN;
	/** Its newest time when the leading track was last heard, and how many units that had brought by then. */
	sinceMs = Number.NaN;
	leaderUnits = -1;

	/**
	 * @throws ProtocolError the configuration of the codec is of no use
	 */
	constructor(id: string, kind: "video" | "audio", { index, codec, clockRate }: Track, pool: ArenaPool) {
		this.id = id;
		this.index = index;
		this.kind = kind;
		this.clockRate = clockRate;
		this.#codec = codec;
		this.#format = renditionFormatOf(id, codec, clockRate);
		this.frameTicks = kind === "audio" ? frameTicksOf(codec, clockRate) : null;
		const frameRate = this.#format?.rendition.frameRate ?? USUAL_FRAME_RATE;
		const usualTicks = Math.max(1, Math.round(clockRate / frameRate));
		this.builder = new PartBuilder({ pool, kind, clockRate, usualTicks });
	}

	get codec(): Codec {
		return this.#codec;
	}

	/** `null` while the parameter sets are not known. */
	get format(): RenditionFormat | null {
		return this.#format;
	}

	/** What the rendition is with the codec that a unit came with: the same object as `format` if that stays. */
	formatWith(codec: Codec): RenditionFormat | null {
		if (codec === this.#codec) return this.#format;
		const format = formatOrNull(this.id, codec, this.clockRate);
		return format === null || format.initHash === this.#format?.initHash ? this.#format : format;
	}

	/** Takes what `formatWith` gave: from here on, parts are of it. */
	adopt(codec: Codec, format: RenditionFormat | null): void {
		this.#codec = codec;
		this.#format = format;
	}

	/** Keeps the frame rate that a part had. */
	measured(samples: number, ticks: number): void {
		if (this.#format === null || samples < 2) return;
		this.#format = withFrameRate(this.#format, (samples * this.clockRate) / ticks);
	}

	msOf(ticks: number): number {
		return (ticks * 1000) / this.clockRate;
	}

	/** Forgets all samples and times: what follows does not continue them. */
	restart(): void {
		this.builder.restart();
		this.segment = null;
		this.idle = false;
		this.waiting = true;
		this.newestMs = Number.NaN;
		this.sinceMs = Number.NaN;
		this.leaderUnits = -1;
	}
}

/** Parameter sets that came under way and are of no use change nothing. */
function formatOrNull(id: string, codec: Codec, clockRate: number): RenditionFormat | null {
	try {
		return renditionFormatOf(id, codec, clockRate);
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
}

import { hasCode } from "#shared/problem.ts";
import type { Codec } from "./codec.ts";
import { parseH264Sps } from "./h264.ts";
import { parseH265Sps } from "./h265.ts";

/** The clock rate of time stamps of H.264 and H.265 in RTP: RFC 6184 §8.1, RFC 7798 §7.1. */
export const VIDEO_CLOCK_RATE = 90_000;

/** Says whether frames may be decoded in another order than they are presented in. */
export function isReordered({ name }: Codec): boolean {
	return name === "H264" || name === "H265" || name === "MPEG-4 Video" || name === "MPEG-1/2 Video";
}

/**
 * Finds decoding times, which RTP does not carry.
 *
 * An encoder that reorders by at most `n` frames stamps each frame with the presentation time of the frame that it took
 * in `n` frames before: decoding times are the presentation times in ascending order, `n` frames late. So the decoding
 * time of a frame is the `n + 1`-th largest presentation time so far. No frame that comes later changes that, as at
 * most `n` frames of those so far may still follow it in output. Unlike picture order counts, this needs no slice
 * header, and lost frames and changing frame rates do it no harm.
 */
export class DtsExtractor {
	/** The `depth + 1` largest presentation times so far, in ascending order. */
	#largest: number[] = [];
	#depth = 0;
	#frameTicks = ASSUMED_FRAME_TICKS;
	#last = Number.NEGATIVE_INFINITY;

	/** `codec` is one that {@link isReordered}. */
	constructor(codec: Codec) {
		this.configure(codec);
	}

	/** Takes new parameter sets. Those that are damaged or not there change nothing. */
	configure(codec: Codec): void {
		const order = orderOf(codec);
		if (order === null) return;
		this.#depth = order.reorderFrames;
		this.#frameTicks = order.frameTicks;
		this.#largest = this.#largest.slice(-(this.#depth + 1));
	}

	/**
	 * The decoding time of the next frame in decoding order, in ticks of 1/90000 s. It is always greater than the one
	 * before. It is at most `pts`, unless the stream reorders deeper than it says, its time goes back, or it begins with a
	 * frame that others come before: then the frame is best presented at its decoding time.
	 */
	dtsOf(pts: number): number {
		let largest = this.#largest;
		// Time went back for another reason than reordering: what came before says nothing any more.
		if (largest.length > 0 && pts < at(largest, 0) - MAX_REORDER_TICKS) largest = this.#largest = [];

		let rank = 0;
		while (rank < largest.length && at(largest, largest.length - 1 - rank) > pts) rank++;
		largest.splice(largest.length - rank, 0, pts);
		// More frames went before this one than the stream said: it is believed no longer.
		if (rank > this.#depth && rank <= MAX_REORDER_FRAMES) this.#depth = rank;
		// Before the first frames come ones that might have been.
		while (largest.length <= this.#depth) largest.unshift(at(largest, 0) - this.#frameTicks);
		if (largest.length > this.#depth + 1) largest.shift();

		this.#last = Math.max(at(largest, 0), this.#last + 1);
		return this.#last;
	}
}

/** For the first frames of a stream that does not say its frame rate. */
const ASSUMED_FRAME_TICKS = VIDEO_CLOCK_RATE / 30;
/** B-pictures wait for one picture that is presented after them. ISO 13818-2 §6.1.1.11; B-VOPs of ISO 14496-2 do, too. */
const MPEG_ORDER: Order = { reorderFrames: 1, frameTicks: ASSUMED_FRAME_TICKS };
/** `MaxDpbFrames` of ITU-T H.264 §A.3.1 and H.265 §A.4.2. */
const MAX_REORDER_FRAMES = 16;
const MAX_REORDER_TICKS = VIDEO_CLOCK_RATE * 2;

function at(list: readonly number[], index: number): number {
	return list[index] as number;
}

type Order = { readonly reorderFrames: number; readonly frameTicks: number };

/** What the parameter sets say of order and time; `null` when they are not there or damaged. */
function orderOf(codec: Codec): Order | null {
	if (codec.name === "MPEG-4 Video" || codec.name === "MPEG-1/2 Video") return MPEG_ORDER;
	if ((codec.name !== "H264" && codec.name !== "H265") || codec.sps === null) return null;
	try {
		const sps = codec.name === "H264" ? parseH264Sps(codec.sps) : parseH265Sps(codec.sps);
		const { reorderFrames, frameRate } = sps;
		const believable = frameRate !== null && frameRate >= 1 && frameRate <= 1000;
		return { reorderFrames, frameTicks: believable ? Math.round(VIDEO_CLOCK_RATE / frameRate) : ASSUMED_FRAME_TICKS };
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed")) return null;
		throw error;
	}
}

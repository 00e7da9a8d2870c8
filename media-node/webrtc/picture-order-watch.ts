import type { CodecName } from "../codecs/codec.ts";

/** Time that goes back by more is of another clock, in ticks of 1/90000 s. */
const MAX_REORDER_TICKS = 2 * 90_000;
/** One picture out of order may be a fault of its sender; so many are its habit. */
const REORDERED_PICTURES = 3;

/**
 * Notices that pictures come in another order than they are shown in (B-frames), by time stamps that go back. Slice
 * types would not tell: many encoders of H.265 send B slices in the order of output. The packets have to be in order.
 */
export class PictureOrderWatch {
	#newest = -1;
	#last = -1;
	#reordered = 0;

	/** Says `true` once, when it is sure. */
	see(timestamp: number): boolean {
		if (timestamp === this.#last) return false;
		this.#last = timestamp;
		const ahead = this.#newest === -1 ? 1 : (timestamp - this.#newest) | 0;
		if (ahead > 0 || ahead < -MAX_REORDER_TICKS) {
			this.#newest = timestamp;
			return false;
		}
		return ++this.#reordered === REORDERED_PICTURES;
	}
}

/** `null` for codecs whose pictures always come in order. */
export function watchPictureOrder({ name }: { readonly name: CodecName }): PictureOrderWatch | null {
	return name === "H264" || name === "H265" ? new PictureOrderWatch() : null;
}

/** What to tell whoever set the encoder. */
export function bFramesText(codec: CodecName): string {
	const encoder =
		codec === "H265" ? "x265: bframes=0, FFmpeg -bf 0" : "x264: --bframes 0, FFmpeg -bf 0 or -tune zerolatency";
	return (
		`The ${codec} stream has B-frames, which browsers do not play by WebRTC: pictures would jump back and forth. ` +
		`Set the encoder to send none (${encoder}; OBS: Max B-frames 0; cameras: profile Baseline, or GOP without B)`
	);
}

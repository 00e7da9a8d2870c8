import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "../../bytes/byte-reader.ts";
import type { Codec } from "../../codecs/codec.ts";
import { VIDEO_CLOCK_RATE } from "../../codecs/dts.ts";
import { audioCodecOf } from "./audio-entry.ts";
import { type Box, findBox, parseBoxes } from "./box-walk.ts";
import { videoCodecOf } from "./video-entry.ts";

/** How the bytes of a sample become frames. */
export type SampleLayout =
	/** NAL units behind lengths of so many bytes. */
	| { readonly kind: "nal"; readonly lengthBytes: number }
	/** OBUs with a size field. */
	| { readonly kind: "obu" }
	| { readonly kind: "whole" }
	/** Blocks of samples of all channels; `swapBytes`: how many to turn around for the network's order, or 0. */
	| { readonly kind: "pcm"; readonly blockBytes: number; readonly swapBytes: number };

export type SampleDescription = {
	readonly kind: "video" | "audio";
	readonly codec: Codec;
	/** Of the track's time stamps where RTP carries it. */
	readonly clockRate: number;
	readonly layout: SampleLayout;
};

/** Bytes of a sample entry before what is of its kind, ISO 14496-12 §8.5.2.2. */
const ENTRY_HEADER_BYTES = 8;
/** Bytes of a visual sample entry behind that, §12.1.3.2. */
const VISUAL_BYTES = 70;

/**
 * Parses an `stsd` box, ISO 14496-12 §8.5.2: the first entry of it. `null` for a codec that is not carried further.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`
 */
export function parseSampleDescription(stsd: Uint8Array, handler: string): SampleDescription | null {
	const r = new ByteReader(stsd);
	r.skip(8); // version, flags, entry_count
	const [entry] = parseBoxes(stsd, r.offset);
	if (entry === undefined) return null;
	if (handler === "vide") return video(entry);
	return handler === "soun" ? audioCodecOf(entry.type, entry.body.subarray(ENTRY_HEADER_BYTES)) : null;
}

function video({ type, body }: Box): SampleDescription | null {
	const children = ENTRY_HEADER_BYTES + VISUAL_BYTES;
	if (children > body.length) throw new ProtocolError("bytes.truncated", `The MP4 sample entry ${type} is cut off`);
	const boxes = parseBoxes(body, children);
	const found = videoCodecOf(type, (name) => findBox(boxes, name));
	return found === null ? null : { kind: "video", clockRate: VIDEO_CLOCK_RATE, ...found };
}

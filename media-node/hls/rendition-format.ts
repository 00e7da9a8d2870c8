import { createHash } from "node:crypto";
import type { PendingPart } from "#shared/timeline/pending-segment.ts";
import type { Codec } from "../codecs/codec.ts";
import { codecString } from "../codecs/codec-string.ts";
import { initSegment } from "../mp4/init-segment.ts";
import { type SampleEntry, sampleEntryOf } from "../mp4/sample-entry.ts";

/** All that a part says of itself besides its media. */
export type RenditionFormat = Pick<PendingPart, "rendition" | "init" | "initHash">;

const HASH_CHARACTERS = 32;
/** What a parameter set says beyond this is not believed: cameras write all sorts of things there. */
const MAX_FRAME_RATE = 300;

/**
 * How rendition `id` is described and begins; `null` while the parameter sets are not known.
 *
 * @throws ProtocolError `media.unsupported`, `bytes.truncated`, `bytes.malformed`
 */
export function renditionFormatOf(id: string, codec: Codec, timescale: number): RenditionFormat | null {
	const entry = sampleEntryOf(codec);
	const codecs = codecString(codec);
	if (entry === null || codecs === null) return null;
	const init = initSegment(entry, timescale);
	const initHash = createHash("sha256").update(init).digest("hex").slice(0, HASH_CHARACTERS);
	return { rendition: { id, codecs, ...describe(entry) }, init, initHash };
}

function describe(entry: SampleEntry): Omit<RenditionFormat["rendition"], "id" | "codecs"> {
	if (entry.kind === "audio") return { kind: "audio", channels: entry.channels, sampleRate: entry.sampleRate };
	const { kind, width, height, frameRate } = entry;
	const believable = frameRate !== null && frameRate >= 1 && frameRate <= MAX_FRAME_RATE;
	return { kind, width, height, ...(believable ? { frameRate } : {}) };
}

/** The format with a frame rate as measured, in frames per second, if its parameter sets do not say one. */
export function withFrameRate(format: RenditionFormat, measured: number): RenditionFormat {
	const { rendition } = format;
	if (rendition.kind !== "video" || rendition.frameRate !== undefined || !(measured > 0)) return format;
	return { ...format, rendition: { ...rendition, frameRate: Math.round(measured * 1000) / 1000 } };
}

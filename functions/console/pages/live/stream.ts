import type { StreamDescription, StreamPage } from "../../../routes/streams.ts";

/** A stream as the functions describe it. */
export type Stream = StreamDescription;
export type StreamRendition = Stream["renditions"][number];
export type StreamHealth = NonNullable<Stream["health"]>;
export type { StreamPage };

/** The best picture it has; `null` for sound alone. */
export function pictureOf({ renditions }: Stream): StreamRendition | null {
	return renditions
		.filter(({ kind }) => kind === "video")
		.reduce<StreamRendition | null>(
			(best, one) => (best === null || (one.height ?? 0) > (best.height ?? 0) ? one : best),
			null,
		);
}

/** Bits per second: what the node counts, else what the renditions say. */
export function bitrateOf({ health, renditions }: Stream): number {
	return health?.bitsPerSecond ?? renditions.reduce((sum, { averageBandwidth }) => sum + averageBandwidth, 0);
}

/** Whether it is live, and nobody sends it: its publisher left, and may come back. */
export function isWaiting({ health, live }: Stream): boolean {
	return live && health?.source.type === "";
}

/** Such as `1280×720 · 25 fps`, without a break within; empty when nothing is known. */
export function sizeText({
	width,
	height,
	frameRate,
}: Pick<StreamRendition, "width" | "height" | "frameRate">): string {
	return [
		...(width === undefined || height === undefined ? [] : [`${width}×${height}`]),
		...(frameRate === undefined ? [] : [`${Number(frameRate.toFixed(2))}\u00a0fps`]),
	].join(" · ");
}

/** The codecs of a stream by the names that people use: those of its tracks, else those of its renditions. */
export function codecNames({ health, renditions }: Stream): string[] {
	const names =
		health === null || health.tracks.length === 0
			? renditions.map(({ codecs }) => FAMILIES[codecs.split(".")[0]?.toLowerCase() ?? ""] ?? codecs)
			: health.tracks.map(({ codec }) => SHORT_NAMES[codec] ?? codec);
	return [...new Set(names)];
}

/** What nodes call differently. */
const SHORT_NAMES: Readonly<Record<string, string>> = { "MPEG-4 Audio": "AAC" };

/** By the first part of RFC 6381's codec strings. */
const FAMILIES: Readonly<Record<string, string>> = {
	avc1: "H264",
	avc3: "H264",
	hvc1: "H265",
	hev1: "H265",
	av01: "AV1",
	vp09: "VP9",
	mp4a: "AAC",
	opus: "Opus",
	"ac-3": "AC-3",
	"ec-3": "E-AC-3",
	flac: "FLAC",
};

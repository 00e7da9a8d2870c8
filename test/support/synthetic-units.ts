import type { Codec } from "../../media-node/codecs/codec.ts";
import type { Track } from "../../media-node/stream/track.ts";
import type { Unit } from "../../media-node/stream/unit.ts";
import { bytesOfHex } from "./hex.ts";

/** High and Baseline profile, 320x240 at 30 frames a second, made by x264. */
export const H264: Codec & { readonly name: "H264" } = {
	name: "H264",
	sps: bytesOfHex("6764000dacd94141fb0110000003001000000303c0f1429960"),
	pps: bytesOfHex("68ebe3cb22c0"),
};
export const OTHER_H264: Codec = { ...H264, sps: bytesOfHex("6742c00dd90141fb0110000003001000000303c0f142a480") };
/** AAC-LC, 48 kHz, stereo. */
export const AAC: Codec = { name: "MPEG-4 Audio", config: bytesOfHex("1190") };

export const VIDEO_RATE = 90_000;
export const AUDIO_RATE = 48_000;
export const AAC_FRAME_TICKS = 1024;
/** Wall-clock time of media time zero. */
export const START_MS = Date.UTC(2026, 0, 1);

export function videoTrack(index = 0, codec: Codec = H264): Track {
	return {
		index,
		kind: "video",
		codec,
		clockRate: VIDEO_RATE,
		rtp: { payloadType: 96, encoding: "H264/90000", fmtp: "" },
	};
}

export function audioTrack(index = 1, codec: Codec = AAC): Track {
	const rtp = { payloadType: 97, encoding: "mpeg4-generic/48000/2", fmtp: "" };
	return { index, kind: "audio", codec, clockRate: AUDIO_RATE, rtp };
}

/** What a test knows a sample by: its number, behind what makes it a slice. */
function payload(first: number, id: number, size: number): Uint8Array {
	const data = new Uint8Array(Math.max(size, 5));
	data[0] = first;
	new DataView(data.buffer).setUint32(1, id);
	return data;
}

export type PictureOptions = {
	readonly key?: boolean;
	readonly dts?: number;
	readonly size?: number;
};

/** A picture at `pts`, in ticks. */
export function picture(
	track: Track,
	id: number,
	pts: number,
	{ key = false, dts = pts, size = 16 }: PictureOptions = {},
): Unit {
	const frames = [payload(key ? 0x65 : 0x41, id, size)];
	const wallclockMs = START_MS + (pts * 1000) / track.clockRate;
	return { track, pts, dts, wallclockMs, randomAccess: key, frames };
}

/** A unit of audio of one or more frames, numbered from `id`. */
export function sound(track: Track, id: number, pts: number, { frames = 1, size = 8 } = {}): Unit {
	const wallclockMs = START_MS + (pts * 1000) / track.clockRate;
	const list = Array.from({ length: frames }, (_, i) => payload(0x21, id + i, size));
	return { track, pts, dts: pts, wallclockMs, randomAccess: true, frames: list };
}

/** The number in a sample: behind a length of four bytes for video. */
export function idOf(kind: "video" | "audio", sample: Uint8Array): number {
	const at = kind === "video" ? 5 : 1;
	return new DataView(sample.buffer, sample.byteOffset).getUint32(at);
}

/** Video of `seconds` at 30 frames a second with a key frame each `gop` frames, from media time `fromMs` on. */
export function plainVideo(track: Track, seconds: number, { gop = 30, fromMs = 0, size = 16 } = {}): Unit[] {
	return Array.from({ length: seconds * 30 }, (_, i) =>
		picture(track, i, fromMs * 90 + i * 3000, { key: i % gop === 0, size }),
	);
}

/** AAC of `seconds`, from media time `fromMs` on. */
export function plainAudio(track: Track, seconds: number, { fromMs = 0, size = 8 } = {}): Unit[] {
	return Array.from({ length: Math.ceil((seconds * AUDIO_RATE) / AAC_FRAME_TICKS) }, (_, i) =>
		sound(track, i, fromMs * 48 + i * AAC_FRAME_TICKS, { size }),
	);
}

/** Units in the order in which they come when all tracks are sent in real time. */
export function interleaved(...tracks: readonly (readonly Unit[])[]): Unit[] {
	return tracks.flat().toSorted((a, b) => a.dts / a.track.clockRate - b.dts / b.track.clockRate);
}

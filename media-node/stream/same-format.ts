import { sameBytes } from "../bytes/big-endian.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Track } from "./track.ts";

type Format = Omit<Track, "index">;

/**
 * Says whether a reader that was told of tracks `a` can decode `b` as well. Parameter sets that only one side knows do
 * not count: who does not know them before sends or gets them with the key frames.
 */
export function sameFormats(a: readonly Format[], b: readonly Format[]): boolean {
	return a.length === b.length && a.every((track, i) => sameFormat(track, b[i] as Format));
}

function sameFormat(a: Format, b: Format): boolean {
	if (a.kind !== b.kind || a.clockRate !== b.clockRate) return false;
	if (a.codec.name !== "Generic" || b.codec.name !== "Generic") return sameCodec(a.codec, b.codec);
	return a.rtp.encoding.toLowerCase() === b.rtp.encoding.toLowerCase() && a.rtp.fmtp === b.rtp.fmtp;
}

function sameCodec(a: Codec, b: Codec): boolean {
	if (a.name === "H264" && b.name === "H264") return sameIfKnown(a.sps, b.sps) && sameIfKnown(a.pps, b.pps);
	if (a.name === "H265" && b.name === "H265") {
		return sameIfKnown(a.vps, b.vps) && sameIfKnown(a.sps, b.sps) && sameIfKnown(a.pps, b.pps);
	}
	if (a.name === "MPEG-4 Audio" && b.name === "MPEG-4 Audio") return sameBytes(a.config, b.config);
	if (a.name === "Opus" && b.name === "Opus") return a.channels === b.channels;
	if (a.name === "G711" && b.name === "G711") {
		return a.law === b.law && a.sampleRate === b.sampleRate && a.channels === b.channels;
	}
	return false;
}

function sameIfKnown(a: Uint8Array | null, b: Uint8Array | null): boolean {
	return a === null || b === null || sameBytes(a, b);
}

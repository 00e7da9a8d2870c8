import { sameBytes } from "../bytes/big-endian.ts";
import type { Codec, H264Codec, H265Codec } from "../codecs/codec.ts";
import { H264_NAL, h264NalType } from "../codecs/h264.ts";
import { H265_NAL, h265NalType } from "../codecs/h265.ts";
import type { SegmentArena } from "./segment-arena.ts";

/** ITU-T H.264 table 7-1 and H.265 table 7-1. */
const H264_LAST_SLICE = 5;
const H264_FILLER = 12;
const H265_LAST_SLICE = 31;
const H265_FILLER = 38;

/**
 * Adds an access unit to an arena as a sample, without what a sample does not have: delimiters, filler, and the
 * parameter sets that the sample entry holds. Other sets stay, for a decoder needs them. `false`, and nothing added,
 * when the unit has no slice: there would be nothing to show.
 */
export function appendPicture(arena: SegmentArena, codec: Codec, nals: readonly Uint8Array[]): boolean {
	const mark = arena.length;
	let shows = false;
	for (const nal of nals) {
		if (nal.length === 0) continue;
		const place = placeOf(codec, nal);
		if (place === "outside") continue;
		if (place === "slice") shows = true;
		arena.appendNal(nal);
	}
	if (!shows) arena.truncate(mark);
	return shows;
}

type Place = "slice" | "beside" | "outside";

function placeOf(codec: Codec, nal: Uint8Array): Place {
	if (codec.name === "H264") return h264Place(nal, codec);
	return codec.name === "H265" ? h265Place(nal, codec) : "outside";
}

function h264Place(nal: Uint8Array, codec: H264Codec): Place {
	const type = h264NalType(nal);
	if (type >= H264_NAL.slice && type <= H264_LAST_SLICE) return "slice";
	switch (type) {
		case H264_NAL.aud:
		case H264_FILLER:
			return "outside";
		case H264_NAL.sps:
			return isKnown(nal, codec.sps);
		case H264_NAL.pps:
			return isKnown(nal, codec.pps);
		default:
			return "beside";
	}
}

function h265Place(nal: Uint8Array, codec: H265Codec): Place {
	const type = h265NalType(nal);
	if (type <= H265_LAST_SLICE) return "slice";
	switch (type) {
		case H265_NAL.aud:
		case H265_FILLER:
			return "outside";
		case H265_NAL.vps:
			return isKnown(nal, codec.vps);
		case H265_NAL.sps:
			return isKnown(nal, codec.sps);
		case H265_NAL.pps:
			return isKnown(nal, codec.pps);
		default:
			return "beside";
	}
}

function isKnown(nal: Uint8Array, known: Uint8Array | null): Place {
	return known !== null && sameBytes(nal, known) ? "outside" : "beside";
}

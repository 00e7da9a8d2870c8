import { sameBytes } from "../bytes/big-endian.ts";
import { AV1_OBU, av1ObuType, isAv1FrameObu } from "../codecs/av1.ts";
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
 * parameter sets that the sample entry holds. Other sets stay, for a decoder needs them, and so do sequence headers of
 * AV1, without which a sample is none to begin with. `false`, and nothing added, when the unit has no slice, tile or
 * frame: there would be nothing to show.
 */
export function appendPicture(arena: SegmentArena, codec: Codec, frames: readonly Uint8Array[]): boolean {
	const mark = arena.length;
	let shows = false;
	for (const frame of frames) {
		if (frame.length === 0) continue;
		const place = placeOf(codec, frame);
		if (place === "outside") continue;
		if (place === "slice") shows = true;
		if (codec.name === "AV1") arena.appendObu(frame);
		else if (codec.name === "VP9") arena.append(frame);
		else arena.appendNal(frame);
	}
	if (!shows) arena.truncate(mark);
	return shows;
}

type Place = "slice" | "beside" | "outside";

function placeOf(codec: Codec, frame: Uint8Array): Place {
	switch (codec.name) {
		case "H264":
			return h264Place(frame, codec);
		case "H265":
			return h265Place(frame, codec);
		case "AV1":
			return av1Place(frame);
		case "VP9":
			return "slice";
		default:
			return "outside";
	}
}

/** AV1 Codec ISO Media File Format Binding §2.4: what should not, or must not, be in samples. */
function av1Place(obu: Uint8Array): Place {
	const type = av1ObuType(obu);
	if (isAv1FrameObu(type)) return "slice";
	switch (type) {
		case AV1_OBU.temporalDelimiter:
		case AV1_OBU.redundantFrameHeader:
		case AV1_OBU.tileList:
		case AV1_OBU.padding:
			return "outside";
		default:
			return "beside";
	}
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

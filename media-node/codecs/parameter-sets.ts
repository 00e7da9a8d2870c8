import { hasCode } from "#shared/problem.ts";
import { sameBytes } from "../bytes/big-endian.ts";
import { AV1_OBU, av1ObuType } from "./av1.ts";
import { parseAv1SequenceHeader } from "./av1-sequence.ts";
import type { Codec, Vp9Codec } from "./codec.ts";
import { H264_NAL, h264NalType, parseH264Sps } from "./h264.ts";
import { H265_NAL, h265NalType, parseH265Sps } from "./h265.ts";
import { mpeg4ConfigOf } from "./mpeg4-video.ts";
import { isVp9KeyFrame, parseVp9KeyFrame, sameVp9Picture } from "./vp9.ts";

/**
 * The codec with the parameter sets that an access unit brings: the same object when nothing is new, so that a change
 * is seen by comparing. Sets are copied. Of several of a kind the first counts; a sequence parameter set that does not
 * parse counts for nothing.
 */
export function withParameterSets<C extends Codec>(codec: C, frames: readonly Uint8Array[]): C;
export function withParameterSets(codec: Codec, nals: readonly Uint8Array[]): Codec {
	if (codec.name === "H264") {
		const sps = newer(codec.sps, find(nals, h264NalType, H264_NAL.sps), parseH264Sps);
		const pps = newer(codec.pps, find(nals, h264NalType, H264_NAL.pps));
		return sps === codec.sps && pps === codec.pps ? codec : { ...codec, sps, pps };
	}
	if (codec.name === "H265") {
		const vps = newer(codec.vps, find(nals, h265NalType, H265_NAL.vps));
		const sps = newer(codec.sps, find(nals, h265NalType, H265_NAL.sps), parseH265Sps);
		const pps = newer(codec.pps, find(nals, h265NalType, H265_NAL.pps));
		return vps === codec.vps && sps === codec.sps && pps === codec.pps ? codec : { ...codec, vps, sps, pps };
	}
	if (codec.name === "MPEG-4 Video") {
		const [frame] = nals;
		const config = newer(codec.config, frame === undefined ? undefined : (mpeg4ConfigOf(frame) ?? undefined));
		return config === codec.config ? codec : { ...codec, config };
	}
	if (codec.name === "AV1") {
		const known = codec.sequenceHeader ?? null;
		const found = nals.find((obu) => obu.length > 0 && av1ObuType(obu) === AV1_OBU.sequenceHeader);
		const sequenceHeader = newer(known, found, parseAv1SequenceHeader);
		return sequenceHeader === known || sequenceHeader === null ? codec : { ...codec, sequenceHeader };
	}
	return codec.name === "VP9" ? withVp9Picture(codec, nals[0]) : codec;
}

function withVp9Picture(codec: Vp9Codec, frame: Uint8Array | undefined): Vp9Codec {
	if (frame === undefined || frame.length === 0 || !isVp9KeyFrame(frame)) return codec;
	try {
		const picture = parseVp9KeyFrame(frame);
		return codec.picture !== undefined && sameVp9Picture(codec.picture, picture) ? codec : { ...codec, picture };
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed")) return codec;
		throw error;
	}
}

function find(nals: readonly Uint8Array[], typeOf: (nal: Uint8Array) => number, type: number): Uint8Array | undefined {
	return nals.find((nal) => nal.length > 0 && typeOf(nal) === type);
}

/** `known`, or a copy of `found` if that is another one and `parse` does not throw. */
function newer(
	known: Uint8Array | null,
	found: Uint8Array | undefined,
	parse: (nal: Uint8Array) => unknown = () => null,
): Uint8Array | null {
	if (found === undefined || (known !== null && sameBytes(known, found))) return known;
	try {
		parse(found);
		return found.slice();
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed")) return known;
		throw error;
	}
}

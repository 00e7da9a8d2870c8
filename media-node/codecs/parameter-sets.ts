import { hasCode } from "#shared/problem.ts";
import { sameBytes } from "../bytes/big-endian.ts";
import type { Codec } from "./codec.ts";
import { H264_NAL, h264NalType, parseH264Sps } from "./h264.ts";
import { H265_NAL, h265NalType, parseH265Sps } from "./h265.ts";
import { mpeg4ConfigOf } from "./mpeg4-video.ts";

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
	return codec;
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

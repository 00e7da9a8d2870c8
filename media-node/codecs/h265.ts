import { ProtocolError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { BitReader, removeEmulationPrevention } from "../bytes/bit-reader.ts";
import { readFrameRate, skipToVui } from "./h265-vui.ts";
import { croppedSize, expectAtMost } from "./video-limits.ts";

/** Types of NAL unit, ITU-T H.265 table 7-1, and the packet types that RFC 7798 §4.4 adds. */
export const H265_NAL = { firstIrap: 16, lastIrap: 21, vps: 32, sps: 33, pps: 34, aud: 35, ap: 48, fu: 49 } as const;
/** Bytes of a NAL unit's header. */
export const H265_NAL_HEADER_BYTES = 2;

/** What a sequence parameter set says, as far as somebody asks. */
export type H265Sps = {
	/** The 12 bytes from `general_profile_space` to `general_level_idc`, as ISO 14496-15 §8.3.3.1 wants them. */
	readonly profileTierLevel: Uint8Array;
	/** 1 to 7. */
	readonly temporalLayers: number;
	readonly temporalIdNested: boolean;
	/** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
	readonly chromaFormat: number;
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
	/** After cropping, in pixels. */
	readonly width: number;
	readonly height: number;
	/** Frames per second; `null` when it does not say. */
	readonly frameRate: number | null;
	/** How many pictures may come before one in decoding order and follow it in output order, 0 to 15. */
	readonly reorderFrames: number;
};

/** The type of a NAL unit that is not empty. */
export function h265NalType(nal: Uint8Array): number {
	return (u8(nal, 0) >> 1) & 0x3f;
}

/** Says whether `nal` is of a picture where a decoder can begin (IRAP). Never throws. */
export function isH265RandomAccess(nal: Uint8Array): boolean {
	if (nal.length === 0) return false;
	const type = h265NalType(nal);
	return type >= H265_NAL.firstIrap && type <= H265_NAL.lastIrap;
}

/**
 * Parses a sequence parameter set, ITU-T H.265 §7.3.2.2.1, given as NAL unit.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 */
export function parseH265Sps(nal: Uint8Array): H265Sps {
	if (nal.length < H265_NAL_HEADER_BYTES || h265NalType(nal) !== H265_NAL.sps) {
		throw new ProtocolError("bytes.malformed", "This is not an H.265 sequence parameter set");
	}
	const rbsp = removeEmulationPrevention(nal);
	const r = new BitReader(rbsp, H265_NAL_HEADER_BYTES);
	r.skip(4); // sps_video_parameter_set_id
	const subLayers = expectAtMost(6, r.bits(3), "sps_max_sub_layers_minus1");
	const temporalIdNested = r.flag();
	r.skip(PROFILE_TIER_LEVEL_BYTES * 8);
	const profileTierLevel = rbsp.slice(PROFILE_TIER_LEVEL_AT, PROFILE_TIER_LEVEL_AT + PROFILE_TIER_LEVEL_BYTES);
	skipSubLayerLevels(r, subLayers);
	expectAtMost(15, r.ue(), "sps_seq_parameter_set_id");
	const chromaFormat = expectAtMost(3, r.ue(), "chroma_format_idc");
	const separatePlanes = chromaFormat === 3 && r.flag();
	const codedWidth = r.ue();
	const codedHeight = r.ue();
	const halved = separatePlanes ? 0 : chromaFormat;
	const cropUnitX = halved === 1 || halved === 2 ? 2 : 1;
	const cropUnitY = halved === 1 ? 2 : 1;
	const crop = r.flag() ? { left: r.ue(), right: r.ue(), top: r.ue(), bottom: r.ue() } : NO_CROP;
	const bitDepthLuma = 8 + expectAtMost(8, r.ue(), "bit_depth_luma_minus8");
	const bitDepthChroma = 8 + expectAtMost(8, r.ue(), "bit_depth_chroma_minus8");
	const orderBits = 4 + expectAtMost(12, r.ue(), "log2_max_pic_order_cnt_lsb_minus4");
	const reorderFrames = readReorderPictures(r, subLayers);
	return {
		profileTierLevel,
		temporalLayers: subLayers + 1,
		temporalIdNested,
		chromaFormat,
		bitDepthLuma,
		bitDepthChroma,
		width: croppedSize(codedWidth, (crop.left + crop.right) * cropUnitX, "width"),
		height: croppedSize(codedHeight, (crop.top + crop.bottom) * cropUnitY, "height"),
		frameRate: frameRateAfter(r, orderBits),
		reorderFrames,
	};
}

const PROFILE_TIER_LEVEL_AT = H265_NAL_HEADER_BYTES + 1;
const PROFILE_TIER_LEVEL_BYTES = 12;
const NO_CROP = { left: 0, right: 0, top: 0, bottom: 0 };

/** The levels of sub-layers in `profile_tier_level()`, ITU-T H.265 §7.3.3. */
function skipSubLayerLevels(r: BitReader, subLayers: number): void {
	if (subLayers === 0) return;
	let bits = 0;
	for (let i = 0; i < subLayers; i++) bits += (r.flag() ? 88 : 0) + (r.flag() ? 8 : 0);
	r.skip((8 - subLayers) * 2);
	r.skip(bits);
}

/** `sps_max_num_reorder_pics` of the highest sub-layer. */
function readReorderPictures(r: BitReader, subLayers: number): number {
	let reorder = 0;
	const first = r.flag() ? 0 : subLayers;
	for (let i = first; i <= subLayers; i++) {
		r.ue(); // sps_max_dec_pic_buffering_minus1
		reorder = expectAtMost(15, r.ue(), "sps_max_num_reorder_pics");
		r.ue(); // sps_max_latency_increase_plus1
	}
	return reorder;
}

/** The frame rate, from the rest of the parameter set. Nobody needs it to decode, so what is damaged counts as not said. */
function frameRateAfter(r: BitReader, orderBits: number): number | null {
	try {
		return skipToVui(r, orderBits) ? readFrameRate(r) : null;
	} catch (error) {
		if (error instanceof ProtocolError) return null;
		throw error;
	}
}

import { ProtocolError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { BitReader, removeEmulationPrevention } from "../bytes/bit-reader.ts";
import { croppedSize, expectAtMost } from "./video-limits.ts";

/** Types of NAL unit, ITU-T H.264 table 7-1, and the packet types that RFC 6184 §5.2 adds. */
export const H264_NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, stapA: 24, fuA: 28 } as const;

/** What a sequence parameter set says, as far as somebody asks. */
export type H264Sps = {
	readonly profile: number;
	/** The byte of constraint flags, `constraint_set0_flag` first. */
	readonly constraints: number;
	/** Ten times the level, such as 31. */
	readonly level: number;
	/** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
	readonly chromaFormat: number;
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
	/** After cropping, in pixels. */
	readonly width: number;
	readonly height: number;
	/** `false` when a picture may be a field or hold two. */
	readonly progressive: boolean;
	/** Frames per second; `null` when it does not say. */
	readonly frameRate: number | null;
	/** How many frames may come before one in decoding order and follow it in output order, 0 to 16. */
	readonly reorderFrames: number;
};

/** The type of a NAL unit that is not empty. */
export function h264NalType(nal: Uint8Array): number {
	return u8(nal, 0) & 0x1f;
}

/**
 * Says whether a decoder can begin at the picture that `nal` belongs to: it is of an IDR picture, or a recovery point
 * SEI message says so. Open groups of pictures and intra refresh have nothing else to begin with. Never throws.
 */
export function isH264RandomAccess(nal: Uint8Array): boolean {
	if (nal.length === 0) return false;
	const type = h264NalType(nal);
	return type === H264_NAL.idr || (type === H264_NAL.sei && hasRecoveryPoint(nal));
}

const SEI_RECOVERY_POINT = 6;

/** Walks the messages of an SEI NAL unit, ITU-T H.264 §7.3.2.3.1. */
function hasRecoveryPoint(nal: Uint8Array): boolean {
	let at = 1;
	// A message needs two bytes for its head, and the trailing bits need one.
	while (at + 2 < nal.length) {
		let type = 0;
		while (at < nal.length && nal[at] === 0xff) {
			type += 255;
			at++;
		}
		type += nal[at++] ?? 0;
		if (type === SEI_RECOVERY_POINT) return true;
		let size = 0;
		while (at < nal.length && nal[at] === 0xff) {
			size += 255;
			at++;
		}
		size += nal[at++] ?? 0;
		at = skipEscaped(nal, at, size);
	}
	return false;
}

/** The index after `size` bytes of payload at `at`, not counting emulation prevention. */
function skipEscaped(nal: Uint8Array, from: number, size: number): number {
	let at = from;
	for (let left = size; left > 0 && at < nal.length; at++) {
		const isEscape = nal[at] === 3 && nal[at - 1] === 0 && nal[at - 2] === 0;
		if (!isEscape) left--;
	}
	return at;
}

/**
 * Parses a sequence parameter set, ITU-T H.264 §7.3.2.1.1, given as NAL unit.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 */
export function parseH264Sps(nal: Uint8Array): H264Sps {
	if (nal.length < 4 || h264NalType(nal) !== H264_NAL.sps) {
		throw new ProtocolError("bytes.malformed", "This is not an H.264 sequence parameter set");
	}
	const r = new BitReader(removeEmulationPrevention(nal), 1);
	const profile = r.bits(8);
	const constraints = r.bits(8);
	const level = r.bits(8);
	expectAtMost(31, r.ue(), "seq_parameter_set_id");
	const { chromaFormat, separatePlanes, bitDepthLuma, bitDepthChroma } = readChroma(r, profile);
	expectAtMost(12, r.ue(), "log2_max_frame_num_minus4");
	const orderType = readOrderCount(r);
	const refFrames = expectAtMost(16, r.ue(), "max_num_ref_frames");
	r.skip(1); // gaps_in_frame_num_value_allowed_flag
	const widthInMbs = r.ue() + 1;
	const heightInMapUnits = r.ue() + 1;
	const progressive = r.flag(); // frame_mbs_only_flag
	if (!progressive) r.skip(1); // mb_adaptive_frame_field_flag
	r.skip(1); // direct_8x8_inference_flag

	const fieldFactor = progressive ? 1 : 2;
	const halved = separatePlanes ? 0 : chromaFormat;
	const cropUnitX = halved === 1 || halved === 2 ? 2 : 1;
	const cropUnitY = (halved === 1 ? 2 : 1) * fieldFactor;
	const crop = r.flag() ? { left: r.ue(), right: r.ue(), top: r.ue(), bottom: r.ue() } : NO_CROP;
	const width = croppedSize(widthInMbs * 16, (crop.left + crop.right) * cropUnitX, "width");
	const height = croppedSize(heightInMapUnits * 16 * fieldFactor, (crop.top + crop.bottom) * cropUnitY, "height");

	const vui = readVui(r);
	const neverReorders = orderType === 2 || profile === PROFILE_BASELINE;
	const reorderFrames = neverReorders ? 0 : (vui.reorderFrames ?? Math.min(refFrames, ASSUMED_REORDER_FRAMES));
	return {
		profile,
		constraints,
		level,
		chromaFormat,
		bitDepthLuma,
		bitDepthChroma,
		width,
		height,
		progressive,
		frameRate: vui.frameRate,
		reorderFrames,
	};
}

const PROFILE_BASELINE = 66;
/** The profiles with chroma and bit depth in their parameter set, ITU-T H.264 §7.3.2.1.1. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const NO_CROP = { left: 0, right: 0, top: 0, bottom: 0 };
/**
 * What is assumed of a stream that reorders and does not say how deep. The standard allows for all that the decoded
 * picture buffer holds, but no encoder in use goes deeper than this.
 */
const ASSUMED_REORDER_FRAMES = 4;

function readChroma(r: BitReader, profile: number) {
	if (!HIGH_PROFILES.has(profile)) {
		return { chromaFormat: 1, separatePlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };
	}
	const chromaFormat = expectAtMost(3, r.ue(), "chroma_format_idc");
	const separatePlanes = chromaFormat === 3 && r.flag();
	const bitDepthLuma = 8 + expectAtMost(6, r.ue(), "bit_depth_luma_minus8");
	const bitDepthChroma = 8 + expectAtMost(6, r.ue(), "bit_depth_chroma_minus8");
	r.skip(1); // qpprime_y_zero_transform_bypass_flag
	if (r.flag()) {
		const lists = chromaFormat === 3 ? 12 : 8;
		for (let i = 0; i < lists; i++) if (r.flag()) skipScalingList(r, i < 6 ? 16 : 64);
	}
	return { chromaFormat, separatePlanes, bitDepthLuma, bitDepthChroma };
}

/** ITU-T H.264 §7.3.2.1.1.1. */
function skipScalingList(r: BitReader, size: number): void {
	let last = 8;
	for (let i = 0; i < size; i++) {
		const next = (last + r.se() + 256) % 256;
		if (next === 0) return;
		last = next;
	}
}

/** Reads over the fields of the picture order count and gives its type, 0 to 2. */
function readOrderCount(r: BitReader): number {
	const type = expectAtMost(2, r.ue(), "pic_order_cnt_type");
	if (type === 0) expectAtMost(12, r.ue(), "log2_max_pic_order_cnt_lsb_minus4");
	if (type === 1) {
		r.skip(1); // delta_pic_order_always_zero_flag
		r.se();
		r.se();
		const cycle = expectAtMost(255, r.ue(), "num_ref_frames_in_pic_order_cnt_cycle");
		for (let i = 0; i < cycle; i++) r.se();
	}
	return type;
}

type Vui = { frameRate: number | null; reorderFrames: number | null };

/** Video usability information, ITU-T H.264 §E.1.1. Nobody needs it to decode, so what is damaged counts as not said. */
function readVui(r: BitReader): Vui {
	const vui: Vui = { frameRate: null, reorderFrames: null };
	try {
		if (!r.flag()) return vui;
		readVuiInto(vui, r);
	} catch (error) {
		if (!(error instanceof ProtocolError)) throw error;
	}
	return vui;
}

function readVuiInto(vui: Vui, r: BitReader): void {
	if (r.flag() && r.bits(8) === EXTENDED_SAR) r.skip(32);
	if (r.flag()) r.skip(1); // overscan_info
	if (r.flag()) {
		r.skip(4); // video_format, video_full_range_flag
		if (r.flag()) r.skip(24);
	}
	if (r.flag()) {
		r.ue(); // chroma_sample_loc_type
		r.ue();
	}
	if (r.flag()) {
		const unitsInTick = r.bits(32);
		const timeScale = r.bits(32);
		r.skip(1); // fixed_frame_rate_flag
		// A tick is a field, so a frame lasts two.
		if (unitsInTick > 0 && timeScale > 0) vui.frameRate = timeScale / (2 * unitsInTick);
	}
	const nalHrd = r.flag();
	if (nalHrd) skipHrd(r);
	const vclHrd = r.flag();
	if (vclHrd) skipHrd(r);
	if (nalHrd || vclHrd) r.skip(1); // low_delay_hrd_flag
	r.skip(1); // pic_struct_present_flag
	if (r.flag()) {
		r.skip(1); // motion_vectors_over_pic_boundaries_flag
		for (let i = 0; i < 4; i++) r.ue();
		vui.reorderFrames = expectAtMost(16, r.ue(), "max_num_reorder_frames");
	}
}

const EXTENDED_SAR = 255;

/** ITU-T H.264 §E.1.2. */
function skipHrd(r: BitReader): void {
	const count = expectAtMost(31, r.ue(), "cpb_cnt_minus1") + 1;
	r.skip(8);
	for (let i = 0; i < count; i++) {
		r.ue();
		r.ue();
		r.skip(1);
	}
	r.skip(20);
}

import { ProtocolError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { BitReader, removeEmulationPrevention } from "../bytes/bit-reader.ts";
import { H264_NAL, h264NalType } from "../codecs/h264.ts";
import { H265_NAL, H265_NAL_HEADER_BYTES, h265NalType } from "../codecs/h265.ts";

/** What the first slice of a picture says of its place in output order. */
export type OrderCount = {
	/** Low bits of the picture order count, and how many they are. */
	readonly lsb: number;
	readonly lsbBits: number;
	/** The counts begin anew with this picture: what came before is put out before it. */
	readonly resets: boolean;
	/** The counts of the pictures behind it are told from this one. */
	readonly anchors: boolean;
};

/** Reads the order count of the slice `nal`; `null` when there is none to read. Never throws. */
export type ReadOrderCount = (nal: Uint8Array) => OrderCount | null;

/** Enough of a slice for its header up to the order count. */
const SLICE_HEAD_BYTES = 64;

function orNull<T>(read: () => T | null): T | null {
	try {
		return read();
	} catch (error) {
		if (error instanceof ProtocolError) return null;
		throw error;
	}
}

function bitsOf(nal: Uint8Array, headerBytes: number): BitReader {
	return new BitReader(removeEmulationPrevention(nal), headerBytes);
}

const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** For pictures of an H.264 sequence; `null` when they come in output order, or nearly nobody counts that way. */
export function h264OrderReader(sps: Uint8Array): ReadOrderCount | null {
	return orNull(() => {
		const r = bitsOf(sps, 1);
		const profile = r.bits(8);
		r.skip(16); // constraint flags, level_idc
		r.ue(); // seq_parameter_set_id
		let separatePlanes = false;
		if (HIGH_PROFILES.has(profile)) {
			const chromaFormat = r.ue();
			if (chromaFormat === 3) separatePlanes = r.flag();
			r.ue(); // bit depths
			r.ue();
			r.skip(1); // qpprime_y_zero_transform_bypass_flag
			if (r.flag()) {
				const lists = chromaFormat === 3 ? 12 : 8;
				for (let i = 0; i < lists; i++) if (r.flag()) skipScalingList(r, i < 6 ? 16 : 64);
			}
		}
		const frameNumBits = r.ue() + 4;
		if (frameNumBits > 16 || r.ue() !== 0) return null; // pic_order_cnt_type
		const lsbBits = r.ue() + 4;
		if (lsbBits > 16) return null;
		r.ue(); // max_num_ref_frames
		r.skip(1); // gaps_in_frame_num_value_allowed_flag
		r.ue(); // pic_width_in_mbs_minus1
		r.ue(); // pic_height_in_map_units_minus1
		const progressive = r.flag();
		return (nal) => orNull(() => readH264Slice(nal, { separatePlanes, frameNumBits, lsbBits, progressive }));
	});
}

/** `scaling_list()`, ITU-T H.264 §7.3.2.1.1.1. */
function skipScalingList(r: BitReader, size: number): void {
	let last = 8;
	for (let i = 0; i < size; i++) {
		const next = (last + r.se() + 256) % 256;
		if (next === 0) return;
		last = next;
	}
}

type H264Layout = {
	readonly separatePlanes: boolean;
	readonly frameNumBits: number;
	readonly lsbBits: number;
	readonly progressive: boolean;
};

/** `slice_header()`, ITU-T H.264 §7.3.3. */
function readH264Slice(nal: Uint8Array, layout: H264Layout): OrderCount | null {
	const type = h264NalType(nal);
	const resets = type === H264_NAL.idr;
	if (type !== H264_NAL.slice && !resets) return null;
	const r = bitsOf(nal.subarray(0, SLICE_HEAD_BYTES), 1);
	r.ue(); // first_mb_in_slice
	r.ue(); // slice_type
	r.ue(); // pic_parameter_set_id
	if (layout.separatePlanes) r.skip(2);
	r.skip(layout.frameNumBits);
	if (!layout.progressive && r.flag()) r.skip(1); // field_pic_flag, bottom_field_flag
	if (resets) r.ue(); // idr_pic_id
	return { lsb: r.bits(layout.lsbBits), lsbBits: layout.lsbBits, resets, anchors: (u8(nal, 0) & 0x60) !== 0 };
}

/** For pictures of an H.265 sequence; `null` when its parameter sets cannot be read so far. */
export function h265OrderReader(sps: Uint8Array, pps: Uint8Array): ReadOrderCount | null {
	return orNull(() => {
		const s = bitsOf(sps, H265_NAL_HEADER_BYTES);
		s.skip(4); // sps_video_parameter_set_id
		const subLayers = s.bits(3);
		s.skip(1 + 96); // sps_temporal_id_nesting_flag, general profile, tier and level
		let levelBits = subLayers === 0 ? 0 : (8 - subLayers) * 2;
		for (let i = 0; i < subLayers; i++) levelBits += (s.flag() ? 88 : 0) + (s.flag() ? 8 : 0);
		s.skip(levelBits);
		s.ue(); // sps_seq_parameter_set_id
		const separatePlanes = s.ue() === 3 && s.flag();
		s.ue(); // width and height
		s.ue();
		if (s.flag()) for (let i = 0; i < 4; i++) s.ue(); // conformance window
		s.ue(); // bit depths
		s.ue();
		const lsbBits = s.ue() + 4;
		if (lsbBits > 16) return null;

		const p = bitsOf(pps, H265_NAL_HEADER_BYTES);
		p.ue(); // pps_pic_parameter_set_id
		p.ue(); // pps_seq_parameter_set_id
		p.skip(1); // dependent_slice_segments_enabled_flag
		const hasOutputFlag = p.flag();
		const extraBits = p.bits(3);
		return (nal) => orNull(() => readH265Slice(nal, { separatePlanes, lsbBits, hasOutputFlag, extraBits }));
	});
}

type H265Layout = {
	readonly separatePlanes: boolean;
	readonly lsbBits: number;
	readonly hasOutputFlag: boolean;
	readonly extraBits: number;
};

const FIRST_BLA = 16;
const FIRST_IDR = 19;
const LAST_IDR = 20;
/** RADL and RASL pictures; below 16, even types are of pictures that none of their sub-layer refers to. */
const FIRST_LEADING = 6;
const LAST_LEADING = 9;

/** `slice_segment_header()` of the first segment of a picture, ITU-T H.265 §7.3.6.1. */
function readH265Slice(nal: Uint8Array, layout: H265Layout): OrderCount | null {
	const type = h265NalType(nal);
	if (type > H265_NAL.lastIrap) return null;
	const isIdr = type === FIRST_IDR || type === LAST_IDR;
	const r = bitsOf(nal.subarray(0, SLICE_HEAD_BYTES), H265_NAL_HEADER_BYTES);
	r.skip(1); // first_slice_segment_in_pic_flag
	if (type >= FIRST_BLA) r.skip(1); // no_output_of_prior_pics_flag
	r.ue(); // slice_pic_parameter_set_id
	r.skip(layout.extraBits);
	r.ue(); // slice_type
	if (layout.hasOutputFlag) r.skip(1);
	if (layout.separatePlanes) r.skip(2);
	const isBase = (u8(nal, 1) & 7) === 1; // TemporalId 0
	const isLeading = type >= FIRST_LEADING && type <= LAST_LEADING;
	const isReference = type >= FIRST_BLA || (type & 1) === 1;
	return {
		lsb: isIdr ? 0 : r.bits(layout.lsbBits),
		lsbBits: layout.lsbBits,
		resets: isIdr || (type >= FIRST_BLA && type < FIRST_IDR),
		anchors: isBase && !isLeading && isReference,
	};
}

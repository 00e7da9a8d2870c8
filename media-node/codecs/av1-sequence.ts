import { ProtocolError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { AV1_EXTENSION_BIT } from "./av1.ts";
import { MAX_PICTURE_SIZE } from "./video-limits.ts";

/** Code points of ISO 23091-2, and whether samples use the full range of numbers. */
export type ColorDescription = {
	readonly primaries: number;
	readonly transfer: number;
	readonly matrix: number;
	readonly fullRange: boolean;
};

/** `CP_UNSPECIFIED` and its like. */
export const UNSPECIFIED_COLOR = 2;

/** What an AV1 sequence header says of its pictures. */
export type Av1Sequence = {
	readonly profile: number;
	/** `seq_level_idx` and `seq_tier` of the first operating point, which is all layers. */
	readonly level: number;
	readonly tier: number;
	/** Of the largest picture, in pixels. */
	readonly width: number;
	readonly height: number;
	/** Frames per second, where they are said to be equally far apart. */
	readonly frameRate: number | null;
	readonly bitDepth: 8 | 10 | 12;
	readonly monochrome: boolean;
	/** The chroma planes have half the width, half the height. */
	readonly subsamplingX: boolean;
	readonly subsamplingY: boolean;
	readonly chromaSamplePosition: number;
	readonly color: ColorDescription;
};

type OperatingPoint = Pick<Av1Sequence, "level" | "tier" | "frameRate">;
type ColorConfig = Omit<Av1Sequence, "profile" | "width" | "height" | keyof OperatingPoint>;

const MAX_PROFILE = 2;

/**
 * Reads a sequence header OBU without size field, up to the colours.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 * @see AV1 Bitstream & Decoding Process Specification §5.5
 */
export function parseAv1SequenceHeader(obu: Uint8Array): Av1Sequence {
	if (obu.length === 0) throw new ProtocolError("bytes.truncated", "An AV1 sequence header is empty");
	const r = new BitReader(obu, u8(obu, 0) & AV1_EXTENSION_BIT ? 2 : 1);
	const profile = r.bits(3);
	if (profile > MAX_PROFILE) throw new ProtocolError("bytes.malformed", `AV1 profile ${profile} is reserved`);
	r.skip(1); // still_picture
	const reduced = r.flag();
	const point = reduced ? { level: r.bits(5), tier: 0, frameRate: null } : readOperatingPoints(r);
	const { width, height } = readSize(r);
	skipTools(r, reduced);
	return { profile, ...point, width, height, ...readColorConfig(r, profile) };
}

/** §5.5.1, from the timing on. */
function readOperatingPoints(r: BitReader): OperatingPoint {
	let frameRate: number | null = null;
	let delayBits = 0;
	if (r.flag()) {
		frameRate = readTiming(r);
		// decoder_model_info()
		if (r.flag()) {
			delayBits = r.bits(5) + 1;
			r.skip(32 + 5 + 5);
		}
	}
	const hasDisplayDelay = r.flag();
	let first: OperatingPoint | null = null;
	for (let left = r.bits(5); left >= 0; left--) {
		r.skip(12); // operating_point_idc
		const level = r.bits(5);
		const tier = level > 7 ? r.bits(1) : 0;
		if (delayBits > 0 && r.flag()) r.skip(2 * delayBits + 1); // operating_parameters_info()
		if (hasDisplayDelay && r.flag()) r.skip(4);
		first ??= { level, tier, frameRate };
	}
	return first ?? { level: 0, tier: 0, frameRate };
}

/** `timing_info()`, §5.5.3: the frame rate, if it is constant. */
function readTiming(r: BitReader): number | null {
	const units = r.bits(32);
	const scale = r.bits(32);
	if (!r.flag()) return null;
	const ticks = r.ue() + 1; // `uvlc()` of §4.10.3 is the same code
	return units === 0 || scale === 0 ? null : scale / (units * ticks);
}

function readSize(r: BitReader): { width: number; height: number } {
	const widthBits = r.bits(4) + 1;
	const heightBits = r.bits(4) + 1;
	const width = r.bits(widthBits) + 1;
	const height = r.bits(heightBits) + 1;
	if (Math.max(width, height) <= MAX_PICTURE_SIZE) return { width, height };
	throw new ProtocolError("bytes.malformed", `An AV1 picture of ${width} by ${height} pixels is not possible`);
}

/** §5.5.1, from the frame numbers to what stands before the colours. */
function skipTools(r: BitReader, reduced: boolean): void {
	if (!reduced && r.flag()) r.skip(4 + 3); // lengths of frame ids
	r.skip(3); // superblocks of 128, filter_intra, intra_edge_filter
	if (!reduced) {
		r.skip(4); // interintra_compound, masked_compound, warped_motion, dual_filter
		const hasOrderHint = r.flag();
		if (hasOrderHint) r.skip(2); // jnt_comp, ref_frame_mvs
		// seq_choose_screen_content_tools, or seq_force_screen_content_tools
		const hasScreenContent = r.flag() || r.flag();
		if (hasScreenContent && !r.flag()) r.skip(1); // seq_choose_integer_mv, seq_force_integer_mv
		if (hasOrderHint) r.skip(3);
	}
	r.skip(3); // superres, cdef, restoration
}

/** Code points of ISO 23091-2 that together are RGB without subsampling. */
const BT709_PRIMARIES = 1;
const SRGB_TRANSFER = 13;
const IDENTITY_MATRIX = 0;

/** `color_config()`, §5.5.2. */
function readColorConfig(r: BitReader, profile: number): ColorConfig {
	const isHigh = r.flag();
	const isTwelve = isHigh && profile === MAX_PROFILE && r.flag();
	const bitDepth = isTwelve ? 12 : isHigh ? 10 : 8;
	const monochrome = profile !== 1 && r.flag();
	const isDescribed = r.flag();
	const primaries = isDescribed ? r.bits(8) : UNSPECIFIED_COLOR;
	const transfer = isDescribed ? r.bits(8) : UNSPECIFIED_COLOR;
	const matrix = isDescribed ? r.bits(8) : UNSPECIFIED_COLOR;
	const isRgb = primaries === BT709_PRIMARIES && transfer === SRGB_TRANSFER && matrix === IDENTITY_MATRIX;
	if (!monochrome && isRgb) {
		const color = { primaries, transfer, matrix, fullRange: true };
		return { bitDepth, monochrome, subsamplingX: false, subsamplingY: false, chromaSamplePosition: 0, color };
	}
	const color = { primaries, transfer, matrix, fullRange: r.flag() };
	if (monochrome) {
		return { bitDepth, monochrome, subsamplingX: true, subsamplingY: true, chromaSamplePosition: 0, color };
	}
	const { subsamplingX, subsamplingY } = readSubsampling(r, profile, bitDepth);
	const chromaSamplePosition = subsamplingX && subsamplingY ? r.bits(2) : 0;
	return { bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition, color };
}

function readSubsampling(r: BitReader, profile: number, bitDepth: number): Record<`subsampling${"X" | "Y"}`, boolean> {
	if (profile === 0) return { subsamplingX: true, subsamplingY: true };
	if (profile === 1) return { subsamplingX: false, subsamplingY: false };
	if (bitDepth < 12) return { subsamplingX: true, subsamplingY: false };
	const subsamplingX = r.flag();
	return { subsamplingX, subsamplingY: subsamplingX && r.flag() };
}

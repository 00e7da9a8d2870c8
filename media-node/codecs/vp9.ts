import { ProtocolError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { MAX_PICTURE_SIZE } from "./video-limits.ts";

/**
 * Says whether the frame, which begins at `offset` and is not empty, is a key frame, by the first bits of its
 * uncompressed header. An intra-only frame is none: it leaves reference pictures as they were.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+   frame marker `10`, the profile's low and high bit, a reserved bit in profile 3 only,
 *     |1|0| P |E|T|S|R|   show_existing_frame, frame_type: 0 is a key frame
 *     +-+-+-+-+-+-+-+-+
 *
 * @see VP9 Bitstream & Decoding Process Specification §6.2
 */
export function isVp9KeyFrame(bytes: Uint8Array, offset = 0): boolean {
	const first = u8(bytes, offset);
	if (first >> 6 !== 2) return false;
	const isProfile3 = (first & 0x30) === 0x30;
	return (first & (isProfile3 ? 0x06 : 0x0c)) === 0;
}

/** What a VP9 key frame says of its pictures. */
export type Vp9Picture = {
	readonly profile: number;
	/** In pixels. */
	readonly width: number;
	readonly height: number;
	readonly bitDepth: 8 | 10 | 12;
	/** The chroma planes have half the width, half the height. */
	readonly subsamplingX: boolean;
	readonly subsamplingY: boolean;
	/** `color_space` of §7.2.2. */
	readonly colorSpace: number;
	/** Samples use the full range of numbers. */
	readonly fullRange: boolean;
};

const SYNC_CODE = 0x498342;
/** `CS_RGB`. */
const RGB_COLOR_SPACE = 7;

/**
 * Reads the uncompressed header of a key frame, up to the size.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`: also where it is no key frame
 * @see VP9 Bitstream & Decoding Process Specification §6.2
 */
export function parseVp9KeyFrame(frame: Uint8Array): Vp9Picture {
	if (frame.length === 0) throw new ProtocolError("bytes.truncated", "A VP9 frame is empty");
	if (!isVp9KeyFrame(frame)) throw malformed("A VP9 frame that should be a key frame is none");
	const r = new BitReader(frame);
	r.skip(2);
	const profile = r.bits(1) + 2 * r.bits(1);
	if (profile === 3 && r.flag()) throw malformed("A VP9 profile above 3 is reserved");
	r.skip(4); // show_existing_frame, frame_type, show_frame, error_resilient_mode
	if (r.bits(24) !== SYNC_CODE) throw malformed("A VP9 key frame is without its sync code");
	const color = readColorConfig(r, profile);
	const width = r.bits(16) + 1;
	const height = r.bits(16) + 1;
	if (Math.max(width, height) > MAX_PICTURE_SIZE) {
		throw malformed(`A VP9 picture of ${width} by ${height} pixels is not possible`);
	}
	return { profile, width, height, ...color };
}

/** `color_config()`, §6.2.2. */
function readColorConfig(r: BitReader, profile: number): Omit<Vp9Picture, "profile" | "width" | "height"> {
	const bitDepth = profile < 2 ? 8 : r.flag() ? 12 : 10;
	const colorSpace = r.bits(3);
	// Profiles 1 and 3 are for all but 4:2:0.
	const isFree = profile === 1 || profile === 3;
	if (colorSpace === RGB_COLOR_SPACE) {
		if (!isFree) throw malformed(`VP9 of profile ${profile} cannot be RGB`);
		r.skip(1);
		return { bitDepth, colorSpace, fullRange: true, subsamplingX: false, subsamplingY: false };
	}
	const fullRange = r.flag();
	const subsamplingX = !isFree || r.flag();
	const subsamplingY = !isFree || r.flag();
	if (isFree) r.skip(1);
	return { bitDepth, colorSpace, fullRange, subsamplingX, subsamplingY };
}

export function sameVp9Picture(a: Vp9Picture, b: Vp9Picture): boolean {
	return (
		a.profile === b.profile &&
		a.width === b.width &&
		a.height === b.height &&
		a.bitDepth === b.bitDepth &&
		a.subsamplingX === b.subsamplingX &&
		a.subsamplingY === b.subsamplingY &&
		a.colorSpace === b.colorSpace &&
		a.fullRange === b.fullRange
	);
}

/** What each level allows: luma samples per second and per picture. https://www.webmproject.org/vp9/levels/ */
const LEVELS: readonly (readonly [level: number, samplesPerSecond: number, samplesPerPicture: number])[] = [
	[10, 829_440, 36_864],
	[11, 2_764_800, 73_728],
	[20, 4_608_000, 122_880],
	[21, 9_216_000, 245_760],
	[30, 20_736_000, 552_960],
	[31, 36_864_000, 983_040],
	[40, 83_558_400, 2_228_224],
	[41, 160_432_128, 2_228_224],
	[50, 311_951_360, 8_912_896],
	[51, 588_251_136, 8_912_896],
	[52, 1_176_502_272, 8_912_896],
	[60, 1_176_502_272, 35_651_584],
	[61, 2_353_004_544, 35_651_584],
];
const HIGHEST_LEVEL = 62;

/** Ten times the lowest level that allows pictures of this size at this rate. The stream does not say its level. */
export function vp9Level({ width, height }: Pick<Vp9Picture, "width" | "height">, frameRate: number): number {
	const samples = width * height;
	const fits = LEVELS.find(([, perSecond, perPicture]) => samples * frameRate <= perSecond && samples <= perPicture);
	return fits?.[0] ?? HIGHEST_LEVEL;
}

function malformed(message: string): ProtocolError {
	return new ProtocolError("bytes.malformed", message);
}

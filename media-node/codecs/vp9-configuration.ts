import { ProtocolError } from "#shared/problem.ts";
import { type ColorDescription, UNSPECIFIED_COLOR } from "./av1-sequence.ts";
import { type Vp9Picture, vp9Level } from "./vp9.ts";

/** The VPCodecConfigurationRecord, VP Codec ISO Media File Format Binding. */
export type Vp9Configuration = {
	readonly profile: number;
	/** Ten times the level. */
	readonly level: number;
	readonly bitDepth: number;
	/** `chromaSubsampling` of that record. */
	readonly chromaSubsampling: number;
	readonly color: ColorDescription;
};

/** The frame rate is not known when the first picture comes. A level that is too high only promises too little. */
const ASSUMED_FRAME_RATE = 60;

/** `matrix_coefficients` of ISO 23091-2 for each `color_space` of the VP9 specification §7.2.2; 6 is reserved. */
const MATRIX_OF_COLOR_SPACE: readonly number[] = [UNSPECIFIED_COLOR, 5, 1, 6, 7, 9, UNSPECIFIED_COLOR, 0];

/**
 * What a file says of such pictures. A VP9 stream tells no primaries and transfer.
 *
 * @throws ProtocolError `media.unsupported`: 4:4:0, for which files have no number
 */
export function vp9Configuration(picture: Vp9Picture): Vp9Configuration {
	const { profile, bitDepth, colorSpace, fullRange } = picture;
	const matrix = MATRIX_OF_COLOR_SPACE[colorSpace] ?? UNSPECIFIED_COLOR;
	return {
		profile,
		level: vp9Level(picture, ASSUMED_FRAME_RATE),
		bitDepth,
		chromaSubsampling: chromaSubsamplingOf(picture),
		color: { primaries: UNSPECIFIED_COLOR, transfer: UNSPECIFIED_COLOR, matrix, fullRange },
	};
}

/** 4:2:0 whose chroma samples are where luma samples are, 4:2:2, 4:4:4. */
const COLOCATED_420 = 1;
const SUBSAMPLING_422 = 2;
const SUBSAMPLING_444 = 3;

function chromaSubsamplingOf({ subsamplingX, subsamplingY }: Vp9Picture): number {
	if (subsamplingX) return subsamplingY ? COLOCATED_420 : SUBSAMPLING_422;
	if (!subsamplingY) return SUBSAMPLING_444;
	throw new ProtocolError("media.unsupported", "VP9 of 4:4:0 is not carried in MP4; use 4:2:0");
}

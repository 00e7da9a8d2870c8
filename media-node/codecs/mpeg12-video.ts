import { u8 } from "../bytes/big-endian.ts";
import { findStartCode, START_CODE_BYTES, startCodeAt } from "./start-code.ts";

/** Values of start codes of ISO 13818-2 table 6-1; those of ISO 11172-2 are the same. */
export const MPEG12_START_CODE = {
	picture: 0x00,
	firstSlice: 0x01,
	lastSlice: 0xaf,
	sequence: 0xb3,
	group: 0xb8,
} as const;

export function isMpeg12Slice(code: number): boolean {
	return code >= MPEG12_START_CODE.firstSlice && code <= MPEG12_START_CODE.lastSlice;
}

/** What RTP repeats of a picture header. */
export type Mpeg12Picture = {
	/** 0 to 1023. */
	readonly temporalReference: number;
	/** 1: I, 2: P, 3: B, 4: D. */
	readonly codingType: number;
	/** `full_pel_forward_vector` and `forward_f_code`; 0 in an I picture. */
	readonly forward: number;
	/** `full_pel_backward_vector` and `backward_f_code`; 0 unless in a B picture. */
	readonly backward: number;
};

/**
 * Reads the picture header whose start code is at `at`; `null` when it is cut off at `end`.
 *
 * @see ISO 13818-2 §6.2.3: 10 bits of temporal reference, 3 of type, 16 of VBV delay, then four bits for each direction
 */
export function readMpeg12Picture(bytes: Uint8Array, at: number, end: number): Mpeg12Picture | null {
	const start = at + START_CODE_BYTES;
	if (start + 4 > end) return null;
	const temporalReference = (u8(bytes, start) << 2) | (u8(bytes, start + 1) >> 6);
	const codingType = (u8(bytes, start + 1) >> 3) & 0x07;
	const hasForward = codingType === 2 || codingType === 3;
	const hasBackward = codingType === 3;
	if (hasForward && start + 5 > end) return null;
	const forward = hasForward ? ((u8(bytes, start + 3) & 0x07) << 1) | (u8(bytes, start + 4) >> 7) : 0;
	const backward = hasBackward ? (u8(bytes, start + 4) >> 3) & 0x0f : 0;
	return { temporalReference, codingType, forward, backward };
}

/** Says whether a sequence header stands before the first picture of a frame, and so a decoder can begin with it. */
export function hasSequenceHeader(bytes: Uint8Array, from: number, end: number): boolean {
	let at = findStartCode(bytes, from, end);
	while (at < end) {
		const code = startCodeAt(bytes, at, end);
		if (code === MPEG12_START_CODE.sequence) return true;
		if (code === MPEG12_START_CODE.picture || isMpeg12Slice(code)) return false;
		at = findStartCode(bytes, at + START_CODE_BYTES, end);
	}
	return false;
}

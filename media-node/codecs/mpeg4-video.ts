import { u8 } from "../bytes/big-endian.ts";
import { findStartCode, START_CODE_BYTES, startCodeAt } from "./start-code.ts";

/** Values of start codes of ISO 14496-2 table 6-3. */
export const MPEG4_START_CODE = {
	/** `video_object_layer_start_code`, of which there are 16. */
	firstVideoObjectLayer: 0x20,
	lastVideoObjectLayer: 0x2f,
	visualObjectSequence: 0xb0,
	groupOfVop: 0xb3,
	visualObject: 0xb5,
	vop: 0xb6,
} as const;

/** Where the start code of the first VOP is between `from` and `end`; `end` when there is none. */
export function findVop(bytes: Uint8Array, from: number, end: number): number {
	let at = findStartCode(bytes, from, end);
	while (at < end && u8(bytes, at + 3) !== MPEG4_START_CODE.vop) {
		at = findStartCode(bytes, at + START_CODE_BYTES, end);
	}
	return at;
}

/** Says whether the VOP whose start code is at `at` is intra coded: `vop_coding_type` 0, ISO 14496-2 §6.2.5. */
export function isIntraVop(bytes: Uint8Array, at: number, end: number): boolean {
	const type = at + START_CODE_BYTES;
	return type < end && u8(bytes, type) >> 6 === 0;
}

/** User data may be among the headers; without it they are less than a hundred bytes. */
const MAX_CONFIG_BYTES = 2_048;

/**
 * The visual object sequence, visual object and video object layer headers that stand before the VOP of a frame, as a
 * view: what an SDP's `config` has. `null` when there is no video object layer among them, or they are too large.
 */
export function mpeg4ConfigOf(frame: Uint8Array): Uint8Array | null {
	let hasLayer = false;
	let at = findStartCode(frame, 0, frame.length);
	const start = at;
	while (at < frame.length) {
		const code = startCodeAt(frame, at, frame.length);
		if (code === MPEG4_START_CODE.vop || code === MPEG4_START_CODE.groupOfVop) break;
		hasLayer ||= code >= MPEG4_START_CODE.firstVideoObjectLayer && code <= MPEG4_START_CODE.lastVideoObjectLayer;
		at = findStartCode(frame, at + START_CODE_BYTES, frame.length);
	}
	return hasLayer && at - start <= MAX_CONFIG_BYTES ? frame.subarray(start, at) : null;
}

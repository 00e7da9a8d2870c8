import { u8, u16 } from "../bytes/big-endian.ts";

/** What one payload without redundant ones has before it. */
export const RED_HEADER_BYTES = 1;
/** Redundant payloads of one packet. Browsers send none with video, and two at most with audio. */
export const MAX_RED_BLOCKS = 8;

/** The primary payload of a packet. One object serves for all packets. */
export type RedBlock = {
	/** 0 to 127. */
	payloadType: number;
	offset: number;
	length: number;
};

/**
 * Finds the primary payload in that of a packet of redundant audio or video. Redundant ones are left out: they are of
 * other packets. `false` when it is malformed. Never throws.
 *
 *      0                   1                    2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3  4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |1|   block PT  |  timestamp offset         |   block length    |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |0|   block PT  |
 *     +-+-+-+-+-+-+-+-+
 *
 * @see RFC 2198 §3
 */
export function readRed(block: RedBlock, bytes: Uint8Array, offset: number, length: number): boolean {
	const end = offset + length;
	if (length < RED_HEADER_BYTES || end > bytes.length) return false;
	let at = offset;
	let redundant = 0;
	for (let blocks = 0; (u8(bytes, at) & 0x80) !== 0; blocks++) {
		if (blocks >= MAX_RED_BLOCKS || at + 4 >= end) return false;
		redundant += u16(bytes, at + 2) & 0x3ff;
		at += 4;
	}
	block.payloadType = u8(bytes, at) & 0x7f;
	block.offset = at + RED_HEADER_BYTES + redundant;
	block.length = end - block.offset;
	return block.length >= 0;
}

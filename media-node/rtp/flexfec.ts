import { putU16, putU32, u8, u16, u32 } from "../bytes/big-endian.ts";
import { clearFecSum, FEC_SUM_HEAD_BYTES, type FecSum, MAX_PROTECTED_BYTES } from "./fec-sum.ts";

/** How far apart the packets may be that one FEC packet protects, plus one: the bits of the longest mask. */
export const MAX_FLEXFEC_SPAN = 109;
/** Of a packet that protects one source, with the shortest mask; and what the two longer ones add. */
const SHORT_HEADER_BYTES = 20;
const MIDDLE_MASK_BYTES = 4;
const LONG_MASK_BYTES = 8;
/** Bits of the mask up to the end of each of its parts. */
const SHORT_SPAN = 15;
const MIDDLE_SPAN = 46;
/** The most that a FEC packet has before what it protects. */
export const MAX_FLEXFEC_HEADER_BYTES = SHORT_HEADER_BYTES + MIDDLE_MASK_BYTES + LONG_MASK_BYTES;

/** Which packets a FEC packet protects. */
export type FlexfecCover = {
	readonly ssrc: number;
	/** Ascending modulo 2^16. */
	readonly sequences: readonly number[];
};

/**
 * Writes the payload of a FEC packet: `sum` of the packets of `ssrc` at `distances` from `baseSequence`, which ascend and
 * are below {@link MAX_FLEXFEC_SPAN}. Gives its length. This is draft 03, as libwebrtc has it; RFC 8627 differs.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |R|F|P|X|  CC   |M| PT recovery |         length recovery       |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                          TS recovery                          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |   SSRCCount   |                    reserved                   |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                             SSRC_i                            |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |           SN base_i           |k|          Mask [0-14]        |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |k|                   Mask [15-45] (optional)                   |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |k|                                                             |
 *     +-+                   Mask [46-108] (optional)                  |
 *     |                                                               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @see draft-ietf-payload-flexible-fec-scheme-03 §4.2.2.1
 */
export function writeFlexfec(
	out: Uint8Array,
	at: number,
	sum: FecSum,
	ssrc: number,
	baseSequence: number,
	distances: readonly number[],
): number {
	const span = (distances.at(-1) ?? 0) + 1;
	const header = headerBytesOf(span);
	if (at + header + sum.length > out.length) throw new RangeError("There is no room for a FEC packet");
	out.fill(0, at, at + header);
	out.set(sum.bytes.subarray(0, FEC_SUM_HEAD_BYTES), at);
	out[at] = u8(out, at) & 0x3f;
	out[at + 8] = 1;
	putU32(out, at + 12, ssrc);
	putU16(out, at + 16, baseSequence);
	for (const distance of distances) {
		const bit = bitOf(distance);
		const byte = at + 18 + (bit >> 3);
		out[byte] = u8(out, byte) | (0x80 >> (bit & 7));
	}
	// The part of the mask that is the last one says so.
	const last = at + (span <= SHORT_SPAN ? 18 : span <= MIDDLE_SPAN ? 20 : 24);
	out[last] = u8(out, last) | 0x80;
	out.set(sum.bytes.subarray(FEC_SUM_HEAD_BYTES, FEC_SUM_HEAD_BYTES + sum.length), at + header);
	return header + sum.length;
}

/**
 * Reads the payload of a FEC packet into `sum`, which is cleared before. `null` when it is malformed, is a retransmission
 * (R), has a fixed mask (F), or protects several sources: nobody sends those. Never throws.
 */
export function readFlexfec(sum: FecSum, bytes: Uint8Array, at: number, length: number): FlexfecCover | null {
	if (length < SHORT_HEADER_BYTES || at + length > bytes.length) return null;
	if ((u8(bytes, at) & 0xc0) !== 0 || u8(bytes, at + 8) !== 1) return null;
	const span = spanOf(bytes, at, length);
	const header = headerBytesOf(span);
	const size = length - header;
	if (size < 0 || size > MAX_PROTECTED_BYTES) return null;
	const base = u16(bytes, at + 16);
	const sequences: number[] = [];
	for (let distance = 0; distance < span; distance++) {
		const bit = bitOf(distance);
		if (u8(bytes, at + 18 + (bit >> 3)) & (0x80 >> (bit & 7))) sequences.push((base + distance) & 0xffff);
	}
	if (sequences.length === 0) return null;
	clearFecSum(sum);
	sum.bytes.set(bytes.subarray(at, at + FEC_SUM_HEAD_BYTES));
	sum.bytes.set(bytes.subarray(at + header, at + length), FEC_SUM_HEAD_BYTES);
	sum.length = size;
	return { ssrc: u32(bytes, at + 12), sequences };
}

/** Where the bit of a distance stands, from the beginning of the mask: one bit goes before each of its parts. */
function bitOf(distance: number): number {
	return distance + (distance < SHORT_SPAN ? 1 : distance < MIDDLE_SPAN ? 2 : 3);
}

function headerBytesOf(span: number): number {
	if (span <= SHORT_SPAN) return SHORT_HEADER_BYTES;
	return SHORT_HEADER_BYTES + MIDDLE_MASK_BYTES + (span <= MIDDLE_SPAN ? 0 : LONG_MASK_BYTES);
}

function spanOf(bytes: Uint8Array, at: number, length: number): number {
	if (u8(bytes, at + 18) & 0x80) return SHORT_SPAN;
	return length > SHORT_HEADER_BYTES && u8(bytes, at + 20) & 0x80 ? MIDDLE_SPAN : MAX_FLEXFEC_SPAN;
}

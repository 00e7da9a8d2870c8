import { putU16, u8, u16 } from "../bytes/big-endian.ts";
import { clearFecSum, FEC_SUM_HEAD_BYTES, type FecSum, MAX_PROTECTED_BYTES } from "./fec-sum.ts";

/** How far apart the packets may be that one FEC packet protects, plus one: the bits of the long mask. */
export const MAX_ULPFEC_SPAN = 48;
const SHORT_SPAN = 16;
const FEC_HEADER_BYTES = 10;
const LEVEL_HEADER_BYTES = 4;
const LONG_MASK_BYTES = 4;
/** The most that a FEC packet has before what it protects. */
export const MAX_ULPFEC_HEADER_BYTES = FEC_HEADER_BYTES + LEVEL_HEADER_BYTES + LONG_MASK_BYTES;

/**
 * Writes the payload of a FEC packet of one level: `sum` of the packets at `distances` from `baseSequence`, which ascend
 * and are below {@link MAX_ULPFEC_SPAN}. Gives its length.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |E|L|P|X|  CC   |M| PT recovery |            SN base            |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                          TS recovery                          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |        length recovery        |       Protection Length       |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |             mask              |  mask cont. (32 bits, L = 1)  |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @see RFC 5109 §7.3, §7.4
 */
export function writeUlpfec(
	out: Uint8Array,
	at: number,
	sum: FecSum,
	baseSequence: number,
	distances: readonly number[],
): number {
	const isLong = (distances.at(-1) ?? 0) >= SHORT_SPAN;
	const header = FEC_HEADER_BYTES + LEVEL_HEADER_BYTES + (isLong ? LONG_MASK_BYTES : 0);
	if (at + header + sum.length > out.length) throw new RangeError("There is no room for a FEC packet");
	out.fill(0, at, at + header);
	out.set(sum.bytes.subarray(0, 2), at);
	out[at] = (u8(out, at) & 0x3f) | (isLong ? 0x40 : 0);
	putU16(out, at + 2, baseSequence);
	out.set(sum.bytes.subarray(4, 8), at + 4);
	out.set(sum.bytes.subarray(2, 4), at + 8);
	putU16(out, at + 10, sum.length);
	for (const distance of distances) {
		const byte = at + 12 + (distance >> 3);
		out[byte] = u8(out, byte) | (0x80 >> (distance & 7));
	}
	out.set(sum.bytes.subarray(FEC_SUM_HEAD_BYTES, FEC_SUM_HEAD_BYTES + sum.length), at + header);
	return header + sum.length;
}

/**
 * Reads the payload of a FEC packet into `sum`, which is cleared before. Gives the numbers of the packets that it
 * protects, ascending modulo 2^16; `null` when it is malformed. Of several levels only the first one is read: it is the
 * only one that browsers write. Never throws.
 */
export function readUlpfec(sum: FecSum, bytes: Uint8Array, at: number, length: number): number[] | null {
	const short = FEC_HEADER_BYTES + LEVEL_HEADER_BYTES;
	if (length < short || at + length > bytes.length) return null;
	const first = u8(bytes, at);
	// RFC 5109 §7.3: the extension flag is for times to come.
	if (first & 0x80) return null;
	const isLong = (first & 0x40) !== 0;
	const header = short + (isLong ? LONG_MASK_BYTES : 0);
	const size = u16(bytes, at + 10);
	if (size > MAX_PROTECTED_BYTES || header + size > length) return null;
	const base = u16(bytes, at + 2);
	const sequences: number[] = [];
	for (let distance = 0; distance < (isLong ? MAX_ULPFEC_SPAN : SHORT_SPAN); distance++) {
		const isProtected = (u8(bytes, at + 12 + (distance >> 3)) & (0x80 >> (distance & 7))) !== 0;
		if (isProtected) sequences.push((base + distance) & 0xffff);
	}
	if (sequences.length === 0) return null;
	clearFecSum(sum);
	sum.bytes[0] = first & 0x3f;
	sum.bytes[1] = u8(bytes, at + 1);
	sum.bytes.set(bytes.subarray(at + 8, at + 10), 2);
	sum.bytes.set(bytes.subarray(at + 4, at + 8), 4);
	sum.bytes.set(bytes.subarray(at + header, at + header + size), FEC_SUM_HEAD_BYTES);
	sum.length = size;
	return sequences;
}

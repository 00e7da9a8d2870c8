import { putU16, putU32, u8, u16, u32 } from "../bytes/big-endian.ts";
import { RTP_HEADER_BYTES } from "./rtp-packet.ts";

/** The most of a packet that is protected, after the fixed header: what a datagram of Ethernet holds. */
export const MAX_PROTECTED_BYTES = 1_500;
/** Before the payloads: P, X, CC, M and PT as in a packet, 16 bits of length, 32 bits of time stamp. */
export const FEC_SUM_HEAD_BYTES = 8;

/**
 * The exclusive or of packets, as RFC 5109 §8 and draft-ietf-payload-flexible-fec-scheme-03 §6 both have it: of some
 * fields of the header, of the length, and of all that follows the fixed header. What is missing of a sum is one packet.
 */
export type FecSum = {
	readonly bytes: Uint8Array;
	/** Of the longest packet, after the fixed header. */
	length: number;
};

export function newFecSum(): FecSum {
	return { bytes: new Uint8Array(FEC_SUM_HEAD_BYTES + MAX_PROTECTED_BYTES), length: 0 };
}

/** Makes it the sum of no packets. */
export function clearFecSum(sum: FecSum): void {
	sum.bytes.fill(0, 0, FEC_SUM_HEAD_BYTES + sum.length);
	sum.length = 0;
}

/** Adds a whole packet. `false`, and nothing is added, when it is too long or too short. */
export function addToFecSum(sum: FecSum, bytes: Uint8Array, offset: number, length: number): boolean {
	const size = length - RTP_HEADER_BYTES;
	if (size < 0 || size > MAX_PROTECTED_BYTES || offset + length > bytes.length) return false;
	addHead(sum, u8(bytes, offset), u8(bytes, offset + 1), size, u32(bytes, offset + 4));
	addBody(sum, 0, bytes, offset + RTP_HEADER_BYTES, size);
	return true;
}

/**
 * Adds a packet that is not written as one: the first two bytes of its header and its time stamp, what follows the fixed
 * header, and its payload. `false`, and nothing is added, when it is too long.
 */
export function addPartsToFecSum(
	sum: FecSum,
	first: number,
	second: number,
	timestamp: number,
	extension: Uint8Array,
	bytes: Uint8Array,
	at: number,
	length: number,
): boolean {
	const size = extension.length + length;
	if (length < 0 || size > MAX_PROTECTED_BYTES || at + length > bytes.length) return false;
	addHead(sum, first, second, size, timestamp);
	addBody(sum, 0, extension, 0, extension.length);
	addBody(sum, extension.length, bytes, at, length);
	return true;
}

/** The packet that a sum is of, when it is of one; `null` when it says that it is longer than what was protected. */
export function packetOfFecSum({ bytes, length }: FecSum, sequence: number, ssrc: number): Uint8Array | null {
	const size = u16(bytes, 2);
	if (size > length) return null;
	const packet = new Uint8Array(RTP_HEADER_BYTES + size);
	packet[0] = 0x80 | (u8(bytes, 0) & 0x3f);
	packet[1] = u8(bytes, 1);
	putU16(packet, 2, sequence);
	putU32(packet, 4, u32(bytes, 4));
	putU32(packet, 8, ssrc);
	packet.set(bytes.subarray(FEC_SUM_HEAD_BYTES, FEC_SUM_HEAD_BYTES + size), RTP_HEADER_BYTES);
	return packet;
}

function addHead({ bytes }: FecSum, first: number, second: number, size: number, timestamp: number): void {
	bytes[0] = u8(bytes, 0) ^ (first & 0x3f);
	bytes[1] = u8(bytes, 1) ^ second;
	putU16(bytes, 2, u16(bytes, 2) ^ size);
	putU32(bytes, 4, u32(bytes, 4) ^ timestamp);
}

function addBody(sum: FecSum, from: number, bytes: Uint8Array, at: number, size: number): void {
	const out = sum.bytes;
	let to = FEC_SUM_HEAD_BYTES + from;
	for (const end = at + size; at < end; at++, to++) out[to] = u8(out, to) ^ u8(bytes, at);
	sum.length = Math.max(sum.length, from + size);
}

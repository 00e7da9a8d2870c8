/** Packets of SCTP, RFC 9260 §3, and what holds them together: a checksum and a row of chunks. Pure. */

import { putU16, putU32, u8, u16, u32 } from "../../bytes/big-endian.ts";

/** RFC 9260 §3.2, RFC 3758 §3.2, RFC 6525 §3.1. */
export const SctpChunkType = {
	data: 0,
	init: 1,
	initAck: 2,
	sack: 3,
	heartbeat: 4,
	heartbeatAck: 5,
	abort: 6,
	shutdown: 7,
	shutdownAck: 8,
	error: 9,
	cookieEcho: 10,
	cookieAck: 11,
	shutdownComplete: 14,
	reconfig: 130,
	forwardTsn: 192,
} as const;

/** `body`: what follows the header, without padding; a view of the packet. */
export type SctpChunk = { readonly type: number; readonly flags: number; readonly body: Uint8Array };

export type SctpPacket = {
	readonly sourcePort: number;
	readonly destinationPort: number;
	/** The verification tag: known to the two ends alone, RFC 9260 §8.5. */
	readonly tag: number;
	/** At least one. */
	readonly chunks: readonly SctpChunk[];
};

export const SCTP_HEADER_BYTES = 12;
export const CHUNK_HEADER_BYTES = 4;
/** More than anybody puts into a packet of an MTU. */
const MAX_CHUNKS = 128;

/** The polynomial of CRC32c with its bits the other way round, RFC 9260 Appendix A. */
const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
	let value = byte;
	for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1;
	return value;
});

/** The checksum of a packet as a number whose bytes are sent in big-endian order; its own field counts as 0. */
export function sctpChecksum(packet: Uint8Array): number {
	let crc = 0xffff_ffff;
	for (let at = 0; at < packet.length; at++) {
		const byte = at >= 8 && at < SCTP_HEADER_BYTES ? 0 : u8(packet, at);
		crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] as number);
	}
	const sum = ~crc;
	// RFC 9260 Appendix A: the lowest byte goes first.
	return ((sum << 24) | ((sum & 0xff00) << 8) | ((sum >>> 8) & 0xff00) | (sum >>> 24)) >>> 0;
}

/** Reads a packet; `null` when it is damaged. The chunks are views of it. */
export function parseSctp(bytes: Uint8Array): SctpPacket | null {
	if (bytes.length < SCTP_HEADER_BYTES + CHUNK_HEADER_BYTES || u32(bytes, 8) !== sctpChecksum(bytes)) return null;
	const chunks: SctpChunk[] = [];
	for (let at = SCTP_HEADER_BYTES; at < bytes.length; ) {
		if (bytes.length - at < CHUNK_HEADER_BYTES || chunks.length === MAX_CHUNKS) return null;
		const length = u16(bytes, at + 2);
		if (length < CHUNK_HEADER_BYTES || length > bytes.length - at) return null;
		const body = bytes.subarray(at + CHUNK_HEADER_BYTES, at + length);
		chunks.push({ type: u8(bytes, at), flags: u8(bytes, at + 1), body });
		// The padding of the last chunk may be missing.
		at += paddedTo4(length);
	}
	return { sourcePort: u16(bytes, 0), destinationPort: u16(bytes, 2), tag: u32(bytes, 4), chunks };
}

/** Writes a packet with its checksum. */
export function writeSctp({ sourcePort, destinationPort, tag, chunks }: SctpPacket): Uint8Array {
	const size = chunks.reduce((sum, { body }) => sum + CHUNK_HEADER_BYTES + paddedTo4(body.length), SCTP_HEADER_BYTES);
	const bytes = new Uint8Array(size);
	putU16(bytes, 0, sourcePort);
	putU16(bytes, 2, destinationPort);
	putU32(bytes, 4, tag);
	let at = SCTP_HEADER_BYTES;
	for (const { type, flags, body } of chunks) {
		bytes[at] = type;
		bytes[at + 1] = flags;
		putU16(bytes, at + 2, CHUNK_HEADER_BYTES + body.length);
		bytes.set(body, at + CHUNK_HEADER_BYTES);
		at += CHUNK_HEADER_BYTES + paddedTo4(body.length);
	}
	putU32(bytes, 8, sctpChecksum(bytes));
	return bytes;
}

export function paddedTo4(length: number): number {
	return (length + 3) & ~3;
}

/** How far `a` is after `b`, of 32 bits that wrap: from -2^31 to 2^31-1. RFC 9260 §1.6. */
export function tsnDistance(a: number, b: number): number {
	return (a - b) | 0;
}

/** The number `steps` after `tsn`. */
export function tsnAfter(tsn: number, steps = 1): number {
	return (tsn + steps) >>> 0;
}

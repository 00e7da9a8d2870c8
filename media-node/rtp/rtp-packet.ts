import { putU16, putU32, u8, u16, u32 } from "../bytes/big-endian.ts";

/** Bytes of a header without contributing sources and extension. */
export const RTP_HEADER_BYTES = 12;

/** A parsed packet. One object serves for all packets, so that the hot loop makes none. */
export type RtpPacket = {
	marker: boolean;
	/** 0 to 127. */
	payloadType: number;
	/** 16 bits, unsigned. */
	sequence: number;
	/** 32 bits, unsigned. */
	timestamp: number;
	ssrc: number;
	/** Where the payload begins in the bytes that the packet was read from. */
	payloadOffset: number;
	/** Without padding. */
	payloadLength: number;
};

export function newRtpPacket(): RtpPacket {
	return {
		marker: false,
		payloadType: 0,
		sequence: 0,
		timestamp: 0,
		ssrc: 0,
		payloadOffset: 0,
		payloadLength: 0,
	};
}

/**
 * Reads the packet of `length` bytes at `offset` into `packet`. Gives `false`, and leaves `packet` in no particular
 * state, when it is malformed. Never throws.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                           timestamp                           |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |           synchronization source (SSRC) identifier            |
 *     +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *     |            contributing source (CSRC) identifiers             |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @see RFC 3550 §5.1, §5.3.1
 */
export function readRtpPacket(packet: RtpPacket, bytes: Uint8Array, offset: number, length: number): boolean {
	const end = offset + length;
	if (length < RTP_HEADER_BYTES || offset < 0 || end > bytes.length) return false;
	const first = u8(bytes, offset);
	if (first >> 6 !== 2) return false;

	let payload = offset + RTP_HEADER_BYTES + (first & 0x0f) * 4;
	if (first & 0x10) {
		if (payload + 4 > end) return false;
		payload += 4 + u16(bytes, payload + 2) * 4;
	}
	if (payload > end) return false;
	let payloadLength = end - payload;
	if (first & 0x20) {
		const padding = u8(bytes, end - 1);
		if (padding === 0 || padding > payloadLength) return false;
		payloadLength -= padding;
	}

	const second = u8(bytes, offset + 1);
	packet.marker = second >= 0x80;
	packet.payloadType = second & 0x7f;
	packet.sequence = u16(bytes, offset + 2);
	packet.timestamp = u32(bytes, offset + 4);
	packet.ssrc = u32(bytes, offset + 8);
	packet.payloadOffset = payload;
	packet.payloadLength = payloadLength;
	return true;
}

/** Writes the {@link RTP_HEADER_BYTES} of a header without contributing sources and extension at `offset`. */
export function writeRtpHeader(
	bytes: Uint8Array,
	offset: number,
	header: Omit<RtpPacket, "payloadOffset" | "payloadLength">,
): void {
	if (offset + RTP_HEADER_BYTES > bytes.length) throw new RangeError("There is no room for an RTP header");
	bytes[offset] = 0x80;
	bytes[offset + 1] = (header.marker ? 0x80 : 0) | header.payloadType;
	patchRtpHeader(bytes, offset, header.sequence, header.timestamp, header.ssrc);
}

/** Puts other numbers into the header at `offset`. All are taken modulo their size. */
export function patchRtpHeader(
	bytes: Uint8Array,
	offset: number,
	sequence: number,
	timestamp: number,
	ssrc: number,
): void {
	putU16(bytes, offset + 2, sequence);
	putU32(bytes, offset + 4, timestamp);
	putU32(bytes, offset + 8, ssrc);
}

/** How far it is from one sequence number to another, the shorter way round: -32768 to 32767. */
export function sequenceDistance(from: number, to: number): number {
	return ((to - from) << 16) >> 16;
}

/** Says whether a datagram looks like RTP rather than RTCP or something else. RFC 5761 §4, RFC 7983 §7. */
export function isRtp(bytes: Uint8Array, offset = 0, length = bytes.length - offset): boolean {
	return length >= RTP_HEADER_BYTES && hasVersion2(bytes, offset) && !hasRtcpType(bytes, offset);
}

/** Says whether a datagram looks like RTCP. RFC 5761 §4. */
export function isRtcp(bytes: Uint8Array, offset = 0, length = bytes.length - offset): boolean {
	return length >= 4 && hasVersion2(bytes, offset) && hasRtcpType(bytes, offset);
}

function hasVersion2(bytes: Uint8Array, offset: number): boolean {
	return u8(bytes, offset) >> 6 === 2;
}

function hasRtcpType(bytes: Uint8Array, offset: number): boolean {
	const type = u8(bytes, offset + 1);
	return type >= 192 && type <= 223;
}

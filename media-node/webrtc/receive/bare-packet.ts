import { u16 } from "../../bytes/big-endian.ts";
import { RTP_HEADER_BYTES, type RtpPacket, writeRtpHeader } from "../../rtp/rtp-packet.ts";

/** Bytes before the payload of a retransmission: the number of the packet. RFC 4588 §4. */
const ORIGINAL_SEQUENCE_BYTES = 2;

/**
 * Takes the header extension, contributing sources, and padding out of the packet that `packet` was read from: a new
 * header is written right before the payload. Says where the packet begins now. Extensions are of this session, and
 * would mean something else, or nothing, to readers.
 */
export function makeBare(packet: RtpPacket, bytes: Uint8Array): number {
	const offset = packet.payloadOffset - RTP_HEADER_BYTES;
	writeRtpHeader(bytes, offset, packet);
	return offset;
}

/**
 * Makes a retransmission the packet that it brings, in place: `packet` and its payload. `false` when it brings none, as
 * those that only probe for bandwidth. RFC 4588 §4.
 */
export function unwrapRetransmission(packet: RtpPacket, bytes: Uint8Array, payloadType: number, ssrc: number): boolean {
	if (packet.payloadLength <= ORIGINAL_SEQUENCE_BYTES) return false;
	packet.sequence = u16(bytes, packet.payloadOffset);
	packet.payloadOffset += ORIGINAL_SEQUENCE_BYTES;
	packet.payloadLength -= ORIGINAL_SEQUENCE_BYTES;
	packet.payloadType = payloadType;
	packet.ssrc = ssrc;
	return true;
}

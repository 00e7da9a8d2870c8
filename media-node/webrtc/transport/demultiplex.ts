import { u8 } from "../../bytes/big-endian.ts";

export type PacketKind = "stun" | "dtls" | "rtp" | "rtcp" | "unknown";

/** What shares one port, told apart by the first byte, and RTCP from RTP by the second. RFC 7983 §7, RFC 5761 §4. */
export function packetKind(bytes: Uint8Array): PacketKind {
	if (bytes.length < 2) return "unknown";
	const first = u8(bytes, 0);
	if (first >= 128 && first <= 191) {
		const type = u8(bytes, 1) & 0x7f;
		return type >= 64 && type <= 95 ? "rtcp" : "rtp";
	}
	if (first >= 20 && first <= 63) return "dtls";
	return first <= 3 ? "stun" : "unknown";
}

import { putU16, u8 } from "../../bytes/big-endian.ts";
import type { Codec } from "../../codecs/codec.ts";
import { H264_NAL } from "../../codecs/h264.ts";
import { H265_NAL } from "../../codecs/h265.ts";
import { RTP_HEADER_BYTES } from "../../rtp/rtp-packet.ts";

/** Longer ones do not fit a datagram together. */
const MAX_SETS_BYTES = 1_200;
/** nal_ref_idc 3, as parameter sets have. */
const STAP_A_HEADER = 0x78;
/** Type 48, layer 0, temporal ID 1. */
const AP_HEADER = [0x60, 0x01];

/**
 * Says whether a key frame whose first payload this is may come without the parameter sets that browsers need: they
 * do not read them from an SDP. A payload that begins with a parameter set brings the rest as well.
 */
export function lacksParameterSets(codec: Codec, bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < 3) return false;
	if (codec.name === "H264") {
		const type = u8(bytes, offset) & 0x1f;
		const first = type === H264_NAL.stapA ? (length > 3 ? u8(bytes, offset + 3) & 0x1f : 0) : type;
		return first !== H264_NAL.sps && first !== H264_NAL.aud;
	}
	if (codec.name === "H265") {
		const type = (u8(bytes, offset) >> 1) & 0x3f;
		const first = type === H265_NAL.ap ? (length > 4 ? (u8(bytes, offset + 4) >> 1) & 0x3f : 0) : type;
		return first !== H265_NAL.vps && first !== H265_NAL.sps && first !== H265_NAL.aud;
	}
	return false;
}

/**
 * A packet with the parameter sets of a codec, with empty numbers; `null` when they are not known, or too long.
 * RFC 6184 §5.7.1, RFC 7798 §4.4.2.
 */
export function parameterSetPacket(codec: Codec): Uint8Array | null {
	const sets =
		codec.name === "H264" ? [codec.sps, codec.pps] : codec.name === "H265" ? [codec.vps, codec.sps, codec.pps] : [];
	const header = codec.name === "H264" ? [STAP_A_HEADER] : AP_HEADER;
	let size = header.length;
	for (const set of sets) {
		if (set === null) return null;
		size += 2 + set.length;
	}
	if (sets.length === 0 || size > MAX_SETS_BYTES) return null;
	const packet = new Uint8Array(RTP_HEADER_BYTES + size);
	packet[0] = 0x80;
	packet.set(header, RTP_HEADER_BYTES);
	let at = RTP_HEADER_BYTES + header.length;
	for (const set of sets) {
		if (set === null) continue;
		putU16(packet, at, set.length);
		packet.set(set, at + 2);
		at += 2 + set.length;
	}
	return packet;
}

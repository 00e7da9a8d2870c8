import { u8, u16 } from "../../bytes/big-endian.ts";
import { H264_NAL, h264NalType, isH264RandomAccess } from "../../codecs/h264.ts";
import type { NalCollector, NalPayloadFormat } from "./nal-depacketizer.ts";

/** RFC 6184, packetization modes 0 and 1. */
export const H264_PAYLOAD_FORMAT: NalPayloadFormat = {
	readPayload,
	isSlice: (nal) => h264NalType(nal) >= H264_NAL.slice && h264NalType(nal) <= H264_NAL.idr,
	beginsPicture,
	isRandomAccess: isH264RandomAccess,
};

/** Types of packet that the sender may use in no mode that is offered: STAP-B, MTAP16, MTAP24 and FU-B. */
const INTERLEAVED = new Set([25, 26, 27, 29]);

/**
 * Single NAL unit, STAP-A or FU-A.
 *
 *     +---------------+---------------+
 *     |0|1|2|3|4|5|6|7|0|1|2|3|4|5|6|7|   a NAL unit's header, or a FU indicator
 *     |F|NRI|  Type   |S|E|R|  Type   |   with its FU header
 *     +---------------+---------------+
 *
 * @see RFC 6184 §5.6, §5.7.1, §5.8
 */
function readPayload(nals: NalCollector, bytes: Uint8Array, offset: number, length: number): boolean {
	const indicator = u8(bytes, offset);
	const type = indicator & 0x1f;
	if (type === H264_NAL.fuA) {
		if (length < 2) return false;
		const header = u8(bytes, offset + 1);
		const added =
			header & 0x80
				? nals.beginFragments([(indicator & 0xe0) | (header & 0x1f)], bytes, offset + 2, length - 2)
				: nals.continueFragments(bytes, offset + 2, length - 2);
		return added && (!(header & 0x40) || nals.endFragments());
	}
	if (type === H264_NAL.stapA) return readAggregate(nals, bytes, offset + 1, offset + length);
	if (type > 0 && type < H264_NAL.stapA) return nals.nal(bytes, offset, length);
	// §5.2: what is undefined must be ignored.
	return !INTERLEAVED.has(type);
}

function readAggregate(nals: NalCollector, bytes: Uint8Array, start: number, end: number): boolean {
	let at = start;
	while (at + 2 <= end) {
		const size = u16(bytes, at);
		// Some senders pad.
		if (size === 0) return true;
		at += 2;
		if (size > end - at || !nals.nal(bytes, at, size)) return false;
		at += size;
	}
	return at === end;
}

/** ITU-T H.264 §7.4.1.2.3: what comes before the first slice, or one with `first_mb_in_slice` 0. */
function beginsPicture(nal: Uint8Array): boolean {
	const type = h264NalType(nal);
	if (type === H264_NAL.slice || type === H264_NAL.idr) return nal.length > 1 && u8(nal, 1) >= 0x80;
	return type >= H264_NAL.sei && type <= H264_NAL.aud;
}

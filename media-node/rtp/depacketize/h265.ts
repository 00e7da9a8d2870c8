import { u8, u16 } from "../../bytes/big-endian.ts";
import { H265_NAL, H265_NAL_HEADER_BYTES, h265NalType, isH265RandomAccess } from "../../codecs/h265.ts";
import type { NalCollector, NalPayloadFormat } from "./nal-depacketizer.ts";

/**
 * RFC 7798. `hasOrder`: packets carry decoding order numbers (`sprop-max-don-diff` is not 0). They are read over, as
 * the sender of a live stream sends in decoding order anyway.
 */
export function h265PayloadFormat(hasOrder: boolean): NalPayloadFormat {
	return {
		readPayload: (nals, bytes, offset, length) => readPayload(nals, bytes, offset, length, hasOrder),
		isSlice: (nal) => h265NalType(nal) < H265_NAL.vps,
		beginsPicture,
		isRandomAccess: isH265RandomAccess,
	};
}

const PACI = 50;

/**
 * Single NAL unit, AP or FU.
 *
 *     +---------------+---------------+---------------+
 *     |0|1|2|3|4|5|6|7|0|1|2|3|4|5|6|7|0|1|2|3|4|5|6|7|   a NAL unit's header, or a payload header
 *     |F|   Type    |  LayerId  | TID |S|E|   FuType  |   with its FU header
 *     +-------------+-----------------+---------------+
 *
 * @see RFC 7798 §4.4.1, §4.4.2, §4.4.3
 */
function readPayload(
	nals: NalCollector,
	bytes: Uint8Array,
	offset: number,
	length: number,
	hasOrder: boolean,
): boolean {
	if (length < H265_NAL_HEADER_BYTES) return false;
	const first = u8(bytes, offset);
	const second = u8(bytes, offset + 1);
	const type = (first >> 1) & 0x3f;
	const orderBytes = hasOrder ? 2 : 0;
	if (type === H265_NAL.fu) {
		if (length < 3) return false;
		const header = u8(bytes, offset + 2);
		const begins = header >= 0x80;
		const skipped = 3 + (begins ? orderBytes : 0);
		if (length < skipped) return false;
		const added = begins
			? nals.beginFragments(
					[(first & 0x81) | ((header & 0x3f) << 1), second],
					bytes,
					offset + skipped,
					length - skipped,
				)
			: nals.continueFragments(bytes, offset + skipped, length - skipped);
		return added && (!(header & 0x40) || nals.endFragments());
	}
	if (type === H265_NAL.ap) return readAggregate(nals, bytes, offset + 2, offset + length, orderBytes);
	if (type === PACI) return false;
	// §4.4: what is undefined must be ignored.
	if (type > PACI) return true;
	if (!hasOrder) return nals.nal(bytes, offset, length);
	const skipped = H265_NAL_HEADER_BYTES + orderBytes;
	return (
		length > skipped &&
		nals.beginFragments([first, second], bytes, offset + skipped, length - skipped) &&
		nals.endFragments()
	);
}

/** `orderBytes`: of the first unit's number; those after it have a difference of one byte. */
function readAggregate(nals: NalCollector, bytes: Uint8Array, start: number, end: number, orderBytes: number): boolean {
	let at = start + orderBytes;
	while (at + 2 <= end) {
		const size = u16(bytes, at);
		at += 2;
		if (size < H265_NAL_HEADER_BYTES || size > end - at || !nals.nal(bytes, at, size)) return false;
		at += size;
		if (at < end && orderBytes > 0) at++;
	}
	return at === end;
}

/** ITU-T H.265 §7.4.2.4.4: what comes before the first slice segment, or the one with its flag. */
function beginsPicture(nal: Uint8Array): boolean {
	const type = h265NalType(nal);
	if (type < H265_NAL.vps) return nal.length > H265_NAL_HEADER_BYTES && u8(nal, H265_NAL_HEADER_BYTES) >= 0x80;
	return type <= H265_NAL.aud || type === PREFIX_SEI;
}

const PREFIX_SEI = 39;

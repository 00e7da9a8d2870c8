import { u8, u16, u24 } from "../bytes/big-endian.ts";
import type { CodecName } from "../codecs/codec.ts";
import { H264_NAL, isH264RandomAccess } from "../codecs/h264.ts";
import { H265_NAL } from "../codecs/h265.ts";
import { findVop, isIntraVop, MPEG4_START_CODE } from "../codecs/mpeg4-video.ts";
import { MPEG12_START_CODE } from "../codecs/mpeg12-video.ts";
import { startCodeAt } from "../codecs/start-code.ts";
import { isVp8KeyFrame } from "../codecs/vp8.ts";
import { isVp9KeyFrame } from "../codecs/vp9.ts";
import { startsAv1Sequence } from "./depacketize/av1.ts";
import { mpeg12HeaderBytes } from "./depacketize/mpeg12-video.ts";
import { startsVp8Frame, vp8HeaderBytes } from "./depacketize/vp8.ts";
import { startsVp9Picture, vp9HeaderBytes } from "./depacketize/vp9.ts";

/**
 * Says whether a packet, by its payload, is where a reader can begin: it brings parameter sets or the beginning of a
 * key frame. Only looks at headers, and is for each packet on its way to RTSP readers. Always `true` for audio and what
 * is not known. Never throws.
 */
export function startsRandomAccess(codec: CodecName, bytes: Uint8Array, offset: number, length: number): boolean {
	switch (codec) {
		case "H264":
			return startsH264(bytes, offset, length);
		case "H265":
			return startsH265(bytes, offset, length);
		case "AV1":
			return length > 1 && startsAv1Sequence(bytes, offset, length);
		case "VP9":
			return startsVp9(bytes, offset, length);
		case "VP8":
			return startsVp8(bytes, offset, length);
		case "MPEG-4 Video":
			return startsMpeg4(bytes, offset, length);
		case "MPEG-1/2 Video":
			return startsMpeg12(bytes, offset, length);
		case "M-JPEG":
			// RFC 2435 §3.1.2: the fragment offset is 0.
			return length > MJPEG_HEADER_BYTES && u24(bytes, offset + 1) === 0;
		default:
			return true;
	}
}

const MJPEG_HEADER_BYTES = 8;

/** RFC 9628 §4.2: P is not set, and B is. Some senders never set P, so that the frame itself is looked at, too. */
function startsVp9(bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < 1 || u8(bytes, offset) & 0x40) return false;
	const header = vp9HeaderBytes(bytes, offset, length);
	if (header < 0 || header >= length) return false;
	return startsVp9Picture(bytes, offset) && isVp9KeyFrame(bytes, offset + header);
}

/** RFC 7741 §4.2, §4.3. */
function startsVp8(bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < 1 || !startsVp8Frame(bytes, offset)) return false;
	const header = vp8HeaderBytes(bytes, offset, length);
	return header > 0 && header < length && isVp8KeyFrame(bytes, offset + header);
}

/** RFC 6416 §5: headers, or an I-VOP, at the beginning of the payload. */
function startsMpeg4(bytes: Uint8Array, offset: number, length: number): boolean {
	const end = offset + length;
	const code = startCodeAt(bytes, offset, end);
	if (code < 0) return false;
	const vop = findVop(bytes, offset, end);
	if (vop < end) return isIntraVop(bytes, vop, end);
	return (
		code === MPEG4_START_CODE.visualObjectSequence ||
		(code >= MPEG4_START_CODE.firstVideoObjectLayer && code <= MPEG4_START_CODE.lastVideoObjectLayer)
	);
}

/** RFC 2250 §3.1: a sequence header is at the beginning of the payload. */
function startsMpeg12(bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < 1) return false;
	const header = mpeg12HeaderBytes(bytes, offset, length);
	return header > 0 && startCodeAt(bytes, offset + header, offset + length) === MPEG12_START_CODE.sequence;
}

/** RFC 6184 §5.6 to §5.8. */
function startsH264(bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < 2) return false;
	const type = u8(bytes, offset) & 0x1f;
	switch (type) {
		case H264_NAL.sei:
			return isH264RandomAccess(bytes.subarray(offset, offset + length));
		case H264_NAL.fuA: {
			const header = u8(bytes, offset + 1);
			return header >= 0x80 && isH264Start(header & 0x1f);
		}
		case H264_NAL.stapA:
			return someAggregated(bytes, offset + 1, offset + length, (at, size) => {
				const nalType = u8(bytes, at) & 0x1f;
				return nalType === H264_NAL.sei ? isH264RandomAccess(bytes.subarray(at, at + size)) : isH264Start(nalType);
			});
		default:
			return isH264Start(type);
	}
}

function isH264Start(type: number): boolean {
	return type === H264_NAL.idr || type === H264_NAL.sps || type === H264_NAL.pps;
}

/** RFC 7798 §4.4. */
function startsH265(bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < 3) return false;
	const type = (u8(bytes, offset) >> 1) & 0x3f;
	switch (type) {
		case H265_NAL.fu: {
			const header = u8(bytes, offset + 2);
			return header >= 0x80 && isH265Start(header & 0x3f);
		}
		case H265_NAL.ap:
			return someAggregated(bytes, offset + 2, offset + length, (at) => isH265Start((u8(bytes, at) >> 1) & 0x3f));
		default:
			return isH265Start(type);
	}
}

function isH265Start(type: number): boolean {
	return (type >= H265_NAL.firstIrap && type <= H265_NAL.lastIrap) || (type >= H265_NAL.vps && type <= H265_NAL.pps);
}

/** Says whether `test` holds for one of the NAL units between `start` and `end`, each behind a 16-bit size. */
function someAggregated(
	bytes: Uint8Array,
	start: number,
	end: number,
	test: (at: number, size: number) => boolean,
): boolean {
	let at = start;
	while (at + 3 <= end) {
		const size = u16(bytes, at);
		at += 2;
		if (size === 0 || size > end - at) return false;
		if (test(at, size)) return true;
		at += size;
	}
	return false;
}

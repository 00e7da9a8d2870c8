import { u8, u16 } from "../bytes/big-endian.ts";
import type { CodecName } from "../codecs/codec.ts";
import { H264_NAL, isH264RandomAccess } from "../codecs/h264.ts";
import { H265_NAL } from "../codecs/h265.ts";

/**
 * Says whether a packet, by its payload, is where a reader can begin: it brings parameter sets or the beginning of a
 * key frame. Only looks at headers, and is for each packet on its way to RTSP readers. Always `true` for audio and what
 * is not known. Never throws.
 */
export function startsRandomAccess(codec: CodecName, bytes: Uint8Array, offset: number, length: number): boolean {
	if (codec === "H264") return startsH264(bytes, offset, length);
	if (codec === "H265") return startsH265(bytes, offset, length);
	return true;
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

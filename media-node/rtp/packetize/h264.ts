import { u8 } from "../../bytes/big-endian.ts";
import { H264_NAL } from "../../codecs/h264.ts";
import { nalPacketizer } from "./nal-packetizer.ts";

/** Packs H.264 as single NAL units, STAP-A and FU-A: packetization mode 1. RFC 6184 §5.6, §5.7.1, §5.8. */
export const packetizeH264 = nalPacketizer({
	headerBytes: 1,
	fragmentHeaderBytes: 2,
	writeAggregateHeader(payload, nals) {
		let forbidden = 0;
		let refIdc = 0;
		for (const nal of nals) {
			forbidden |= u8(nal, 0) & 0x80;
			refIdc = Math.max(refIdc, u8(nal, 0) & 0x60);
		}
		payload[0] = forbidden | refIdc | H264_NAL.stapA;
	},
	writeFragmentHeader(payload, nal, first, last) {
		const header = u8(nal, 0);
		payload[0] = (header & 0xe0) | H264_NAL.fuA;
		payload[1] = (first ? 0x80 : 0) | (last ? 0x40 : 0) | (header & 0x1f);
	},
});

import { u8, u16 } from "../../bytes/big-endian.ts";
import { H265_NAL, h265NalType } from "../../codecs/h265.ts";
import { nalPacketizer } from "./nal-packetizer.ts";

/** Packs H.265 as single NAL units, AP and FU, without decoding order numbers. RFC 7798 §4.4. */
export const packetizeH265 = nalPacketizer({
	headerBytes: 2,
	fragmentHeaderBytes: 3,
	writeAggregateHeader(payload, nals) {
		let forbidden = 0;
		let layer = 0x3f;
		let temporal = 7;
		for (const nal of nals) {
			forbidden |= u8(nal, 0) & 0x80;
			layer = Math.min(layer, (u16(nal, 0) >> 3) & 0x3f);
			temporal = Math.min(temporal, u8(nal, 1) & 0x07);
		}
		payload[0] = forbidden | (H265_NAL.ap << 1) | (layer >> 5);
		payload[1] = (layer << 3) | temporal;
	},
	writeFragmentHeader(payload, nal, first, last) {
		payload[0] = (u8(nal, 0) & 0x81) | (H265_NAL.fu << 1);
		payload[1] = u8(nal, 1);
		payload[2] = (first ? 0x80 : 0) | (last ? 0x40 : 0) | h265NalType(nal);
	},
});

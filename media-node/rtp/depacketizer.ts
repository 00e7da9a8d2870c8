import type { Codec } from "../codecs/codec.ts";
import { opusSamples } from "../codecs/opus.ts";
import { aacFormatOf } from "./aac-format.ts";
import type { Depacketizer } from "./access-unit.ts";
import { AacDepacketizer } from "./depacketize/aac.ts";
import { H264_PAYLOAD_FORMAT } from "./depacketize/h264.ts";
import { h265PayloadFormat } from "./depacketize/h265.ts";
import { NalDepacketizer } from "./depacketize/nal-depacketizer.ts";
import { WholeFrameDepacketizer } from "./depacketize/whole-frame.ts";
import { numberOf, parseFmtp } from "./fmtp.ts";

/**
 * The depacketizer of a track, by its codec and what an SDP says of it: `encoding` is its `a=rtpmap` without payload
 * type. `null` for what is only passed through.
 */
export function createDepacketizer(codec: Codec, { fmtp }: { encoding: string; fmtp: string }): Depacketizer | null {
	switch (codec.name) {
		case "H264":
			return new NalDepacketizer(H264_PAYLOAD_FORMAT);
		case "H265":
			return new NalDepacketizer(h265PayloadFormat(numberOf(parseFmtp(fmtp), "sprop-max-don-diff", 0) > 0));
		case "MPEG-4 Audio": {
			const format = aacFormatOf(fmtp);
			return format === null ? null : new AacDepacketizer(format);
		}
		case "Opus":
			return new WholeFrameDepacketizer((frame) => opusSamples(frame) > 0);
		case "G711": {
			const { channels } = codec;
			return new WholeFrameDepacketizer((frame) => frame.length % channels === 0);
		}
		default:
			return null;
	}
}

import type { Codec } from "../codecs/codec.ts";
import { describeCodec } from "../rtp/format.ts";
import type { RtpFormat } from "./track.ts";

const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;
const LAST_PAYLOAD_TYPE = 127;

/** How RTP carries the track `index` of a container; `null` when it carries no such codec, or there are too many tracks. */
export function rtpFormatOf(codec: Codec, clockRate: number, index: number): RtpFormat | null {
	const description = describeCodec(codec, clockRate);
	const payloadType = FIRST_DYNAMIC_PAYLOAD_TYPE + index;
	return description === null || payloadType > LAST_PAYLOAD_TYPE ? null : { payloadType, ...description };
}

import type { Codec } from "../codecs/codec.ts";
import { isWholeKlv } from "../codecs/klv.ts";
import { readAudioMuxElements } from "../codecs/latm.ts";
import { opusSamples } from "../codecs/opus.ts";
import { sampleBlockOf } from "../codecs/sample-block.ts";
import { aacFormatOf } from "./aac-format.ts";
import { type Depacketizer, MAX_ACCESS_UNIT_BYTES } from "./access-unit.ts";
import { AacDepacketizer } from "./depacketize/aac.ts";
import { Ac3Depacketizer } from "./depacketize/ac3.ts";
import { Av1Assembler } from "./depacketize/av1.ts";
import { H264_PAYLOAD_FORMAT } from "./depacketize/h264.ts";
import { h265PayloadFormat } from "./depacketize/h265.ts";
import { MarkedUnitDepacketizer } from "./depacketize/marked-unit.ts";
import { MjpegAssembler } from "./depacketize/mjpeg.ts";
import { MpegAudioDepacketizer } from "./depacketize/mpeg-audio.ts";
import { MPEG4_VIDEO_PAYLOAD_FORMAT } from "./depacketize/mpeg4-video.ts";
import { MPEG12_VIDEO_PAYLOAD_FORMAT } from "./depacketize/mpeg12-video.ts";
import { MpegTsDepacketizer } from "./depacketize/mpegts.ts";
import { NalDepacketizer } from "./depacketize/nal-depacketizer.ts";
import { PictureAssembler } from "./depacketize/picture-assembler.ts";
import { UnitDepacketizer } from "./depacketize/unit-depacketizer.ts";
import { VP8_PAYLOAD_FORMAT } from "./depacketize/vp8.ts";
import { VP9_PAYLOAD_FORMAT } from "./depacketize/vp9.ts";
import { WholeFrameDepacketizer } from "./depacketize/whole-frame.ts";
import { numberOf, parseFmtp } from "./fmtp.ts";
import { isLatm, latmFormatOf } from "./latm-format.ts";

/**
 * The depacketizer of a track, by its codec and what an SDP says of it: `encoding` is its `a=rtpmap` without payload
 * type. `null` for what is only passed through.
 */
export function createDepacketizer(
	codec: Codec,
	{ encoding, fmtp }: { encoding: string; fmtp: string },
): Depacketizer | null {
	switch (codec.name) {
		case "H264":
			return new NalDepacketizer(H264_PAYLOAD_FORMAT);
		case "H265":
			return new NalDepacketizer(h265PayloadFormat(numberOf(parseFmtp(fmtp), "sprop-max-don-diff", 0) > 0));
		case "AV1":
			return new UnitDepacketizer(new Av1Assembler());
		case "VP9":
			return new UnitDepacketizer(new PictureAssembler(VP9_PAYLOAD_FORMAT));
		case "VP8":
			return new UnitDepacketizer(new PictureAssembler(VP8_PAYLOAD_FORMAT));
		case "MPEG-4 Video":
			return new UnitDepacketizer(new PictureAssembler(MPEG4_VIDEO_PAYLOAD_FORMAT));
		case "MPEG-1/2 Video":
			return new UnitDepacketizer(new PictureAssembler(MPEG12_VIDEO_PAYLOAD_FORMAT));
		case "M-JPEG":
			return new UnitDepacketizer(new MjpegAssembler());
		case "MPEG-4 Audio": {
			if (isLatm(encoding)) return latmDepacketizer(fmtp);
			const format = aacFormatOf(fmtp);
			return format === null ? null : new AacDepacketizer(format);
		}
		case "Opus":
			return new WholeFrameDepacketizer((frame) => opusSamples(frame) > 0);
		case "MPEG-1/2 Audio":
			return new MpegAudioDepacketizer();
		case "AC3":
			return new Ac3Depacketizer();
		case "G711":
		case "G722":
		case "G726":
		case "LPCM": {
			const block = sampleBlockOf(codec);
			return block === null ? null : new WholeFrameDepacketizer((frame) => frame.length % block.bytes === 0);
		}
		case "KLV":
			return new MarkedUnitDepacketizer({
				maxBytes: MAX_ACCESS_UNIT_BYTES,
				framesOf: (unit) => (isWholeKlv(unit) ? [unit] : null),
			});
		case "MPEG-TS":
			return new MpegTsDepacketizer();
		default:
			return null;
	}
}

/** Above what an element of 64 frames of eight channels has. */
const MAX_LATM_BYTES = 512 * 1024;

function latmDepacketizer(fmtp: string): Depacketizer | null {
	const format = latmFormatOf(fmtp);
	if (format === null) return null;
	const framesOf = (unit: Uint8Array) => readAudioMuxElements(unit, format.layout, format.inBand);
	return new MarkedUnitDepacketizer({ maxBytes: MAX_LATM_BYTES, framesOf });
}

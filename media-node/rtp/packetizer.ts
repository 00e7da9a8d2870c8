import { aacFrameTicks, parseAudioSpecificConfig } from "../codecs/aac.ts";
import type { Codec } from "../codecs/codec.ts";
import { sampleBlockOf } from "../codecs/sample-block.ts";
import type { Packetizer } from "./access-unit.ts";
import { aacPacketizer } from "./packetize/aac.ts";
import { ac3Packetizer } from "./packetize/ac3.ts";
import { packetizeAv1 } from "./packetize/av1.ts";
import { packetizeH264 } from "./packetize/h264.ts";
import { packetizeH265 } from "./packetize/h265.ts";
import { packetizeKlv } from "./packetize/klv.ts";
import { packetizeMjpeg } from "./packetize/mjpeg.ts";
import { mpegAudioPacketizer } from "./packetize/mpeg-audio.ts";
import { packetizeMpeg4Video } from "./packetize/mpeg4-video.ts";
import { packetizeMpeg12Video } from "./packetize/mpeg12-video.ts";
import { packetizeMpegTs } from "./packetize/mpegts.ts";
import { packetizeOpus } from "./packetize/opus.ts";
import { samplePacketizer } from "./packetize/samples.ts";
import { packetizeVp8 } from "./packetize/vp8.ts";
import { vp9Packetizer } from "./packetize/vp9.ts";

/**
 * The packetizer of a codec on a clock of `clockRate`, which packs as `describeCodec` tells; `null` for what is only passed through.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `media.unsupported`: the AAC configuration is of no use
 */
export function createPacketizer(codec: Codec, clockRate: number): Packetizer | null {
	switch (codec.name) {
		case "H264":
			return packetizeH264;
		case "H265":
			return packetizeH265;
		case "AV1":
			return packetizeAv1;
		case "VP9":
			return vp9Packetizer();
		case "VP8":
			return packetizeVp8;
		case "MPEG-4 Video":
			return packetizeMpeg4Video;
		case "MPEG-1/2 Video":
			return packetizeMpeg12Video;
		case "M-JPEG":
			return packetizeMjpeg;
		case "MPEG-4 Audio":
			return aacPacketizer(aacFrameTicks(parseAudioSpecificConfig(codec.config), clockRate));
		case "Opus":
			return packetizeOpus;
		case "MPEG-1/2 Audio":
			return mpegAudioPacketizer(clockRate);
		case "AC3":
			return ac3Packetizer(clockRate);
		case "G711":
		case "G722":
		case "G726":
		case "LPCM": {
			const block = sampleBlockOf(codec);
			return block === null ? null : samplePacketizer(block);
		}
		case "KLV":
			return packetizeKlv;
		case "MPEG-TS":
			return packetizeMpegTs;
		default:
			return null;
	}
}

import { aacFrameTicks, parseAudioSpecificConfig } from "../codecs/aac.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Packetizer } from "./access-unit.ts";
import { aacPacketizer } from "./packetize/aac.ts";
import { g711Packetizer } from "./packetize/g711.ts";
import { packetizeH264 } from "./packetize/h264.ts";
import { packetizeH265 } from "./packetize/h265.ts";
import { packetizeOpus } from "./packetize/opus.ts";

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
		case "MPEG-4 Audio":
			return aacPacketizer(aacFrameTicks(parseAudioSpecificConfig(codec.config), clockRate));
		case "Opus":
			return packetizeOpus;
		case "G711":
			return g711Packetizer(codec.channels);
		default:
			return null;
	}
}

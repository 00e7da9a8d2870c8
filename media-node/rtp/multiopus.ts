import type { Codec } from "../codecs/codec.ts";
import { OPUS_CLOCK_RATE } from "../codecs/opus.ts";
import { opusStreamsOf } from "../codecs/opus-channels.ts";
import { numberOf, parseFmtp } from "./fmtp.ts";

/**
 * Opus of 3 to 8 channels, as Chrome and GStreamer describe it: no RFC does. `null` for what is not in the order of
 * Vorbis, which is taken for granted where nothing is said.
 */
export function multiopusOf(channels: number, fmtp: string): Codec | null {
	const expected = opusStreamsOf(channels);
	if (expected === null) return null;
	const parameters = parseFmtp(fmtp);
	const mapping = parameters.get("channel_mapping")?.replaceAll(/\s/g, "") ?? expected.mapping.join(",");
	const isVorbis =
		mapping === expected.mapping.join(",") &&
		numberOf(parameters, "num_streams", expected.streams) === expected.streams &&
		numberOf(parameters, "coupled_streams", expected.coupled) === expected.coupled;
	return isVorbis ? { name: "Opus", channels } : null;
}

/** What describes Opus of any number of channels in an SDP. */
export function describeOpus(channels: number): { encoding: string; fmtp: string } {
	const streams = opusStreamsOf(channels);
	if (streams === null) return { encoding: `opus/${OPUS_CLOCK_RATE}/2`, fmtp: channels === 2 ? "sprop-stereo=1" : "" };
	return {
		encoding: `multiopus/${OPUS_CLOCK_RATE}/${channels}`,
		fmtp:
			`channel_mapping=${streams.mapping.join(",")}; num_streams=${streams.streams}; ` +
			`coupled_streams=${streams.coupled}`,
	};
}

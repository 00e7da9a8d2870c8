import { aacFrameTicks, parseAudioSpecificConfig } from "./aac.ts";
import type { Codec } from "./codec.ts";
import { opusSamples } from "./opus.ts";

/** Gives how long one frame lasts, in ticks of the track's clock. 0 when the frame is malformed. Never throws. */
export type FrameTicks = (frame: Uint8Array) => number;

/**
 * How the frames of an audio codec are timed on a clock of `clockRate`; `null` for one that is not audio or not known.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `media.unsupported`: the configuration is of no use
 */
export function frameTicksOf(codec: Codec, clockRate: number): FrameTicks | null {
	switch (codec.name) {
		case "MPEG-4 Audio": {
			const ticks = aacFrameTicks(parseAudioSpecificConfig(codec.config), clockRate);
			return () => ticks;
		}
		case "Opus":
			return opusSamples;
		case "G711": {
			const { channels } = codec;
			return (frame) => Math.floor(frame.length / channels);
		}
		default:
			return null;
	}
}

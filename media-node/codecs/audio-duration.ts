import { aacFrameTicks, parseAudioSpecificConfig } from "./aac.ts";
import { ac3Ticks } from "./ac3.ts";
import type { Codec } from "./codec.ts";
import { mpegAudioTicks } from "./mpeg-audio.ts";
import { opusSamples } from "./opus.ts";
import { sampleBlockOf, ticksOfBlocks } from "./sample-block.ts";

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
		case "MPEG-1/2 Audio":
			return (frame) => Math.round(mpegAudioTicks(frame, clockRate));
		case "AC3":
			return (frame) => Math.round(ac3Ticks(frame, clockRate));
		case "G711":
		case "G722":
		case "G726":
		case "LPCM": {
			const block = sampleBlockOf(codec);
			return block === null ? null : (frame) => ticksOfBlocks(frame, block);
		}
		default:
			return null;
	}
}

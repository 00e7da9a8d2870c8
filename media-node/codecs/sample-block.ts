import type { Codec } from "./codec.ts";

/** The fewest whole bytes of a codec without frames that begin and end with a sample of every channel. */
export type SampleBlock = {
	readonly bytes: number;
	/** How long they last on the codec's RTP clock. */
	readonly ticks: number;
};

/** The blocks of a codec whose frames can be divided between any two of them; `null` for any other. */
export function sampleBlockOf(codec: Codec): SampleBlock | null {
	switch (codec.name) {
		case "G711":
			return { bytes: codec.channels, ticks: 1 };
		case "G722":
			// Two samples a byte, of which the clock counts one: RFC 3551 §4.5.2.
			return { bytes: codec.channels, ticks: 1 };
		case "G726": {
			// 2 to 5 bits a sample. Where they do not fill a byte, eight samples fill as many bytes: RFC 3551 §4.5.4.
			const bits = codec.bitRate / 8;
			return 8 % bits === 0 ? { bytes: 1, ticks: 8 / bits } : { bytes: bits, ticks: 8 };
		}
		case "LPCM":
			return { bytes: (codec.bitDepth / 8) * codec.channels, ticks: 1 };
		default:
			return null;
	}
}

/** How long a frame of blocks lasts. Never throws. */
export function ticksOfBlocks(frame: Uint8Array, block: SampleBlock): number {
	return Math.floor(frame.length / block.bytes) * block.ticks;
}

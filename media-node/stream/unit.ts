import type { Track } from "./track.ts";

/**
 * One access unit: all that is to be decoded at one moment of one track. Plain data. Its frames are views of the bytes
 * that came in: they hold until `push` returns, so a sink that keeps them longer copies them.
 */
export type Unit = {
	readonly track: Track;
	/** Presentation and decoding time in the track's ticks since the stream's zero, common to all tracks; never wraps. */
	readonly pts: number;
	readonly dts: number;
	/** Wall-clock time of `pts`, milliseconds since the Unix epoch. */
	readonly wallclockMs: number;
	/** A decoder can begin here. True for every audio unit. */
	readonly randomAccess: boolean;
	/** H26x: NAL units without start code or length. AV1: OBUs without size field. Audio: one or more whole frames. */
	readonly frames: readonly Uint8Array[];
};

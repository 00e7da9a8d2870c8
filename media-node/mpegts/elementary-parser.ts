import type { Codec } from "../codecs/codec.ts";

/** The data of a PES packet with its times in ticks of 1/90000 s, unwrapped; `null` where it has none. */
export type TimedData = {
	readonly pts: number | null;
	readonly dts: number | null;
	readonly data: Uint8Array;
	readonly randomAccess: boolean;
};

/** An access unit with its times in ticks of the track's clock. */
export type ElementaryUnit = {
	readonly pts: number;
	readonly dts: number;
	readonly randomAccess: boolean;
	readonly frames: readonly Uint8Array[];
};

/** Makes access units of the PES packets of one elementary stream. */
export interface ElementaryParser {
	readonly kind: "video" | "audio" | "application";
	/** With the newest parameter sets; `null` while a decoder could not be told what comes. */
	readonly codec: Codec | null;
	/** What the codec is called when its stream ends before it is known; `null` when the track is then of no use. */
	readonly codecAtEnd: Codec | null;
	/** Ticks per second; it holds once the codec is known. */
	readonly clockRate: number;
	/** Units and runs of bytes that were malformed. */
	readonly dropped: number;
	/** Never throws. */
	push(packet: TimedData): readonly ElementaryUnit[];
	/** Data was lost: what was left of the packets before is not continued. */
	reset(): void;
}

export const NO_UNITS: readonly ElementaryUnit[] = [];
/** Of PES time stamps, ISO 13818-1 §2.4.3.7. */
export const PES_CLOCK_RATE = 90_000;
/** The most frames or NAL units of one access unit. */
export const MAX_UNIT_FRAMES = 8_192;

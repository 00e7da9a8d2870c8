import type { Rendition } from "#shared/timeline/record.ts";

/** A segment before it has a number: what a packager hands to the timeline. */
export type PendingSegment = {
	/** Wall-clock time of its first frame, milliseconds since the Unix epoch. */
	readonly startMs: number;
	/** The media before it does not continue into it. */
	readonly discontinuity: boolean;
	readonly parts: readonly PendingPart[];
};

export type PendingPart = {
	readonly rendition: Omit<Rendition, "bandwidth" | "averageBandwidth">;
	/** The init segment (ftyp + moov) and the SHA-256 of it, hex, cut to 32 characters. */
	readonly init: Uint8Array;
	readonly initHash: string;
	/** In seconds. */
	readonly duration: number;
	readonly bytes: Uint8Array;
};

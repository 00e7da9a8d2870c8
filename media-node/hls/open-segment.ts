import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import type { TrackPackager } from "./track-packager.ts";

/** A segment of which not all parts are there. Times are presentation times in milliseconds. */
export type OpenSegment = {
	readonly beginMs: number;
	/** Infinite for the newest one. */
	endMs: number;
	/** Wall-clock time of `beginMs`, milliseconds since the Unix epoch. */
	readonly startMs: number;
	readonly discontinuity: boolean;
	readonly parts: ClosedPart[];
	/** How many tracks have not closed their part. */
	missing: number;
	/** The segment behind it. */
	next: OpenSegment | null;
};

export type ClosedPart = {
	/** Of its track. */
	readonly index: number;
	readonly part: PendingSegment["parts"][number];
	/** What it costs in memory. */
	readonly held: number;
	readonly release: () => void;
};

/** A segment with all its parts. `release` gives their memory back, once nobody looks at their bytes any more. */
export type PackagedSegment = PendingSegment & { release(): void };

export type CutOptions = {
	/** Wall-clock time of the cut, milliseconds since the Unix epoch. */
	readonly startMs: number;
	readonly discontinuity: boolean;
	/** The track whose next unit makes the cut, and that unit's decoding time: all before it is in. */
	readonly by: { readonly track: TrackPackager; readonly dts: number } | null;
};

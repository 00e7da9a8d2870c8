import type { Track } from "../stream/track.ts";

/** An access unit of a file. Times are ticks of its track's clock, on a time line that all tracks of the file share. */
export type FileUnit = {
	readonly trackIndex: number;
	readonly pts: number;
	readonly dts: number;
	/** Ticks until the next unit of the track, where the file says or the codec does; 0 where nothing is known. */
	readonly duration: number;
	readonly randomAccess: boolean;
	readonly frames: readonly Uint8Array[];
};

/** A file that was opened: it can be played any number of times, one after another. */
export interface MediaSource {
	readonly tracks: readonly Omit<Track, "index">[];
	/**
	 * The access units of all tracks from the beginning, as they are to be sent.
	 *
	 * @throws ProtocolError when the file is damaged
	 */
	units(signal: AbortSignal): AsyncGenerator<FileUnit, void, void>;
}

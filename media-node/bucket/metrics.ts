/** What one stream's uploader says of itself, as plain numbers: whoever exports metrics reads them. */
export type UploaderMetrics = {
	/** Segments that wait or are under way in memory. */
	readonly queueItems: number;
	readonly queueBytes: number;
	/** Segments that wait on disk. */
	readonly spoolItems: number;
	readonly spoolBytes: number;
	readonly segmentsCommitted: number;
	/** Segments that will never be committed. */
	readonly segmentsLost: number;
	/** Requests to the bucket that failed and were tried again. */
	readonly retries: number;
	/** From the end of the last committed segment to its commit, in milliseconds; `null` before the first. */
	readonly lastCommitLagMs: number | null;
	/** How long the oldest segment waits that is not committed, or the last one did; in milliseconds. */
	readonly waitMs: number;
	/** The bucket has not answered well for a while: segments go to disk. */
	readonly isAway: boolean;
};

/** Why a segment will never be committed. */
export type LossReason = "queue_full" | "spool_full" | "spool_damaged" | "invalid" | "fenced" | "closed";

export type Loss = {
	readonly reason: LossReason;
	readonly segments: number;
	/** In seconds; 0 where it is not known. */
	readonly duration: number;
};

/** What was polled of a stream, for charts: kept while its page is open. Pure. */

export type Figure = {
	/** Milliseconds since the Unix epoch. */
	readonly atMs: number;
	readonly bitsPerSecond: number;
	readonly viewers: number;
};

/** Twenty minutes of polls each three seconds. */
export const MAX_FIGURES = 400;

/** The history with one more; the oldest goes when there are too many. */
export function extended(history: readonly Figure[], figure: Figure): Figure[] {
	return [...history, figure].slice(-MAX_FIGURES);
}

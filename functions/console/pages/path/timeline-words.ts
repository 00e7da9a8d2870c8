/** Moments of the timeline, in the time of who looks at it. */

const DAY_MS = 86_400_000;
/** The least distance of ticks in a shorter view is less than a minute. */
const SHORT_MS = 5 * 60_000;
/** A view so long needs the day beside each hour. */
const LONG_MS = 1.5 * DAY_MS;
const VERY_LONG_MS = 10 * DAY_MS;

/** Under a tick: the hour, and the day where a view has several. */
export function clockText(atMs: number, viewMs: number): string {
	const at = new Date(atMs);
	if (viewMs > VERY_LONG_MS) return at.toLocaleDateString(undefined, { day: "numeric", month: "short" });
	const seconds = viewMs < SHORT_MS ? ({ second: "2-digit" } as const) : {};
	const time = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", ...seconds });
	if (viewMs <= LONG_MS) return time;
	return `${at.toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`;
}

/** The day and the second. */
export function momentText(atMs: number): string {
	return new Date(atMs).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

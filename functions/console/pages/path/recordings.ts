import type { Recordings } from "../../../routes/recordings.ts";
import type { Span } from "./timeline-scale.ts";

export type { Recordings };

/** The stretches as spans of time; those without a length are none. */
export function spansOf({ items }: Pick<Recordings, "items">): Span[] {
	return items
		.map(({ start, end }) => ({ startMs: Date.parse(start), endMs: Date.parse(end) }))
		.filter(({ startMs, endMs }) => endMs > startMs);
}

/** How long all of them last together, in milliseconds. */
export function totalMs(spans: readonly Span[]): number {
	return spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

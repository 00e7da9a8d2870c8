import { withStretch } from "#shared/timeline/index-fold.ts";
import type { Stretch } from "#shared/timeline/index-hour.ts";
import { keptSinceMs } from "./selection.ts";
import type { StreamTimeline } from "./stream-timelines.ts";

/** What of a timeline can be played, oldest first. */
export function stretchesOf(timeline: StreamTimeline, nowMs: number): Stretch[] {
	const { head, tail, record } = timeline;
	const gapMs = 2000 * record.targetDuration;
	const all: Stretch[] = [
		...(head?.stretches ?? []),
		...tail.map(({ startMs, duration }): Stretch => [startMs, startMs + duration * 1000]),
	];
	// The live window is listed however short segments are kept.
	const keptMs = Math.min(keptSinceMs(timeline, nowMs), record.window[0]?.startMs ?? Number.POSITIVE_INFINITY);
	const merged: Stretch[] = [];
	for (const [startMs, endMs] of all.sort(([a], [b]) => a - b))
		if (endMs > keptMs) merged.push(...withStretch(merged.splice(-1), [Math.max(startMs, keptMs), endMs], gapMs));
	return merged;
}

/** The arithmetic of the timeline: which part of time is shown, and where things stand in it. Pure. */

/** Milliseconds since the Unix epoch; `endMs` is not part of it. */
export type Span = { readonly startMs: number; readonly endMs: number };

export const ZOOMS = ["minutes", "hour", "day", "all"] as const;
export type Zoom = (typeof ZOOMS)[number];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTES_MS = 10 * 60_000;
const SPAN_MS: Readonly<Record<Exclude<Zoom, "all">, number>> = { minutes: MINUTES_MS, hour: HOUR_MS, day: DAY_MS };
/** All of it is shown in a view that grows by steps: one that follows each segment would be a bar that jumps. */
const ALL_STEP_MS = 30_000;
const MIN_ALL_MS = 60_000;

/** What is shown at a zoom: `all` from the first recording until now, else a span around `aroundMs` that does not pass now. */
export function viewOf(zoom: Zoom, aroundMs: number, nowMs: number, recordings: readonly Span[]): Span {
	if (zoom === "all") {
		const first = recordings[0]?.startMs ?? nowMs - MINUTES_MS;
		const length = Math.max(MIN_ALL_MS, Math.ceil((nowMs - first) / ALL_STEP_MS) * ALL_STEP_MS);
		return { startMs: nowMs - length, endMs: nowMs };
	}
	const length = SPAN_MS[zoom];
	const endMs = Math.min(nowMs, aroundMs + length / 2);
	return { startMs: endMs - length, endMs };
}

/**
 * The zoom to begin with: the longest span that recordings fill most of, so that they are no sliver at its end.
 * `retentionMs` is how long each moment is kept; `null`: not known.
 */
export function firstZoom(recordings: readonly Span[], nowMs: number, retentionMs: number | null): Zoom {
	const reach = recordings[0] === undefined ? 0 : nowMs - recordings[0].startMs;
	// What is kept for less than ten minutes would be a sliver there for ever.
	if (retentionMs !== null && retentionMs < MINUTES_MS / 2) return "all";
	return reach <= MINUTES_MS ? "minutes" : "hour";
}

/** Where a moment stands in a view: 0 at its start, 1 at its end, and beyond outside of it. */
export function fractionOf(view: Span, atMs: number): number {
	return (atMs - view.startMs) / Math.max(1, view.endMs - view.startMs);
}

/** The moment at a fraction of a view; the fraction is kept within 0 and 1. */
export function momentAt(view: Span, fraction: number): number {
	const kept = Math.min(1, Math.max(0, fraction));
	return Math.round(view.startMs + kept * (view.endMs - view.startMs));
}

/** The spans as far as they are in the view, each with its place as fractions of it. */
export function visibleIn(view: Span, spans: readonly Span[]): { span: Span; left: number; width: number }[] {
	return spans.flatMap((span) => {
		const left = Math.max(0, fractionOf(view, span.startMs));
		const right = Math.min(1, fractionOf(view, span.endMs));
		return right <= left ? [] : [{ span, left, width: right - left }];
	});
}

/** What is told of recordings is so much older than what plays, at most: playlists are asked for more often. */
const LAG_MS = 30_000;

/** The recordings with the last one until `atMs`, when that follows it so closely that it was recorded meanwhile. */
export function reaching(recordings: readonly Span[], atMs: number | null): readonly Span[] {
	const last = recordings.at(-1);
	if (last === undefined || atMs === null || atMs <= last.endMs || atMs > last.endMs + LAG_MS) return recordings;
	return [...recordings.slice(0, -1), { startMs: last.startMs, endMs: atMs }];
}

/** The nearest moment that can be played; `null` when there is none at all. */
export function nearestPlayable(recordings: readonly Span[], atMs: number): number | null {
	let best: number | null = null;
	for (const { startMs, endMs } of recordings) {
		const within = Math.min(Math.max(atMs, startMs), endMs);
		if (best === null || Math.abs(within - atMs) < Math.abs(best - atMs)) best = within;
	}
	return best;
}

/**
 * Goes `deltaMs` along what can be played: a gap is no part of the way, so that a key press over one lands in the next
 * stretch. Stays at the first and the last moment.
 */
export function stepAlong(recordings: readonly Span[], fromMs: number, deltaMs: number): number | null {
	const wanted = fromMs + deltaMs;
	const inside = recordings.some(({ startMs, endMs }) => wanted >= startMs && wanted <= endMs);
	if (inside) return wanted;
	if (deltaMs > 0) {
		const next = recordings.find(({ startMs }) => startMs > wanted);
		return next?.startMs ?? recordings.at(-1)?.endMs ?? null;
	}
	const before = recordings.findLast(({ endMs }) => endMs < wanted);
	return before?.endMs ?? recordings[0]?.startMs ?? null;
}

const STEPS_MS = [
	...[10, 30].map((seconds) => seconds * 1000),
	...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
	...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
	...[1, 2, 7, 14, 30, 90].map((days) => days * DAY_MS),
];

/** Round moments of the local clock within the view, at most `most` of them. `offsetMs`: local time less UTC. */
export function ticksOf(view: Span, most: number, offsetMs: number): number[] {
	const length = view.endMs - view.startMs;
	const step = STEPS_MS.find((ms) => length / ms <= most) ?? Math.ceil(length / most / DAY_MS) * DAY_MS;
	const first = Math.ceil((view.startMs + offsetMs) / step) * step - offsetMs;
	const ticks: number[] = [];
	for (let at = first; at <= view.endMs && ticks.length < most; at += step) ticks.push(at);
	return ticks;
}

/** What the index says when segments are added to it. Pure: the objects that it is given stay as they are. */

import {
	HOUR_MS,
	hourOf,
	hourStartMs,
	type IndexHour,
	type IndexRendition,
	MAX_HOUR_SEGMENTS,
	MAX_INDEX_HOURS,
	MAX_STRETCHES,
	nextHour,
	type Stretch,
} from "./index-hour.ts";
import { appendToRuns } from "./index-runs.ts";
import type { Rendition, SegmentEntry } from "./record.ts";

/** Committed segments whose sequence numbers have no gap. */
export type Committed = {
	readonly entries: readonly SegmentEntry[];
	/** How many discontinuities stand before the first of them. */
	readonly discontinuitySequence: number;
	/** All that is known of their renditions; the last one of an id counts. */
	readonly renditions: readonly Rendition[];
};

export type FoldContext = {
	/** The newest record that `Committed` is complete up to, and its epoch. */
	readonly n: number;
	readonly epoch: number;
	readonly targetDuration: number;
	readonly retentionMs: number | null;
	readonly nowMs: number;
	/** New hours are filed under no earlier name: that of a damaged object, which is to be replaced. */
	readonly fromHour?: string | undefined;
};

/**
 * The objects to write, in that order, so that the index has the segments too: what is left of the newest hour, then the
 * hours behind it. None: there is nothing that the index has not. Segments that it has are left out. When some are
 * missing in between, what the index had is given up, since a playlist cannot have a hole.
 */
export function foldIndex(newest: IndexHour | null, committed: Committed, context: FoldContext): IndexHour[] {
	const first = committed.entries[0];
	const before = newest !== null && first !== undefined && first.sequence > newest.nextSequence ? null : newest;
	const changed: IndexHour[] = [];
	let hour = before;
	let discontinuitySequence = committed.discontinuitySequence;
	for (const entry of committed.entries) {
		const isNew = hour === null || entry.sequence >= hour.nextSequence;
		if (isNew) {
			const name = nameOfHour(hour, entry, context);
			if (hour === null) {
				hour = { ...emptyHour(name, entry, discontinuitySequence, context), stretches: [], before: [], renditions: [] };
			} else if (name !== hour.hour) {
				hour = {
					...emptyHour(name, entry, hour.nextDiscontinuitySequence, context),
					before: rowsBefore(hour, context),
					stretches: keptStretches(hour.stretches, context),
					renditions: structuredClone(hour.renditions),
				};
			} else if (changed.at(-1) !== hour) {
				hour = copyForAppend(hour, context);
			}
			if (changed.at(-1) !== hour) changed.push(hour);
			append(hour, entry, committed.renditions);
		}
		if (entry.discontinuity) discontinuitySequence++;
	}
	return changed;
}

/** Adds a stretch of time to stretches in order, joined to the last one when the gap is under `gapMs`. */
export function withStretch(stretches: readonly Stretch[], [startMs, endMs]: Stretch, gapMs: number): Stretch[] {
	const last = stretches.at(-1);
	if (last === undefined || Math.abs(startMs - last[1]) >= gapMs) return [...stretches, [startMs, endMs]];
	return [...stretches.slice(0, -1), [Math.min(last[0], startMs), Math.max(last[1], endMs)]];
}

function nameOfHour(hour: IndexHour | null, entry: SegmentEntry, { fromHour = "" }: FoldContext): string {
	const began = hourOf(entry.startMs);
	const own = began < fromHour ? fromHour : began;
	if (hour === null || own > hour.hour) return own;
	return hour.nextSequence - hour.firstSequence < MAX_HOUR_SEGMENTS ? hour.hour : nextHour(hour.hour);
}

function emptyHour(
	name: string,
	{ sequence }: SegmentEntry,
	discontinuitySequence: number,
	{ n, epoch, targetDuration, retentionMs }: FoldContext,
): Omit<IndexHour, "before" | "stretches" | "renditions"> {
	return {
		version: 1,
		hour: name,
		epoch,
		n,
		firstSequence: sequence,
		nextSequence: sequence,
		discontinuitySequence,
		nextDiscontinuitySequence: discontinuitySequence,
		targetDuration,
		retentionMs,
		runs: [],
	};
}

function copyForAppend(hour: IndexHour, { n, epoch, targetDuration, retentionMs }: FoldContext): IndexHour {
	const copy = structuredClone(hour);
	return { ...copy, n, epoch, targetDuration: Math.max(hour.targetDuration, targetDuration), retentionMs };
}

function append(hour: IndexHour, entry: SegmentEntry, known: readonly Rendition[]): void {
	appendToRuns(hour.runs, entry);
	hour.nextSequence = entry.sequence + 1;
	if (entry.discontinuity) hour.nextDiscontinuitySequence++;
	for (const id of Object.keys(entry.parts)) {
		const at = hour.renditions.findIndex((rendition) => rendition.id === id);
		const described = known.findLast((rendition) => rendition.id === id) ?? hour.renditions[at];
		if (described === undefined) continue;
		const old: IndexRendition | undefined = hour.renditions[at];
		const rendition: IndexRendition = {
			...described,
			bandwidth: Math.max(described.bandwidth, old?.bandwidth ?? 0),
			first: old?.first ?? entry.sequence,
			last: entry.sequence,
		};
		if (old === undefined) hour.renditions.push(rendition);
		else hour.renditions[at] = rendition;
	}
	const endMs = entry.startMs + entry.duration * 1000;
	hour.stretches = withStretch(hour.stretches, [entry.startMs, endMs], 2000 * hour.targetDuration).slice(
		-MAX_STRETCHES,
	);
}

function rowsBefore(hour: IndexHour, context: FoldContext): IndexHour["before"] {
	const own = [hour.hour, hour.firstSequence, hour.runs[0]?.startMs ?? 0, hour.discontinuitySequence] as const;
	const oldest = keptFromMs(context);
	return [...hour.before, [...own] as [string, number, number, number]]
		.filter(([name]) => hourStartMs(name) + HOUR_MS > oldest)
		.slice(-MAX_INDEX_HOURS);
}

function keptStretches(stretches: readonly Stretch[], context: FoldContext): Stretch[] {
	const oldest = keptFromMs(context);
	return stretches.filter(([, endMs]) => endMs > oldest);
}

function keptFromMs({ nowMs, retentionMs }: FoldContext): number {
	return retentionMs === null ? Number.NEGATIVE_INFINITY : nowMs - retentionMs;
}

/**
 * The sum of a day over all writers. Pure. What is stored is a level, not a flow: it holds from hour to hour until a
 * writer says another, so that a path that nobody publishes to any more costs its storage and no writes.
 */

import * as z from "zod";
import { addCounters, COUNTERS, type Counters, countersSchema, noCounters } from "./counters.ts";
import { daySchema, dayStartMs, HOUR_MS, type HourDocument } from "./hour-document.ts";

const amount = z.number().min(0);

const pathDaySchema = countersSchema.extend({
	/** Bytes of media that were in the bucket, times the hours that they were: what storage is billed by. */
	byteHours: amount.default(0),
	/** Bytes of media in the bucket when the day ended, or when it was read. */
	stored: amount.default(0),
});
export type PathDay = z.infer<typeof pathDaySchema>;

export const dayDocumentSchema = z.object({
	v: z.literal(1),
	day: daySchema,
	/** By path; what is of none is under the empty name. */
	paths: z.record(z.string(), pathDaySchema),
});
export type DayDocument = z.infer<typeof dayDocumentSchema>;

/**
 * Folds what writers counted on a day, up to `untilMs`. `before`: how the day before ended, if that is known.
 * Documents of other days are left out.
 */
export function foldDay(
	day: string,
	documents: readonly HourDocument[],
	before: DayDocument | null,
	untilMs: number,
): DayDocument {
	const sums = new Map<string, PathDay>();
	const sumOf = (path: string) => {
		const sum = sums.get(path) ?? { ...noCounters(), byteHours: 0, stored: 0 };
		sums.set(path, sum);
		return sum;
	};
	for (const [path, { stored }] of Object.entries(before?.paths ?? {})) if (stored > 0) sumOf(path).stored = stored;
	const byHour = Map.groupBy(
		documents.filter((document) => document.day === day),
		({ hour }) => hour,
	);
	for (let hour = 0; hour < 24; hour++) {
		const startMs = dayStartMs(day) + hour * HOUR_MS;
		// A writer whose clock is ahead counts in an hour that has not come.
		const part = Math.min(1, Math.max(0, (untilMs - startMs) / HOUR_MS));
		const merged = mergeHour(byHour.get(hour) ?? []);
		for (const [path, more] of merged) {
			const sum = sumOf(path);
			addCounters(sum, more.counters);
			const began = sum.stored;
			sum.stored = more.stored?.bytes ?? Math.max(0, began + more.counters.bytesKept - more.counters.bytesDeleted);
			// It grew, or shrank, in between.
			sum.byteHours += ((began + sum.stored) / 2) * part;
		}
		for (const [path, sum] of sums) if (!merged.has(path)) sum.byteHours += sum.stored * part;
	}
	return { v: 1, day, paths: Object.fromEntries(sums) };
}

type MergedHour = { readonly counters: Counters; stored: { bytes: number; atMs: number } | null };

/** Counters add up; of levels the newest counts. */
function mergeHour(documents: readonly HourDocument[]): Map<string, MergedHour> {
	const merged = new Map<string, MergedHour>();
	for (const { paths } of documents) {
		for (const [path, { stored = null, ...counters }] of Object.entries(paths)) {
			const sum = merged.get(path) ?? { counters: noCounters(), stored: null };
			merged.set(path, sum);
			addCounters(sum.counters, counters);
			if (stored !== null && (sum.stored === null || stored.atMs >= sum.stored.atMs)) sum.stored = stored;
		}
	}
	return merged;
}

/** Adds a later day of a path to an earlier one: counters add up, and what is stored is what the later one says. */
export function addDay(sum: PathDay, later: PathDay): PathDay {
	const added = { ...sum };
	for (const name of COUNTERS) added[name] += later[name];
	return { ...added, byteHours: sum.byteHours + later.byteHours, stored: later.stored };
}

/** Nothing, to add to. */
export function noDay(): PathDay {
	return { ...noCounters(), byteHours: 0, stored: 0 };
}

/**
 * The index of a stream: one object for each hour, with the segments that began in it, so that a window of days is a few
 * reads. It follows the records and says nothing that they do not. The newest object also says what hours came before
 * it, what renditions there were and when there was something to play, so that one read answers those.
 *
 * Segments stand in the order of their sequence numbers, and so do hours: one that began earlier than the one before it,
 * since a clock was set back, is filed under the hour of the one before.
 */

import * as z from "zod";
import { MAX_TIME_MS, type RunColumns, runSchema } from "./index-runs.ts";
import { renditionSchema } from "./record.ts";

const count = z.int().min(0);
const HOUR_NAME = /^\d{4}-\d\d-\d\dT\d\d$/;
const hour = z.string().regex(HOUR_NAME);

/** Three months of hours: what is older cannot be asked for, though retention may keep it. */
export const MAX_INDEX_HOURS = 2_232;
/** An hour of half-second segments is 7,200. What does not fit is filed under the next hour. */
export const MAX_HOUR_SEGMENTS = 20_000;
/** Playable stretches that the index remembers; the oldest go first. */
export const MAX_STRETCHES = 5_000;
export const HOUR_MS = 3_600_000;

/** A rendition, and the sequence numbers of the first and the last segment that have it. */
const indexRenditionSchema = z.object({ ...renditionSchema.shape, first: count, last: count });
export type IndexRendition = z.infer<typeof indexRenditionSchema>;

/** An earlier hour: its name, its first segment's sequence number, wall-clock time and discontinuity sequence. */
const rowSchema = z.tuple([hour, count, z.number().nonnegative(), count]);
export type IndexRow = z.infer<typeof rowSchema>;

/** From when until when there is something to play, in milliseconds since the Unix epoch. */
const stretchSchema = z.tuple([z.number().nonnegative(), z.number().nonnegative()]);
export type Stretch = z.infer<typeof stretchSchema>;

export const indexHourSchema = z.object({
	version: z.literal(1),
	hour,
	/** The epoch of the owner that wrote it last. */
	epoch: count,
	/** It holds every segment of the hour that the records up to this one committed. */
	n: count,
	/** Of its first segment. */
	firstSequence: count,
	/** Behind its last segment. */
	nextSequence: count,
	/** How many discontinuities stand before its first segment, and up to its last one. */
	discontinuitySequence: count,
	nextDiscontinuitySequence: count,
	targetDuration: z.int().min(1),
	/** How long the owner keeps segments, in milliseconds; `null` when it did not say. */
	retentionMs: z.number().nonnegative().nullable(),
	renditions: z.array(indexRenditionSchema).max(256),
	runs: z.array(runSchema).max(MAX_HOUR_SEGMENTS),
	/** The hours before this one, oldest first. */
	before: z.array(rowSchema).max(MAX_INDEX_HOURS),
	/** Up to and with this hour, oldest first. */
	stretches: z.array(stretchSchema).max(MAX_STRETCHES),
});
export type IndexHour = Omit<z.infer<typeof indexHourSchema>, "runs"> & { runs: RunColumns[] };

/** The name of the hour of a moment, in UTC. `startMs`: milliseconds since the Unix epoch. */
export function hourOf(startMs: number): string {
	return new Date(Math.min(Math.max(0, startMs), MAX_TIME_MS)).toISOString().slice(0, 13);
}

export function isHourName(name: string): boolean {
	return HOUR_NAME.test(name) && !Number.isNaN(hourStartMs(name));
}

/** When an hour begins, in milliseconds since the Unix epoch; NaN for what is no hour. */
export function hourStartMs(name: string): number {
	return Date.parse(`${name}:00:00Z`);
}

/** The hour behind one. */
export function nextHour(name: string): string {
	return hourOf(hourStartMs(name) + HOUR_MS);
}

/** What one writer counted in one hour, as the bucket has it: totals since the hour began, or since the writer did. */

import * as z from "zod";
import { countersSchema } from "./counters.ts";

/** What is larger is not read. */
export const MAX_HOUR_BYTES = 16 * 1024 * 1024;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** `yyyy-mm-dd`, of UTC. */
export const daySchema = z.iso.date("must be a day such as 2026-01-31");

/** In the place of a path: what is of none, such as heartbeats and settings. */
export const SHARED = "";

const storedSchema = z.object({
	/** Media of the path in the bucket. */
	bytes: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
	/** When that was so. */
	atMs: z.number().min(0),
});

const pathHourSchema = countersSchema.extend({
	/** Left out by who does not know. */
	stored: storedSchema.optional(),
});

export const hourDocumentSchema = z.object({
	v: z.literal(1),
	writer: z.string().max(200),
	day: daySchema,
	hour: z.int().min(0).max(23),
	paths: z.record(z.string(), pathHourSchema),
});
export type HourDocument = z.infer<typeof hourDocumentSchema>;

/** The day of a moment. */
export function dayOf(ms: number): string {
	return new Date(ms).toISOString().slice(0, 10);
}

/** When a day begins, in milliseconds since the Unix epoch. */
export function dayStartMs(day: string): number {
	return Date.parse(`${day}T00:00:00Z`);
}

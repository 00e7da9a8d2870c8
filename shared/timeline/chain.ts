/** Records as bytes: written, hashed, read back and checked. */

import { StoreError } from "#shared/problem.ts";
import { recordSchema, type TimelineRecord } from "./record.ts";

/** A record and the very text that stands in the bucket. */
export type WrittenRecord = { readonly record: TimelineRecord; readonly text: string };

const encoder = new TextEncoder();

/** SHA-256 of a record's text, lower-case hex: what the next record's `previous` says. */
export async function recordHash(text: string): Promise<string> {
	const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
	let hex = "";
	for (const byte of digest) hex += byte.toString(16).padStart(2, "0");
	return hex;
}

/** @throws StoreError `timeline.corrupt`, naming `key` */
export function parseRecord(key: string, text: string): WrittenRecord {
	return { record: parseTimelineObject(key, text, recordSchema), text };
}

/** Reads a JSON object of the timeline. `remedy`: as of `corrupt`. @throws StoreError `timeline.corrupt`, naming `key` */
export function parseTimelineObject<T>(
	key: string,
	text: string,
	schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } } },
	remedy?: string,
): T {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw corrupt(key, "is not JSON", { cause, remedy });
	}
	const parsed = schema.safeParse(value);
	if (!parsed.success) throw corrupt(key, "does not follow its schema", { cause: parsed.error, remedy });
	return parsed.data;
}

const RESTORE = "Restore it, or delete the objects of the stream and begin a new timeline";

/** What a damaged object is told as. `remedy`: what to do, as a sentence without its full stop. */
export function corrupt(
	key: string,
	fault: string,
	{ cause, remedy = RESTORE }: { readonly cause?: unknown; readonly remedy?: string | undefined } = {},
): StoreError {
	return new StoreError("timeline.corrupt", `The object ${key} ${fault}. ${remedy}`, { data: { key }, cause });
}

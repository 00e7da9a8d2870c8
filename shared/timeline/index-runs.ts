/**
 * Segments of the index in few bytes: runs of segments of one packager, which have the same renditions and init files and
 * whose files are numbered on. A run is columns of whole numbers; a segment of video and audio takes about 32 bytes.
 */

import * as z from "zod";
import { mediaFile } from "#shared/store/key.ts";
import type { SegmentEntry, SegmentPart } from "./record.ts";

const count = z.int().min(0);
const name = z.string().min(1).max(128);

/** The last moment whose year has four digits, in milliseconds. */
export const MAX_TIME_MS = Date.UTC(9999, 11, 31);
/** A terabyte, or eleven days in microseconds. */
const MAX_VALUE = 1e12;
/** A segment that begins farther away from the end of the one before begins a run of its own. */
const MAX_GAP_MS = 1e9;

export const runSchema = z.object({
	/** EXT-X-DISCONTINUITY stands before its first segment. */
	discontinuity: z.boolean(),
	/** When its first segment began, in milliseconds since the Unix epoch. */
	startMs: count.max(MAX_TIME_MS),
	/** Epoch and serial in the name of its first file, as `mediaFile` makes it; serials count up. */
	epoch: count,
	serial: count,
	/** Rendition and init file of each part, in order. */
	parts: z.array(z.tuple([z.string().max(16), name])).max(32),
	/** Names of all files, segment by segment, where they are not as `mediaFile` makes them. */
	files: z.array(name).optional(),
	/**
	 * For each segment: how many milliseconds it begins behind the end of the one before it in the run (0 for the first);
	 * then duration in microseconds and size in bytes of each part.
	 */
	values: z.array(z.int().min(-MAX_VALUE).max(MAX_VALUE)),
});
export type RunColumns = z.infer<typeof runSchema>;

const FILE_NAME = /^(\d{12})-(\d{12})-([a-z][a-z0-9]{0,15})\.m4s$/;

/** How many segments a run has. */
export function runLength({ parts, values }: RunColumns): number {
	return values.length / (1 + 2 * parts.length);
}

/** Adds a segment behind the last one, in its run or in a new one. Changes `runs`, and its last run. */
export function appendToRuns(runs: RunColumns[], entry: SegmentEntry): void {
	const parts = Object.entries(entry.parts);
	const position = positionOf(parts);
	const startMs = Math.min(MAX_TIME_MS, Math.floor(entry.startMs));
	const last = runs.at(-1);
	const gapMs = last === undefined ? 0 : startMs - runEndMs(last);
	if (last === undefined || Math.abs(gapMs) > MAX_GAP_MS || !continues(last, entry, parts, position)) {
		runs.push({
			discontinuity: entry.discontinuity,
			startMs,
			epoch: position?.epoch ?? 0,
			serial: position?.serial ?? 0,
			parts: parts.map(([id, part]) => [id, part.init]),
			...(position === null ? { files: parts.map(([, part]) => part.file) } : {}),
			values: [0, ...columnsOf(parts)],
		});
		return;
	}
	last.files?.push(...parts.map(([, part]) => part.file));
	last.values.push(gapMs, ...columnsOf(parts));
}

/** The segments of runs, in order, whose first has the sequence number `firstSequence`. */
export function* entriesOfRuns(runs: readonly RunColumns[], firstSequence: number): Generator<SegmentEntry> {
	let sequence = firstSequence;
	for (const run of runs) {
		const { parts, values, files } = run;
		const width = 1 + 2 * parts.length;
		let startMs = run.startMs;
		for (let i = 0, at = 0; at + width <= values.length; i++, at += width) {
			startMs += values[at] ?? 0;
			const entry: SegmentEntry = {
				sequence: sequence++,
				startMs: Math.min(MAX_TIME_MS, Math.max(0, startMs)),
				duration: 0,
				discontinuity: i === 0 && run.discontinuity,
				parts: {},
			};
			for (const [k, [id, init]] of parts.entries()) {
				const duration = (values[at + 1 + 2 * k] ?? 0) / 1e6;
				const file = files?.[i * parts.length + k] ?? mediaFile(run.epoch, run.serial + i, id);
				entry.parts[id] = { file, init, duration, bytes: values[at + 2 + 2 * k] ?? 0 };
				entry.duration = Math.max(entry.duration, duration);
			}
			yield entry;
			startMs += Math.round(entry.duration * 1000);
		}
	}
}

type Position = { readonly epoch: number; readonly serial: number };

/** What the names of a segment's files have in common; `null` when they are not as `mediaFile` makes them. */
function positionOf(parts: readonly (readonly [string, SegmentPart])[]): Position | null {
	let position: Position | null = null;
	for (const [id, { file }] of parts) {
		const [, epoch, serial, rendition] = FILE_NAME.exec(file) ?? [];
		if (rendition !== id) return null;
		const own = { epoch: Number(epoch), serial: Number(serial) };
		if (position !== null && (position.epoch !== own.epoch || position.serial !== own.serial)) return null;
		position = own;
	}
	return position;
}

function continues(
	run: RunColumns,
	entry: SegmentEntry,
	parts: readonly (readonly [string, SegmentPart])[],
	position: Position | null,
): boolean {
	if (entry.discontinuity || parts.length !== run.parts.length) return false;
	if (run.parts.some(([id, init], i) => parts[i]?.[0] !== id || parts[i]?.[1].init !== init)) return false;
	if (position === null || run.files !== undefined) return position === null && run.files !== undefined;
	return position.epoch === run.epoch && position.serial === run.serial + runLength(run);
}

function columnsOf(parts: readonly (readonly [string, SegmentPart])[]): number[] {
	const bounded = (value: number) => Math.min(MAX_VALUE, value);
	return parts.flatMap(([, { duration, bytes }]) => [bounded(Math.round(duration * 1e6)), bounded(bytes)]);
}

/** When a run's last segment ends, as a reader of the run adds it up. */
function runEndMs(run: RunColumns): number {
	const width = 1 + 2 * run.parts.length;
	let endMs = run.startMs;
	for (let at = 0; at < run.values.length; at += width) {
		let longest = 0;
		for (let k = 1; k < width; k += 2) longest = Math.max(longest, run.values[at + k] ?? 0);
		endMs += (run.values[at] ?? 0) + Math.round((longest / 1e6) * 1000);
	}
	return endMs;
}

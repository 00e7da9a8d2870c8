/** Which segments of a timeline a range of time is. */

import { InputError } from "#shared/problem.ts";
import { hourStartMs, type IndexHour } from "#shared/timeline/index-hour.ts";
import { entriesOfRuns } from "#shared/timeline/index-runs.ts";
import type { Rendition, SegmentEntry } from "#shared/timeline/record.ts";
import { nextSequenceOf, type StreamTimeline, type StreamTimelines } from "./stream-timelines.ts";

/** Segments that one playlist lists at most: a day of 2 s segments is 43,200, and about 100 bytes each. */
export const MAX_SELECTED = 50_000;
/** Hours that are read at once. */
const READS_AT_ONCE = 6;
/** Playlists list nothing that is to be deleted so soon: players load what they were shown a while ago. */
const MAX_MARGIN_MS = 120_000;

/** A piece of a timeline: an hour, or what is newer than the index. */
type Piece = {
	readonly firstSequence: number;
	readonly nextSequence: number;
	readonly firstMs: number;
	readonly discontinuitySequence: number;
	/** Iterates its segments again each time; `null` when it is gone, or damaged. */
	readonly read: () => Promise<(() => Iterable<SegmentEntry>) | null>;
};
type LoadedPiece = Omit<Piece, "read"> & { readonly entries: () => Iterable<SegmentEntry> };

/** In milliseconds since the Unix epoch; `endMs` may be infinite. */
export type TimeRange = { readonly startMs: number; readonly endMs: number };

export type Selection = {
	/** Sequence numbers: of the first segment, and behind the last one. */
	readonly begin: number;
	readonly end: number;
	readonly discontinuitySequence: number;
	/** Whether the first segment is the one at `startMs`, and not the first that is still kept. */
	readonly isWhole: boolean;
	/** The segments from a sequence number on. */
	readonly entriesFrom: (sequence: number) => Iterable<SegmentEntry>;
};

/** From when on segments are listed, in milliseconds since the Unix epoch: those that are kept for a while yet. */
export function keptSinceMs({ head }: StreamTimeline, nowMs: number): number {
	const retentionMs = head?.retentionMs ?? Number.POSITIVE_INFINITY;
	return nowMs - retentionMs + Math.min(MAX_MARGIN_MS, retentionMs / 4);
}

/**
 * The segments of a range: from the one that `startMs` falls into, or the first that has the rendition, to the last one
 * that begins before `endMs`. `null` when there is none.
 * @throws InputError `input.invalid` when they are more than {@link MAX_SELECTED}
 * @throws StoreError
 */
export async function select(
	timelines: StreamTimelines,
	timeline: StreamTimeline,
	range: TimeRange,
	rendition: string,
	nowMs: number,
): Promise<Selection | null> {
	const keptMs = keptSinceMs(timeline, nowMs);
	const windowBegin = timeline.record.window[0]?.sequence ?? Number.POSITIVE_INFINITY;
	const between = piecesBetween(piecesOf(timelines, timeline), Math.max(range.startMs, keptMs), range.endMs);
	const loaded = lastRun(await loadAll(between));
	const isIn = (entry: SegmentEntry) =>
		entry.startMs + entry.duration * 1000 > range.startMs &&
		(entry.startMs >= keptMs || entry.sequence >= windowBegin) &&
		Object.hasOwn(entry.parts, rendition);
	return selectFrom(loaded, range, isIn, range.startMs >= keptMs && loaded.length === between.length);
}

/** The renditions of a range, as a multivariant playlist lists them. */
export function renditionsBetween(timeline: StreamTimeline, { startMs, endMs }: TimeRange): Rendition[] {
	const pieces = piecesOf({ hour: async () => null }, timeline);
	const between = piecesBetween(pieces, startMs, endMs);
	const begin = between[0]?.firstSequence ?? 0;
	const end = between.at(-1)?.nextSequence ?? 0;
	const renditions = new Map<string, Rendition>();
	for (const { first, last, ...rendition } of timeline.head?.renditions ?? [])
		if (first < end && last >= begin) renditions.set(rendition.id, rendition);
	const tail = timeline.tail[0]?.sequence ?? Number.POSITIVE_INFINITY;
	for (const rendition of end > tail ? timeline.record.renditions : []) renditions.set(rendition.id, rendition);
	return [...renditions.values()];
}

function piecesOf(timelines: Pick<StreamTimelines, "hour">, timeline: StreamTimeline): Piece[] {
	const { path, head, tail } = timeline;
	const pieces: Piece[] = [];
	for (const [i, row] of (head?.before ?? []).entries()) {
		const [, firstSequence, firstMs, discontinuitySequence] = row;
		const nextSequence = head?.before[i + 1]?.[1] ?? head?.firstSequence ?? 0;
		const read = async () => {
			const hour = await timelines.hour(path, row, nextSequence);
			return hour === null ? null : () => entriesOfRuns(hour.runs, hour.firstSequence);
		};
		pieces.push({ firstSequence, nextSequence, firstMs, discontinuitySequence, read });
	}
	if (head !== null) pieces.push(pieceOfHead(head));
	const [first] = tail;
	if (first !== undefined)
		pieces.push({
			firstSequence: first.sequence,
			nextSequence: nextSequenceOf(timeline),
			firstMs: first.startMs,
			discontinuitySequence: timeline.tailDiscontinuitySequence,
			read: async () => () => tail,
		});
	return pieces;
}

function pieceOfHead(head: IndexHour): Piece {
	const { firstSequence, nextSequence, discontinuitySequence, runs } = head;
	const firstMs = runs[0]?.startMs ?? hourStartMs(head.hour);
	const read = async () => () => entriesOfRuns(runs, firstSequence);
	return { firstSequence, nextSequence, firstMs, discontinuitySequence, read };
}

/** Those that may have segments between two moments. */
function piecesBetween(pieces: readonly Piece[], startMs: number, endMs: number): Piece[] {
	const begin = Math.max(
		0,
		pieces.findLastIndex((piece) => piece.firstMs <= startMs),
	);
	const end = pieces.findLastIndex((piece) => piece.firstMs < endMs);
	return pieces.slice(begin, end + 1);
}

/** Reads pieces; `null` in the place of each that is gone. */
async function loadAll(pieces: readonly Piece[]): Promise<(LoadedPiece | null)[]> {
	assertFew(pieces);
	const loaded: (LoadedPiece | null)[] = [];
	for (let at = 0; at < pieces.length; at += READS_AT_ONCE) {
		const some = pieces.slice(at, at + READS_AT_ONCE);
		const read = async (piece: Piece) => {
			const entries = await piece.read();
			return entries === null ? null : { ...piece, entries };
		};
		loaded.push(...(await Promise.all(some.map(read))));
	}
	return loaded;
}

/**
 * What a playlist, which cannot have a hole, is made of: what is there behind the last gap. Retention makes gaps at the
 * begin; when the end of the range is one, what is there before it.
 */
function lastRun(pieces: readonly (LoadedPiece | null)[]): LoadedPiece[] {
	const run: LoadedPiece[] = [];
	for (const piece of [...pieces].reverse()) {
		if (piece !== null) run.unshift(piece);
		else if (run.length > 0) break;
	}
	return run;
}

/** Before anything is read: the pieces at both ends may be needed in part only. */
function assertFew(pieces: readonly Piece[]): void {
	const inner = pieces.slice(1, -1);
	const first = inner[0];
	const last = inner.at(-1);
	if (first !== undefined && last !== undefined && last.nextSequence - first.firstSequence > MAX_SELECTED) tooMany();
}

function tooMany(): never {
	throw new InputError(
		"input.invalid",
		`The range has more than ${MAX_SELECTED} segments: ask for a shorter one, with start and end`,
	);
}

function selectFrom(
	pieces: readonly LoadedPiece[],
	range: TimeRange,
	isIn: (entry: SegmentEntry) => boolean,
	isWhole: boolean,
): Selection | null {
	let begin = -1;
	let end = -1;
	let discontinuitySequence = 0;
	for (const [i, piece] of pieces.entries()) {
		// Pieces in between are taken as they are.
		if (begin !== -1 && i < pieces.length - 1) {
			end = piece.nextSequence;
			continue;
		}
		let discontinuities = piece.discontinuitySequence;
		for (const entry of piece.entries()) {
			if (entry.sequence >= piece.nextSequence || entry.startMs >= range.endMs) {
				if (begin !== -1) break;
			} else if (begin === -1 && isIn(entry)) {
				begin = entry.sequence;
				discontinuitySequence = discontinuities;
			}
			if (begin !== -1) end = entry.sequence + 1;
			if (entry.discontinuity) discontinuities++;
		}
	}
	if (begin === -1) return null;
	if (end - begin > MAX_SELECTED) tooMany();
	const entriesFrom = function* (sequence: number): Generator<SegmentEntry> {
		for (const piece of pieces) {
			if (piece.nextSequence <= sequence) continue;
			for (const entry of piece.entries()) {
				if (entry.sequence >= end) return;
				if (entry.sequence >= sequence) yield entry;
			}
		}
	};
	return { begin, end, discontinuitySequence, isWhole, entriesFrom };
}

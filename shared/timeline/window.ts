/** What the next record of a timeline says, given the one before it. Pure. */

import { RECORD_VERSION, type Rendition, type SegmentEntry, type SegmentPart, type TimelineRecord } from "./record.ts";

/** A segment whose objects are all in the bucket. */
export type UploadedSegment = {
	/** Wall-clock time of its first frame, milliseconds since the Unix epoch. */
	readonly startMs: number;
	/** The media before it does not continue into it. */
	readonly discontinuity: boolean;
	/** At least one, each of another rendition. */
	readonly parts: readonly UploadedPart[];
};

export type UploadedPart = SegmentPart & {
	readonly rendition: Omit<Rendition, "bandwidth" | "averageBandwidth">;
};

export type TimelineEvent =
	| { readonly kind: "segment"; readonly segment: UploadedSegment }
	| { readonly kind: "fence" }
	| { readonly kind: "end" };

/** Who commits, when, and by which settings. */
export type CommitContext = {
	readonly epoch: number;
	readonly writer: string;
	/** SHA-256 of the previous record's bytes, hex; empty for the first. */
	readonly previousHash: string;
	readonly committedMs: number;
	/** How many segments the window lists; more while they are shorter than three target durations together. */
	readonly segmentCount: number;
	/** In seconds. */
	readonly minimumTargetDuration: number;
};

/** As many as the record's schema allows. */
export const MAX_WINDOW_SEGMENTS = 10_000;

type Listed = Pick<
	TimelineRecord,
	"targetDuration" | "discontinuitySequence" | "nextSequence" | "renditions" | "window"
>;

/** The record that follows `previous`; `null` when the timeline begins. */
export function nextRecord(
	previous: TimelineRecord | null,
	event: TimelineEvent,
	context: CommitContext,
): TimelineRecord {
	return {
		version: RECORD_VERSION,
		kind: event.kind,
		n: previous === null ? 0 : previous.n + 1,
		epoch: context.epoch,
		writer: context.writer,
		previous: context.previousHash,
		committedMs: context.committedMs,
		...nextListed(previous, event, context),
	};
}

function nextListed(previous: TimelineRecord | null, event: TimelineEvent, context: CommitContext): Listed {
	const listed: Listed = {
		targetDuration: Math.max(1, previous?.targetDuration ?? 0, Math.ceil(context.minimumTargetDuration)),
		discontinuitySequence: previous?.discontinuitySequence ?? 0,
		nextSequence: previous?.nextSequence ?? 0,
		renditions: previous?.renditions ?? [],
		window: previous?.window ?? [],
	};
	switch (event.kind) {
		case "segment":
			return withSegment(listed, event.segment, previous?.kind === "segment", context.segmentCount);
		case "fence":
			// Whoever watched an ended stream was told so; whoever comes for the next one must not begin in the last.
			return previous?.kind === "end" ? { ...withoutFirst(listed, listed.window.length), renditions: [] } : listed;
		case "end":
			return listed;
	}
}

function withSegment(listed: Listed, segment: UploadedSegment, continues: boolean, segmentCount: number): Listed {
	const entry: SegmentEntry = {
		sequence: listed.nextSequence,
		startMs: segment.startMs,
		duration: Math.max(...segment.parts.map((part) => part.duration)),
		// Behind a fence or an end comes another packager, whose time stamps begin anew.
		discontinuity: listed.nextSequence > 0 && (segment.discontinuity || !continues),
		parts: Object.fromEntries(
			segment.parts.map(({ rendition, file, init, duration, bytes }) => [
				rendition.id,
				{ file, init, duration, bytes },
			]),
		),
	};
	const longer: Listed = {
		// RFC 8216 §4.3.3.1: each EXTINF, rounded to the nearest integer, is at most the target duration.
		targetDuration: Math.max(listed.targetDuration, Math.round(entry.duration)),
		discontinuitySequence: listed.discontinuitySequence,
		nextSequence: listed.nextSequence + 1,
		renditions: listed.renditions,
		window: [...listed.window, entry],
	};
	const trimmed = withoutFirst(longer, surplus(longer, segmentCount));
	return {
		...trimmed,
		renditions: segment.parts.map(({ rendition }) => ({
			...rendition,
			...bitRates(trimmed.window, rendition.id, trimmed.targetDuration),
		})),
	};
}

/** How many segments may leave: RFC 8216 §6.2.2 keeps a live playlist at three target durations or longer. */
function surplus({ window, targetDuration }: Listed, segmentCount: number): number {
	let rest = 0;
	for (const entry of window) rest += entry.duration;
	let leaving = 0;
	for (const entry of window) {
		const left = window.length - leaving;
		rest -= entry.duration;
		const tooShort = left <= segmentCount || rest < 3 * targetDuration;
		if (tooShort && left <= MAX_WINDOW_SEGMENTS) break;
		leaving++;
	}
	return leaving;
}

function withoutFirst(listed: Listed, count: number): Listed {
	if (count === 0) return listed;
	const left = listed.window.slice(0, count).filter((entry) => entry.discontinuity).length;
	return {
		...listed,
		// RFC 8216 §6.2.2: it counts the EXT-X-DISCONTINUITY tags that have left.
		discontinuitySequence: listed.discontinuitySequence + left,
		window: listed.window.slice(count),
	};
}

/**
 * A rendition's bit rates over a window, in bits per second. The peak is RFC 8216 §4.1's: the largest of any run of
 * segments that lasts between 0.5 and 1.5 target durations, so that a very short segment does not spoil it.
 */
function bitRates(
	window: readonly SegmentEntry[],
	rendition: string,
	targetDuration: number,
): { bandwidth: number; averageBandwidth: number } {
	const parts = window.flatMap((entry) => entry.parts[rendition] ?? []);
	let allBits = 0;
	let allSeconds = 0;
	let peak = 0;
	for (const [first, part] of parts.entries()) {
		allBits += part.bytes * 8;
		allSeconds += part.duration;
		let bits = 0;
		let seconds = 0;
		for (let i = first; i < parts.length; i++) {
			const { bytes, duration } = parts[i] as SegmentPart;
			bits += bytes * 8;
			seconds += duration;
			if (seconds > 1.5 * targetDuration) break;
			if (seconds >= 0.5 * targetDuration) peak = Math.max(peak, bits / seconds);
		}
	}
	const average = allSeconds > 0 ? Math.ceil(allBits / allSeconds) : 0;
	return { bandwidth: Math.max(Math.ceil(peak), average), averageBandwidth: average };
}

/**
 * The commit records of a stream's timeline. A stream is a chain of immutable records, numbered without a gap; record
 * `n` is committed by creating its object if absent, so a number never maps to two contents. A record carries the live
 * window, so one read renders a playlist.
 *
 * There are three kinds. `segment` adds a segment to the window. `fence` is written by a new owner before anything
 * else: it takes the number that the old owner would commit next. `end` says that the stream is over for now. Only
 * segments have a media sequence number, so a fence leaves no hole in a playlist.
 */

import * as z from "zod";

const count = z.int().min(0);

/** One rendition of a stream: what a multivariant playlist says of it. */
export const renditionSchema = z.object({
	/** Stable within the stream, such as `v0` or `a0`; part of file names. */
	id: z.string().regex(/^[a-z][a-z0-9]{0,15}$/),
	kind: z.enum(["video", "audio"]),
	/** RFC 6381 codec string, such as `avc1.64001f` or `mp4a.40.2`. */
	codecs: z.string().regex(/^[0-9A-Za-z.-]{1,128}$/),
	/** Peak and average bit rate over the window, in bits per second. */
	bandwidth: count,
	averageBandwidth: count,
	width: count.optional(),
	height: count.optional(),
	/** Frames per second. */
	frameRate: z.number().positive().optional(),
	channels: count.optional(),
	sampleRate: count.optional(),
});
export type Rendition = z.infer<typeof renditionSchema>;

/** One rendition's part of one segment. */
export const segmentPartSchema = z.object({
	/** The last part of the object's key and of its URL. */
	file: z.string().min(1).max(128),
	/** The init segment that this part needs. */
	init: z.string().min(1).max(128),
	/** In seconds. */
	duration: z.number().nonnegative(),
	bytes: count,
});
export type SegmentPart = z.infer<typeof segmentPartSchema>;

/** A segment as the window lists it: the parts of all its renditions, which begin at the same moment. */
export const segmentEntrySchema = z.object({
	/** EXT-X-MEDIA-SEQUENCE number. */
	sequence: count,
	/** Wall-clock time of its first frame, milliseconds since the Unix epoch. */
	startMs: z.number().nonnegative(),
	/** The longest of its parts, in seconds. */
	duration: z.number().nonnegative(),
	/** EXT-X-DISCONTINUITY stands before it. */
	discontinuity: z.boolean(),
	/** By rendition id. */
	parts: z.record(z.string(), segmentPartSchema),
});
export type SegmentEntry = z.infer<typeof segmentEntrySchema>;

export const RECORD_VERSION = 1;

export const recordSchema = z.object({
	version: z.literal(RECORD_VERSION),
	kind: z.enum(["segment", "fence", "end"]),
	/** The record's own number. */
	n: count,
	/** The epoch of the owner that wrote it. */
	epoch: count,
	/** Which process wrote it: unique for each opening of a timeline. Tells one's own write after a time-out. */
	writer: z.string().min(1).max(64),
	/** SHA-256 of the previous record's bytes, hex; empty for the first. */
	previous: z.string(),
	committedMs: z.number().nonnegative(),
	/** EXT-X-TARGETDURATION, in whole seconds. It never shrinks. */
	targetDuration: z.int().min(1),
	/** EXT-X-DISCONTINUITY-SEQUENCE of the window's first segment. */
	discontinuitySequence: count,
	/** The media sequence number that the next segment will have. */
	nextSequence: count,
	renditions: z.array(renditionSchema).max(32),
	/** Oldest first; a segment record's own segment is the last. */
	window: z.array(segmentEntrySchema).max(10_000),
});
export type TimelineRecord = z.infer<typeof recordSchema>;

/** The lease of a stream: who may commit to it. */
export const leaseSchema = z.object({
	version: z.literal(1),
	/** A stable name of the node, the same after a restart. */
	owner: z.string().min(1).max(128),
	/** As in the records. */
	writer: z.string().min(1).max(64),
	/** Raised by each taking of the lease. */
	epoch: count,
	/** Milliseconds since the Unix epoch. */
	expiresMs: z.number().nonnegative(),
});
export type Lease = z.infer<typeof leaseSchema>;

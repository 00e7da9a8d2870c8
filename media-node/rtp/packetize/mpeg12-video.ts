import { putU16, u8 } from "../../bytes/big-endian.ts";
import { isMpeg12Slice, MPEG12_START_CODE, type Mpeg12Picture, readMpeg12Picture } from "../../codecs/mpeg12-video.ts";
import { findStartCode, START_CODE_BYTES } from "../../codecs/start-code.ts";
import type { RtpPayload } from "../access-unit.ts";

const HEADER_BYTES = 4;
const SEQUENCE_HEADER = 0x20;
const BEGINS_SLICE = 0x10;
const ENDS_SLICE = 0x08;

/** Slices, with the headers before the first of them, that a payload may have together. */
type Run = { readonly start: number; end: number; picture: Mpeg12Picture; hasSequence: boolean };

const NO_PICTURE: Mpeg12Picture = { temporalReference: 0, codingType: 0, forward: 0, backward: 0 };

/**
 * Packs MPEG-1 and MPEG-2 pictures: as many whole slices as fit together, a large one in fragments of its own. Headers
 * come first in a payload. RFC 2250 §3.1 and §3.4, without the extension for MPEG-2.
 */
export function packetizeMpeg12Video(frames: readonly Uint8Array[], maxPayloadBytes: number): RtpPayload[] {
	return frames.flatMap((frame) => {
		const payloads: Uint8Array[] = [];
		const room = maxPayloadBytes - HEADER_BYTES;
		for (const run of runsOf(frame, room)) addRun(payloads, frame, run, room);
		return payloads.map((bytes, i): RtpPayload => ({ bytes, marker: i === payloads.length - 1, ticks: 0 }));
	});
}

/** Divides a frame before slices, and before headers that follow slices, so that as little as possible is over `room`. */
function runsOf(frame: Uint8Array, room: number): Run[] {
	const runs: Run[] = [];
	let picture = NO_PICTURE;
	let run: Run | null = null;
	let hasSlice = false;
	for (let at = 0; at < frame.length; ) {
		const code = u8(frame, at + 3);
		const next = findStartCode(frame, Math.min(at + START_CODE_BYTES, frame.length), frame.length);
		if (code === MPEG12_START_CODE.picture) picture = readMpeg12Picture(frame, at, frame.length) ?? picture;
		const isSlice = isMpeg12Slice(code);
		const fits = run !== null && next - run.start <= room;
		if (run === null || (isSlice ? hasSlice && !fits : hasSlice)) {
			run = { start: at, end: next, picture, hasSequence: false };
			runs.push(run);
			hasSlice = false;
		}
		run.end = next;
		run.picture = picture;
		run.hasSequence ||= code === MPEG12_START_CODE.sequence;
		hasSlice ||= isSlice;
		at = next;
	}
	return runs;
}

/**
 * Packs a run: in one payload, or in fragments when it is more than `room`.
 *
 * B is set where a slice begins at the payload's start, or behind headers there, and E where one ends at its end.
 */
function addRun(payloads: Uint8Array[], frame: Uint8Array, run: Run, room: number): void {
	const { temporalReference, codingType, forward, backward } = run.picture;
	for (let from = run.start; from < run.end; from += room) {
		const to = Math.min(from + room, run.end);
		const isFirst = from === run.start;
		const payload = new Uint8Array(HEADER_BYTES + to - from);
		putU16(payload, 0, temporalReference);
		payload[2] =
			(isFirst && run.hasSequence ? SEQUENCE_HEADER : 0) |
			(isFirst ? BEGINS_SLICE : 0) |
			(to === run.end ? ENDS_SLICE : 0) |
			codingType;
		payload[3] = (backward << 4) | forward;
		payload.set(frame.subarray(from, to), HEADER_BYTES);
		payloads.push(payload);
	}
}

import { describe, expect, test } from "vitest";
import { AUDIO, commitContext, segmentEvent, VIDEO } from "../../test/support/timeline-builders.ts";
import { recordSchema, type TimelineRecord } from "./record.ts";
import { MAX_WINDOW_SEGMENTS, nextRecord, type TimelineEvent } from "./window.ts";

const fence: TimelineEvent = { kind: "fence" };
const end: TimelineEvent = { kind: "end" };

/** Commits events one after the other; the last record. */
function timeline(events: readonly TimelineEvent[], context = commitContext()): TimelineRecord {
	let record: TimelineRecord | null = null;
	for (const event of events) record = nextRecord(record, event, context);
	return recordSchema.parse(record);
}

const segments = (count: number, from = 0) => Array.from({ length: count }, (_, i) => segmentEvent(from + i));
const sequences = (record: TimelineRecord) => record.window.map((entry) => entry.sequence);

describe("the numbers", () => {
	test("count records without a gap, and only segments in the media sequence", () => {
		const record = timeline([fence, ...segments(2), fence, ...segments(1, 2), end]);
		expect(record).toMatchObject({ n: 5, kind: "end", nextSequence: 3 });
		expect(sequences(record)).toEqual([0, 1, 2]);
	});

	test("come from the previous record and the context", () => {
		const record = nextRecord(
			timeline([fence]),
			segmentEvent(0),
			commitContext({ epoch: 7, previousHash: "ab", writer: "x" }),
		);
		expect(record).toMatchObject({ n: 1, epoch: 7, previous: "ab", writer: "x" });
	});
});

describe("the window", () => {
	test("keeps as many segments as configured", () => {
		expect(sequences(timeline([fence, ...segments(8)]))).toEqual([5, 6, 7]);
	});

	test("keeps three target durations, however many segments that takes (RFC 8216 §6.2.2)", () => {
		const short = Array.from({ length: 20 }, (_, i) => segmentEvent(i, { parts: [{ duration: 0.5 }] }));
		const record = timeline([fence, ...short]);
		expect(record.targetDuration).toBe(2);
		expect(record.window).toHaveLength(12);
	});

	test("never exceeds what a reader accepts", () => {
		let record: TimelineRecord | null = null;
		const instant = segmentEvent(0, { parts: [{ duration: 0 }] });
		const context = commitContext({ segmentCount: MAX_WINDOW_SEGMENTS });
		const full = timeline([fence, instant], context);
		record = {
			...full,
			window: Array.from({ length: MAX_WINDOW_SEGMENTS }, (_, i) => ({ ...full.window[0]!, sequence: i })),
		};
		expect(nextRecord(record, instant, context).window).toHaveLength(MAX_WINDOW_SEGMENTS);
	});

	test("survives a fence, and is emptied by a fence behind an end", () => {
		expect(sequences(timeline([fence, ...segments(3), fence]))).toEqual([0, 1, 2]);
		const again = timeline([fence, ...segments(2), segmentEvent(2, { discontinuity: true }), end, fence]);
		expect(again).toMatchObject({ window: [], renditions: [], nextSequence: 3, discontinuitySequence: 1 });
	});
});

describe("the target duration", () => {
	test.each([
		[2, 2, 2],
		[2, 2.49, 2],
		[2, 2.5, 3],
		[1.2, 1, 2],
		[0.5, 0.2, 1],
		[2, 7.6, 8],
	])("of a minimum of %d s and a segment of %d s is %d", (minimumTargetDuration, duration, expected) => {
		const record = timeline(
			[fence, segmentEvent(0, { parts: [{ duration }] })],
			commitContext({ minimumTargetDuration }),
		);
		expect(record.targetDuration).toBe(expected);
	});

	test("never shrinks", () => {
		const record = timeline([fence, segmentEvent(0, { parts: [{ duration: 6 }] }), ...segments(20, 1), end, fence]);
		expect(record.targetDuration).toBe(6);
	});
});

describe("discontinuities", () => {
	test("stand where a segment says so, and where another packager begins", () => {
		const record = timeline(
			[
				fence,
				segmentEvent(0, { discontinuity: true }),
				...segments(1, 1),
				segmentEvent(2, { discontinuity: true }),
				fence,
				...segments(2, 3),
				end,
				...segments(1, 5),
			],
			commitContext({ segmentCount: 10 }),
		);
		expect(record.window.map((entry) => entry.discontinuity)).toEqual([false, false, true, true, false, true]);
	});

	test("are counted as they leave the window", () => {
		const events = [fence, ...segments(1), segmentEvent(1, { discontinuity: true }), ...segments(2, 2)];
		expect(timeline(events).discontinuitySequence).toBe(0);
		expect(timeline([...events, ...segments(1, 4)]).discontinuitySequence).toBe(1);
	});
});

describe("renditions", () => {
	test("have the bit rates of the window", () => {
		const record = timeline([
			fence,
			segmentEvent(0, { parts: [{ bytes: 250_000 }, { rendition: AUDIO, bytes: 25_000 }] }),
			segmentEvent(1, { parts: [{ bytes: 500_000 }, { rendition: AUDIO, bytes: 25_000 }] }),
		]);
		expect(record.renditions).toEqual([
			{ ...VIDEO, bandwidth: 2_000_000, averageBandwidth: 1_500_000 },
			{ ...AUDIO, bandwidth: 100_000, averageBandwidth: 100_000 },
		]);
	});

	test("have a peak that a very short segment does not spoil (RFC 8216 §4.1)", () => {
		const record = timeline([
			fence,
			segmentEvent(0),
			segmentEvent(1, { parts: [{ duration: 0.04, bytes: 100_000 }] }),
			segmentEvent(2),
		]);
		expect(record.renditions[0]?.bandwidth).toBe(Math.ceil((350_000 * 8) / 2.04));
	});

	test("are those of the newest segment", () => {
		const record = timeline([fence, segmentEvent(0, { parts: [{}, { rendition: AUDIO }] }), segmentEvent(1)]);
		expect(record.renditions.map(({ id }) => id)).toEqual(["v0"]);
		expect(Object.keys(record.window[0]?.parts ?? {})).toEqual(["v0", "a0"]);
	});
});

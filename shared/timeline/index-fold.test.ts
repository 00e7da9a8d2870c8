import { describe, expect, it } from "vitest";
import { mediaFile } from "#shared/store/key.ts";
import { type FoldContext, foldIndex, withStretch } from "./index-fold.ts";
import { HOUR_MS, type IndexHour, indexHourSchema, MAX_HOUR_SEGMENTS } from "./index-hour.ts";
import { entriesOfRuns } from "./index-runs.ts";
import type { Rendition, SegmentEntry } from "./record.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const VIDEO: Rendition = { id: "v0", kind: "video", codecs: "avc1.64001f", bandwidth: 9, averageBandwidth: 8 };
const AUDIO: Rendition = { id: "a0", kind: "audio", codecs: "mp4a.40.2", bandwidth: 9, averageBandwidth: 8 };
const context = (more: Partial<FoldContext> = {}): FoldContext => ({
	n: 1,
	epoch: 1,
	targetDuration: 2,
	retentionMs: null,
	nowMs: NOON,
	...more,
});

function entry(sequence: number, startMs: number, more: Partial<SegmentEntry> = {}, id = "v0"): SegmentEntry {
	const parts = { [id]: { file: mediaFile(1, sequence, id), init: "i.mp4", duration: 2, bytes: 1 } };
	return { sequence, startMs, duration: 2, discontinuity: false, parts, ...more };
}
const every2s = (from: number, to: number) =>
	Array.from({ length: to - from }, (_, i) => entry(from + i, NOON + (from + i) * 2000));
const committed = (entries: SegmentEntry[], discontinuitySequence = 0) => ({
	entries,
	discontinuitySequence,
	renditions: [VIDEO, AUDIO],
});
const sequencesOf = (hours: readonly IndexHour[]) =>
	hours.map(({ hour, runs, firstSequence }) => [
		hour,
		...[...entriesOfRuns(runs, firstSequence)].map(({ sequence }) => sequence),
	]);

describe("the index", () => {
	it("files segments under the hour in which they began, and says what came before", () => {
		const entries = [
			entry(0, NOON - 4000),
			entry(1, NOON - 2000, { discontinuity: true }),
			entry(2, NOON),
			entry(3, NOON + 2000),
		];
		const hours = foldIndex(null, committed(entries, 5), context());
		expect(sequencesOf(hours)).toEqual([
			["2026-01-01T11", 0, 1],
			["2026-01-01T12", 2, 3],
		]);
		expect(hours[1]).toMatchObject({
			before: [["2026-01-01T11", 0, NOON - 4000, 5]],
			discontinuitySequence: 6,
			nextDiscontinuitySequence: 6,
			stretches: [[NOON - 4000, NOON + 4000]],
			renditions: [{ id: "v0", first: 0, last: 3 }],
		});
		for (const hour of hours) expect(indexHourSchema.parse(JSON.parse(JSON.stringify(hour)))).toEqual(hour);
	});

	it("leaves out what it has, and leaves what it was given as it is", () => {
		const [first] = foldIndex(null, committed(every2s(0, 10)), context());
		const before = structuredClone(first);
		const [second] = foldIndex(first!, committed(every2s(5, 15)), context({ n: 2 }));
		expect(sequencesOf([second!])[0]?.slice(1)).toEqual(every2s(0, 15).map(({ sequence }) => sequence));
		expect(first).toEqual(before);
		expect(foldIndex(second!, committed(every2s(0, 15)), context())).toEqual([]);
		expect(foldIndex(second!, committed([]), context())).toEqual([]);
	});

	it("files what began earlier, by a clock that was set back, behind what is there", () => {
		const entries = [entry(0, NOON), entry(1, NOON - HOUR_MS), entry(2, NOON + HOUR_MS)];
		expect(sequencesOf(foldIndex(null, committed(entries), context()))).toEqual([
			["2026-01-01T12", 0, 1],
			["2026-01-01T13", 2],
		]);
	});

	it("is given up for what comes when segments in between are missing: no playlist has a hole", () => {
		const [first] = foldIndex(null, committed(every2s(0, 10)), context());
		const [again] = foldIndex(first!, committed(every2s(12, 14), 3), context());
		expect(again).toMatchObject({ firstSequence: 12, nextSequence: 14, before: [], discontinuitySequence: 3 });
		expect(again?.stretches).toHaveLength(1);
	});

	it("goes on in the next hour's object when one is full", () => {
		const hours = foldIndex(
			null,
			committed(Array.from({ length: MAX_HOUR_SEGMENTS + 1 }, (_, i) => entry(i, NOON + i))),
			context(),
		);
		expect(hours.map(({ hour, firstSequence }) => [hour, firstSequence])).toEqual([
			["2026-01-01T12", 0],
			["2026-01-01T13", MAX_HOUR_SEGMENTS],
		]);
	});

	it("forgets hours and stretches that retention has deleted", () => {
		let newest: IndexHour | null = null;
		for (let i = 0; i < 5; i++) {
			const nowMs = NOON + i * HOUR_MS;
			const hours = foldIndex(newest, committed([entry(i, nowMs)]), context({ nowMs, retentionMs: HOUR_MS }));
			newest = hours.at(-1) ?? null;
		}
		expect(newest?.before.map(([hour]) => hour)).toEqual(["2026-01-01T15"]);
		expect(newest?.stretches).toHaveLength(2);
	});

	it("knows from where to where there was a rendition", () => {
		const entries = [entry(0, NOON), entry(1, NOON + 2000, {}, "a0"), entry(2, NOON + 4000)];
		const [hour] = foldIndex(null, committed(entries), context());
		expect(hour?.renditions.map(({ id, first, last }) => [id, first, last])).toEqual([
			["v0", 0, 2],
			["a0", 1, 1],
		]);
	});
});

describe("stretches", () => {
	it("are joined when the gap is under two target durations, and not when it is that", () => {
		expect(withStretch([[0, 1000]], [4999, 6000], 4000)).toEqual([[0, 6000]]);
		expect(withStretch([[0, 1000]], [5000, 6000], 4000)).toEqual([
			[0, 1000],
			[5000, 6000],
		]);
	});
});

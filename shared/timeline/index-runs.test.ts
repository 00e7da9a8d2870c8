import { describe, expect, it } from "vitest";
import { seededRandom } from "#shared/store/fault-plan.ts";
import { initFile, mediaFile } from "#shared/store/key.ts";
import { appendToRuns, entriesOfRuns, type RunColumns, runLength } from "./index-runs.ts";
import type { SegmentEntry } from "./record.ts";

const START_MS = Date.UTC(2026, 0, 1);

function entry(sequence: number, more: Partial<SegmentEntry> = {}, ids = ["v0", "a0"], epoch = 1): SegmentEntry {
	const duration = more.duration ?? 2;
	return {
		sequence,
		startMs: START_MS + sequence * 2000,
		duration,
		discontinuity: false,
		parts: Object.fromEntries(
			ids.map((id, i) => [
				id,
				{
					file: mediaFile(epoch, sequence, id),
					init: initFile(epoch, 0, id),
					duration: duration - i * 0.021333,
					bytes: 500_000 + sequence,
				},
			]),
		),
		...more,
	};
}

function runsOf(entries: readonly SegmentEntry[]): RunColumns[] {
	const runs: RunColumns[] = [];
	for (const one of entries) appendToRuns(runs, one);
	return runs;
}

describe("segments in columns", () => {
	it("are one run while one packager goes on, of 32 bytes a segment with video and audio", () => {
		const entries = Array.from({ length: 1800 }, (_, i) => entry(i));
		const runs = runsOf(entries);
		expect(runs.map(runLength)).toEqual([1800]);
		expect(JSON.stringify(runs).length / 1800).toBeLessThan(34);
		expect([...entriesOfRuns(runs, 0)]).toEqual(entries);
	});

	it("begin a run with a discontinuity, another packager, another init file and other renditions", () => {
		const entries = [
			entry(0),
			entry(1),
			entry(2, { discontinuity: true }),
			entry(3, {}, ["v0", "a0"], 2),
			entry(4, {}, ["v0"], 2),
			entry(5, { parts: { v0: { file: mediaFile(2, 5, "v0"), init: "init-x.mp4", duration: 2, bytes: 1 } } }),
		];
		const runs = runsOf(entries);
		expect(runs.map(runLength)).toEqual([2, 1, 1, 1, 1]);
		expect([...entriesOfRuns(runs, 0)]).toEqual(entries);
	});

	it("keep names that are not as ours are", () => {
		const part = { file: "any.m4s", init: "any.mp4", duration: 2, bytes: 1 };
		const entries = [
			entry(0, { parts: { v0: part } }),
			entry(1, { parts: { v0: { ...part, file: "b.m4s" } } }),
			entry(2),
		];
		const runs = runsOf(entries);
		expect(runs.map(runLength)).toEqual([2, 1]);
		expect([...entriesOfRuns(runs, 0)]).toEqual(entries);
	});

	it("are what they were, however they follow each other", () => {
		for (let seed = 1; seed <= 200; seed++) {
			const random = seededRandom(seed);
			let startMs = START_MS;
			const entries = Array.from({ length: 40 }, (_, i) => {
				const duration = Math.round(random() * 4e6) / 1e6;
				// Clocks are set back, too.
				startMs += Math.round(duration * 1000 + (random() < 0.2 ? (random() - 0.5) * 1e7 : (random() - 0.5) * 4));
				const ids = random() < 0.1 ? ["v0"] : ["v0", "a0"];
				const parts = Object.fromEntries(
					ids.map((id) => [id, { file: mediaFile(1, i, id), init: initFile(1, 0, id), duration, bytes: i }]),
				);
				return { sequence: i, startMs, duration, discontinuity: random() < 0.1, parts };
			});
			expect([...entriesOfRuns(runsOf(entries), 0)], `seed ${seed}`).toEqual(entries);
		}
	});
});

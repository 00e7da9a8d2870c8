import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { SluiceError } from "#shared/problem.ts";
import { indexKey, mediaFile } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { foldIndex } from "#shared/timeline/index-fold.ts";
import { readIndexHour } from "#shared/timeline/index-reader.ts";
import { entriesOfRuns } from "#shared/timeline/index-runs.ts";
import { parseRange, resolveRange } from "../../functions/dvr/range-query.ts";
import { playbackQuery } from "../../functions/playback-query.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { mutated } from "../support/mutate.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const CAM = parsePathName("cam");
const NOON = Date.UTC(2026, 0, 1, 12);

const value = fc.oneof(
	fc.string({ maxLength: 50 }),
	fc.constantFrom("-7200", "1767225600", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00 02:00", "-0", "99999999999"),
);

describe("the query of a playlist", () => {
	it("is a range or a problem, whatever it says; and the normal form of what is a range says the same", () => {
		fc.assert(
			fc.property(value, value, fc.boolean(), (start, end, hasEnd) => {
				const parameters = new URLSearchParams({ start, ...(hasEnd ? { end } : {}) });
				try {
					const range = parseRange(parameters);
					expect(parseRange(new URLSearchParams(playbackQuery(parameters)))).toEqual(range);
					const { startMs, endMs } = resolveRange(range!, NOON, 2);
					expect(startMs).toBeLessThan(endMs);
				} catch (error) {
					if (!(error instanceof SluiceError)) throw error;
					expect(error.code).toBe("input.invalid");
				}
			}),
			{ seed: SEED, numRuns: 5_000 },
		);
	});
});

const HOUR = JSON.stringify(
	foldIndex(
		null,
		{
			entries: Array.from({ length: 20 }, (_, i) => ({
				sequence: i,
				startMs: NOON + i * 2000,
				duration: 2,
				discontinuity: i % 7 === 3,
				parts: { v0: { file: mediaFile(1, i, "v0"), init: "i.mp4", duration: 2, bytes: 9 } },
			})),
			discontinuitySequence: 0,
			renditions: [{ id: "v0", kind: "video", codecs: "avc1", bandwidth: 1, averageBandwidth: 1 }],
		},
		{ n: 20, epoch: 1, targetDuration: 2, retentionMs: 3_600_000, nowMs: NOON },
	)[0],
);

describe("an object of the index", () => {
	const read = async (text: string | Uint8Array) => {
		const store = new MemoryStore({ clock: new FakeClock() });
		await store.put(indexKey(CAM, "2026-01-01T12"), text);
		try {
			const found = await readIndexHour(store, CAM, "2026-01-01T12");
			const { runs, firstSequence, nextSequence } = found!.hour;
			expect([...entriesOfRuns(runs, firstSequence)]).toHaveLength(nextSequence - firstSequence);
			return "read";
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			return error.code;
		}
	};

	it("is read whole, and corrupt when it is cut anywhere", async () => {
		expect(await read(HOUR)).toBe("read");
		for (let length = 0; length < HOUR.length; length++)
			expect(await read(HOUR.slice(0, length))).toBe("timeline.corrupt");
	});

	it("is read or corrupt, however it is changed", async () => {
		await fc.assert(
			fc.asyncProperty(mutated([new TextEncoder().encode(HOUR)]), async (bytes) => {
				expect(["read", "timeline.corrupt"]).toContain(await read(bytes));
			}),
			{ seed: SEED, numRuns: 3_000 },
		);
	});
});

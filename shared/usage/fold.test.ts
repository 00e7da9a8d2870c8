import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDay, type DayDocument, foldDay, noDay } from "./fold.ts";
import { dayStartMs, type HourDocument, hourDocumentSchema } from "./hour-document.ts";

const DAY = "2026-11-21";
const END = dayStartMs(DAY) + 86_400_000;

function hour(of: number, writer: string, paths: Record<string, object>, day = DAY): HourDocument {
	return hourDocumentSchema.parse({ v: 1, writer, day, hour: of, paths });
}
const stored = (bytes: number, atMs = 0) => ({ stored: { bytes, atMs } });

describe("the sum of a day", () => {
	it("adds up what all writers counted in all hours", () => {
		const { paths } = foldDay(
			DAY,
			[
				hour(3, "node", { "cam/1": { puts: 10, secondsLive: 60 }, "": { puts: 1 } }),
				hour(3, "edge", { "cam/1": { gets: 4, bytesServed: 500 } }),
				hour(4, "node", { "cam/1": { puts: 5 }, "cam/2": { puts: 7 } }),
				hour(4, "node", { "cam/1": { puts: 100 } }, "2026-11-20"),
			],
			null,
			END,
		);
		expect(paths["cam/1"]).toMatchObject({ puts: 15, gets: 4, bytesServed: 500, secondsLive: 60 });
		expect(paths["cam/2"]).toMatchObject({ puts: 7 });
		expect(paths[""]).toMatchObject({ puts: 1 });
	});

	it("has storage hold until another is said, by the newest word of an hour", () => {
		const { paths } = foldDay(
			DAY,
			[
				hour(10, "old", { cam: stored(1_000, 5) }),
				hour(10, "new", { cam: stored(2_000, 9) }),
				hour(12, "new", { cam: stored(0, 20) }),
			],
			null,
			END,
		);
		// Half of 2000 in the hour in which it came, 2000 in the next, half in the one in which it went.
		expect(paths["cam"]).toMatchObject({ byteHours: 1_000 + 2_000 + 1_000, stored: 0 });
	});

	it("goes on from how the day before ended, and from what is added and deleted where nobody says more", () => {
		const before: DayDocument = { v: 1, day: "2026-11-20", paths: { cam: { ...noDay(), stored: 1_000, puts: 99 } } };
		const idle = foldDay(DAY, [], before, END);
		expect(idle.paths["cam"]).toEqual({ ...noDay(), stored: 1_000, byteHours: 24_000 });
		const swept = foldDay(DAY, [hour(0, "n", { cam: { bytesKept: 500, bytesDeleted: 1_200 } })], before, END);
		expect(swept.paths["cam"]?.stored).toBe(300);
		expect(foldDay(DAY, [hour(0, "n", { cam: { bytesDeleted: 9e9 } })], before, END).paths["cam"]?.stored).toBe(0);
	});

	it("counts storage up to now on a day that is not over", () => {
		const before: DayDocument = { v: 1, day: "2026-11-20", paths: { cam: { ...noDay(), stored: 1_000 } } };
		expect(foldDay(DAY, [], before, dayStartMs(DAY) + 5_400_000).paths["cam"]?.byteHours).toBe(1_500);
	});

	it("is the same in whatever order documents are read", () => {
		const counters = fc.record({ puts: fc.nat(1e6), bytesKept: fc.nat(1e9), bytesDeleted: fc.nat(1e9) });
		const documents = fc.array(
			fc.tuple(fc.nat(23), fc.constantFrom("a", "b"), counters, fc.option(fc.nat(1e9), { nil: undefined })),
			{ maxLength: 20 },
		);
		fc.assert(
			fc.property(documents, (list) => {
				const all = list.map(([at, path, given, bytes], i) =>
					hour(at, `w${i}`, { [path]: { ...given, ...(bytes === undefined ? {} : stored(bytes, i)) } }),
				);
				const sorted = (document: DayDocument) => Object.entries(document.paths).sort(([a], [b]) => (a < b ? -1 : 1));
				expect(sorted(foldDay(DAY, all.toReversed(), null, END))).toEqual(sorted(foldDay(DAY, all, null, END)));
			}),
			{ numRuns: 100 },
		);
	});

	it("is added to that of the day before; what is stored is what the later one says", () => {
		const sum = addDay(
			{ ...noDay(), puts: 1, byteHours: 5, stored: 9 },
			{ ...noDay(), puts: 2, byteHours: 6, stored: 3 },
		);
		expect(sum).toEqual({ ...noDay(), puts: 3, byteHours: 11, stored: 3 });
	});
});

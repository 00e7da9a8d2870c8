import { describe, expect, test } from "vitest";
import { commitContext, segmentEvent } from "../../test/support/timeline-builders.ts";
import type { TimelineRecord } from "./record.ts";
import {
	type BoundaryMark,
	expiredIndex,
	expiredInits,
	expiredMedia,
	expiredRecords,
	graceMs,
	mediaBoundary,
	settledBoundary,
	withMark,
} from "./retention.ts";
import { nextRecord, type TimelineEvent } from "./window.ts";

function timeline(...events: TimelineEvent[]): TimelineRecord {
	let record = nextRecord(null, { kind: "fence" }, commitContext({ epoch: 1 }));
	for (const event of events) record = nextRecord(record, event, commitContext({ epoch: 1 }));
	return record;
}

const segments = (count: number) => Array.from({ length: count }, (_, i) => segmentEvent(i));
const at = (name: string, modifiedMs = 0) => ({ key: `streams/cam/media/${name}`, modifiedMs });
const media = (epoch: number, serial: number) =>
	`${String(epoch).padStart(12, "0")}-${String(serial).padStart(12, "0")}-v0.m4s`;
const init = (epoch: number, serial: number, rendition = "v0") =>
	`init-${media(epoch, serial).replace("v0.m4s", "")}${rendition}.mp4`;
const names = (keys: string[]) => keys.map((key) => key.slice("streams/cam/media/".length));

describe("the boundary", () => {
	test("is where the files of the oldest listed segment begin", () => {
		expect(mediaBoundary(timeline(...segments(5)))).toBe("000000000001-000000000002-");
	});

	test("is the epoch's own begin while nothing is listed", () => {
		expect(mediaBoundary(timeline())).toBe("000000000001-000000000000-");
		const over = nextRecord(timeline(...segments(2), { kind: "end" }), { kind: "fence" }, commitContext({ epoch: 4 }));
		expect(mediaBoundary(over)).toBe("000000000004-000000000000-");
	});

	test("has settled once the playlist that listed the files and the caches of it are over (RFC 8216 §6.2.2)", () => {
		const newest = timeline(...segments(5));
		expect(graceMs(newest)).toBe((3 * 2 + 2 * 2) * 1000);
		const marks = withMark([], newest, 1_000);
		expect(settledBoundary(marks, 10_999)).toBeNull();
		expect(settledBoundary(marks, 11_000)).toBe("000000000001-000000000002-");
	});

	test("waits for the longer playlist before, when the window has shrunk", () => {
		const long = timeline(...Array.from({ length: 3 }, (_, i) => segmentEvent(i, { parts: [{ duration: 20 }] })));
		let marks = withMark([], long, 0);
		marks = withMark(marks, timeline(...segments(6)), 50_000);
		expect(settledBoundary(marks, 140_000)).toBe("000000000001-000000000000-");
		expect(settledBoundary(marks, 150_000)).toBe("000000000001-000000000003-");
	});

	test("needs few marks", () => {
		let marks: BoundaryMark[] = [];
		for (let i = 0; i < 1_000; i++) marks = withMark(marks, timeline(...segments(3)), i * 5_000);
		expect(marks.length).toBeLessThanOrEqual(4);
	});
});

describe("what may go", () => {
	test("of media: what lies below the boundary and is old enough", () => {
		const objects = [
			at(media(1, 0), 10),
			at(media(1, 1), 99),
			at(media(1, 2), 100),
			at(media(2, 0), 10),
			at("0notes.txt", 10),
			at(init(1, 0), 10),
		];
		expect(names(expiredMedia(objects, "000000000002-000000000000-", 100))).toEqual([media(1, 0), media(1, 1)]);
	});

	test("of init segments: those whose rendition has a newer one in force where the oldest media begins", () => {
		const objects = [init(1, 0, "a0"), init(1, 0), init(1, 5), init(2, 0), init(2, 9)].map((name) => at(name));
		expect(names(expiredInits(objects, media(1, 4))).sort()).toEqual([]);
		expect(names(expiredInits(objects, media(1, 5))).sort()).toEqual([init(1, 0)]);
		expect(names(expiredInits(objects, "000000000002-000000000003-")).sort()).toEqual([init(1, 0), init(1, 5)]);
		expect(names(expiredInits([...objects, at("init-x.mp4")], media(9, 0))).sort()).toEqual([
			init(1, 0),
			init(1, 5),
			init(2, 0),
		]);
	});

	test("of records: those below the head that are old enough", () => {
		const objects = [0, 1, 2, 3].map((n) => ({ key: `r/${String(n).padStart(12, "0")}.json`, modifiedMs: n }));
		expect(expiredRecords(objects, 3, 2)).toEqual(["r/000000000000.json", "r/000000000001.json"]);
		expect(expiredRecords(objects, 1, 9)).toEqual(["r/000000000000.json"]);
		expect(expiredRecords(objects, -1, 9)).toEqual([]);
		expect(expiredRecords([{ key: "r/other", modifiedMs: 0 }], 3, 9)).toEqual([]);
	});

	test("of the index: hours that were over, but for the newest two", () => {
		const objects = [9, 10, 11, 12].map((hour) => ({
			key: `i/2026-01-01T${String(hour).padStart(2, "0")}.json`,
			modifiedMs: Date.UTC(2026, 0, 1, hour + 1),
		}));
		const noon = Date.UTC(2026, 0, 1, 12);
		expect(expiredIndex(objects, noon - 3_600_000)).toEqual(["i/2026-01-01T09.json"]);
		expect(expiredIndex(objects, noon * 2)).toEqual(["i/2026-01-01T09.json", "i/2026-01-01T10.json"]);
		expect(expiredIndex([{ key: "i/other.json", modifiedMs: 0 }, ...objects.slice(0, 2)], noon * 2)).toEqual([]);
	});
});

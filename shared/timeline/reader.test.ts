import { beforeEach, describe, expect, test } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { headKey, recordKey } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { commitContext, segmentEvent } from "../../test/support/timeline-builders.ts";
import { readNewest } from "./reader.ts";
import type { TimelineRecord } from "./record.ts";
import { nextRecord } from "./window.ts";

const path = parsePathName("cam01");
let store: MemoryStore;
beforeEach(() => {
	store = new MemoryStore();
});

/** Writes the records from `first` to `last`, as a timeline that retention has cut. */
async function write(first: number, last: number): Promise<TimelineRecord[]> {
	const base = nextRecord(null, segmentEvent(0), commitContext());
	const records = Array.from({ length: last - first + 1 }, (_, i) => ({ ...base, n: first + i }));
	for (const record of records) await store.putIfAbsent(recordKey(path, record.n), JSON.stringify(record));
	return records;
}

const hint = (record: unknown) => store.put(headKey(path), JSON.stringify(record));
const reads = () => store.operations.get + store.operations.list;

test("a stream without records has none", async () => {
	expect(await readNewest(store, path)).toBeNull();
});

describe("with a head", () => {
	test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 31, 32, 33, 100])("finds the newest record %i records on", async (distance) => {
		const records = await write(7, 7 + distance);
		await hint(records[0]);
		expect((await readNewest(store, path))?.n).toBe(7 + distance);
	});

	test("takes two reads when it is the newest, and few when it is far behind", async () => {
		const records = await write(0, 1_000);
		await hint(records.at(-1));
		await readNewest(store, path);
		expect(reads()).toBe(2);
		await hint(records[0]);
		await readNewest(store, path);
		expect(reads() - 2).toBeLessThan(25);
	});
});

describe("without a usable head", () => {
	test.each([
		[0, 0],
		[0, 999],
		[0, 1_000],
		[5, 1_004],
		[5, 1_005],
		[17, 6_000],
	])("finds the newest of the records %i to %i by listing", async (first, last) => {
		await write(first, last);
		expect((await readNewest(store, path))?.n).toBe(last);
		expect(reads()).toBeLessThan(20);
	});

	test.each(["", "{", "{}", '{"version":2}', "null"])("does not trust a head that is %j", async (text) => {
		await write(0, 3);
		await store.put(headKey(path), text);
		expect((await readNewest(store, path))?.n).toBe(3);
	});
});

describe("a damaged record", () => {
	const valid = nextRecord(null, segmentEvent(0), commitContext());

	test.each([
		["is cut short", JSON.stringify(valid).slice(0, -5)],
		["has another version", JSON.stringify({ ...valid, version: 2 })],
		["has another number", JSON.stringify({ ...valid, n: 9 })],
		["has a window that is none", JSON.stringify({ ...valid, window: [{}] })],
	])("that %s is named", async (_, text) => {
		await store.put(recordKey(path, 0), text);
		const key = "streams/cam01/records/000000000000.json";
		await expect(readNewest(store, path)).rejects.toMatchObject({ code: "timeline.corrupt", data: { key } });
		await expect(readNewest(store, path)).rejects.toThrow(key);
	});

	test("is found out at every length", async () => {
		const text = JSON.stringify(valid);
		for (let length = 0; length < text.length; length += 7) {
			await store.put(recordKey(path, 0), text.slice(0, length));
			await expect(readNewest(store, path)).rejects.toMatchObject({ code: "timeline.corrupt" });
		}
	});
});

test("what the bucket says is passed on", async () => {
	store.away = true;
	await expect(readNewest(store, path)).rejects.toMatchObject({ code: "store.unavailable" });
});

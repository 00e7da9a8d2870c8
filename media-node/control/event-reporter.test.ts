import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { abortedError } from "#shared/clock.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { eventsPrefix, OUTBOX_PREFIX } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { EventReporter, type NewEvent } from "./event-reporter.ts";

const log = pino({ level: "silent" });
const cam01 = parsePathName("site/cam01");

function offline(name: PathName, reason: string): NewEvent {
	return { type: "stream.offline", data: { path: name, streamId: "s", node: "n", reason, durationMs: 1 } };
}

async function logOf(store: MemoryStore, name: PathName): Promise<{ sequence: number; reason: string; id: string }[]> {
	const { objects } = await store.list(eventsPrefix(name));
	return Promise.all(
		objects.map(async ({ key }) => {
			const event = JSON.parse((await (await store.get(key))?.text()) ?? "{}");
			return { sequence: event.sequence, reason: event.data.reason, id: event.id };
		}),
	);
}

describe("reporting events", () => {
	it("numbers the events of each path from 0 without a gap, in their order, and puts them into the outbox", async () => {
		await using folder = await tempDir();
		const clock = new FakeClock();
		const store = new MemoryStore({ clock });
		let published = 0;
		const reporter = await EventReporter.open({
			store,
			clock,
			log,
			journalRoot: folder.path,
			onPublished: () => published++,
		});
		const other = parsePathName("cam02");
		for (const reason of ["a", "b", "c"]) {
			reporter.report(offline(cam01, reason));
			reporter.report(offline(other, reason));
		}
		await eventually("all are published", () => published === 6);
		for (const name of [cam01, other])
			expect((await logOf(store, name)).map(({ sequence, reason }) => [sequence, reason])).toEqual([
				[0, "a"],
				[1, "b"],
				[2, "c"],
			]);
		expect((await store.list(OUTBOX_PREFIX)).objects).toHaveLength(6);
		await reporter.close();
		expect(await readdir(folder.path)).toEqual([]);
		expect(clock.pending).toBe(0);
	});

	it("keeps events on disk while the bucket is away, over the end of the process, and brings them with their ids afterwards", async () => {
		await using folder = await tempDir();
		const clock = new FakeClock();
		const store = new MemoryStore({ clock });
		store.away = true;
		const first = await EventReporter.open({ store, clock, log, journalRoot: folder.path });
		first.report(offline(cam01, "a"));
		first.report(offline(cam01, "b"));
		await eventually(
			"they are on disk",
			async () => (await readdir(folder.path)).filter((file) => file.endsWith(".json")).length === 2,
		);
		const closing = first.close(1000);
		await settle();
		await clock.advance(1000);
		await closing;
		store.away = false;
		await using second = await EventReporter.open({ store, clock, log, journalRoot: folder.path });
		second.report(offline(cam01, "c"));
		await eventually("all came through", async () => (await logOf(store, cam01)).length === 3);
		expect((await logOf(store, cam01)).map(({ sequence, reason }) => [sequence, reason])).toEqual([
			[0, "a"],
			[1, "b"],
			[2, "c"],
		]);
	});

	it("gives an event that came as far as the log the same number again, not another one", async () => {
		await using folder = await tempDir();
		const clock = new FakeClock();
		const store = new MemoryStore({ clock });
		const put = store.put.bind(store);
		// The process dies after the log, before the outbox.
		store.put = (_key, _body, options) =>
			new Promise((_resolve, reject) =>
				options?.signal?.addEventListener("abort", () => reject(abortedError(options.signal))),
			);
		const first = await EventReporter.open({ store, clock, log, journalRoot: folder.path });
		first.report(offline(cam01, "a"));
		await eventually("it is in the log", async () => (await logOf(store, cam01)).length === 1);
		const [before] = await logOf(store, cam01);
		const closing = first.close(10);
		await settle();
		await clock.advance(10);
		await closing;
		store.put = put;
		await using _second = await EventReporter.open({ store, clock, log, journalRoot: folder.path });
		await eventually("it is in the outbox", async () => (await store.list(OUTBOX_PREFIX)).objects.length === 1);
		expect(await logOf(store, cam01)).toEqual([before]);
	});

	it("shares the numbers of a path with another node", async () => {
		await using a = await tempDir();
		await using b = await tempDir();
		const clock = new FakeClock();
		const store = new MemoryStore({ clock });
		await using one = await EventReporter.open({ store, clock, log, journalRoot: a.path });
		await using two = await EventReporter.open({ store, clock, log, journalRoot: b.path });
		for (let i = 0; i < 20; i++) {
			one.report(offline(cam01, `one ${i}`));
			two.report(offline(cam01, `two ${i}`));
		}
		await eventually("all have a number", async () => (await logOf(store, cam01)).length === 40);
		const events = await logOf(store, cam01);
		expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i));
		expect(new Set(events.map(({ id }) => id)).size).toBe(40);
		expect(events.filter(({ reason }) => reason.startsWith("one")).map(({ reason }) => reason)).toEqual(
			Array.from({ length: 20 }, (_, i) => `one ${i}`),
		);
	});

	it("puts a damaged entry of the journal aside, and goes on with the rest", async () => {
		await using folder = await tempDir();
		await writeFile(path.join(folder.path, "000000000000001-000000001-aa.json"), "{");
		await writeFile(path.join(folder.path, "000000000000002-000000001-aa.json.draft"), "half");
		const clock = new FakeClock();
		const store = new MemoryStore({ clock });
		await using reporter = await EventReporter.open({ store, clock, log, journalRoot: folder.path });
		reporter.report(offline(cam01, "a"));
		await eventually("it is published", async () => (await logOf(store, cam01)).length === 1);
		await eventually(
			"its entry is gone",
			async () => (await readdir(folder.path)).join() === "000000000000001-000000001-aa.json.damaged",
		);
	});
});

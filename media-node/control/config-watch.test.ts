import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { CONFIG_VERSION_KEY, pathConfigKey } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";
import { ConfigWatch, FULL_READ_INTERVAL_MS, type PathConfigs, POLL_INTERVAL_MS } from "./config-watch.ts";

const log = pino({ level: "silent" });
const cam01 = parsePathName("site/cam01");
const cam02 = parsePathName("cam02");

async function open() {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const changes: PathConfigs[] = [];
	const write = async (path: typeof cam01, body: unknown, version = true) => {
		await store.put(pathConfigKey(path), typeof body === "string" ? body : JSON.stringify(body));
		if (version) await store.put(CONFIG_VERSION_KEY, JSON.stringify({ at: Math.random() }));
	};
	const watch = () =>
		ConfigWatch.open(
			{ store, clock, log, onChange: (configs) => void changes.push(configs) },
			new AbortController().signal,
		);
	return { clock, store, changes, write, watch, last: () => Object.fromEntries(changes.at(-1) ?? []) };
}

describe("following the configuration in the bucket", () => {
	it("gives what is there at the start, and what changes within a poll", async () => {
		const { clock, changes, write, watch, last } = await open();
		await write(cam01, { maxReaders: 3 });
		await using _watch = await watch();
		expect(last()).toEqual({ "site/cam01": { maxReaders: 3 } });
		await write(cam01, { maxReaders: 4 });
		await write(cam02, { hls: false });
		await clock.advance(POLL_INTERVAL_MS);
		expect(last()).toEqual({ "site/cam01": { maxReaders: 4 }, cam02: { hls: false } });
		expect(changes).toHaveLength(2);
	});

	it("costs one small read a poll while nothing changes", async () => {
		const { clock, store, write, watch } = await open();
		await write(cam01, {});
		await using _watch = await watch();
		const reads = recordReads(store);
		store.list = () => {
			throw new Error("A quiet bucket must not be listed");
		};
		await clock.advance(5 * POLL_INTERVAL_MS);
		expect(reads.map(({ method }) => method)).toEqual(Array(5).fill("getIfChanged"));
	});

	it("finds a document whose version was never written, within a minute", async () => {
		const { clock, write, watch, last } = await open();
		await using _watch = await watch();
		await write(cam01, { maxReaders: 9 }, false);
		await clock.advance(FULL_READ_INTERVAL_MS + POLL_INTERVAL_MS);
		expect(last()).toEqual({ "site/cam01": { maxReaders: 9 } });
	});

	it("lets go of a document that was deleted", async () => {
		const { clock, store, write, watch, last, changes } = await open();
		await write(cam01, { maxReaders: 3 });
		await using _watch = await watch();
		await store.delete([pathConfigKey(cam01)]);
		await store.put(CONFIG_VERSION_KEY, "gone");
		await clock.advance(POLL_INTERVAL_MS);
		expect(changes).toHaveLength(2);
		expect(last()).toEqual({});
	});

	it.each(["{", '"text"', '{"maxReaders":-1}', '{"nope":1}', `{"source":"${"x".repeat(70_000)}"}`])(
		"keeps the last good version of a document that is not right: %.20s",
		async (body) => {
			const { clock, write, watch, last } = await open();
			await write(cam01, { maxReaders: 3 });
			await using _watch = await watch();
			await write(cam01, body);
			await write(cam02, { hls: false });
			await clock.advance(POLL_INTERVAL_MS);
			expect(last()).toEqual({ "site/cam01": { maxReaders: 3 }, cam02: { hls: false } });
		},
	);

	it("starts while the bucket is away, and catches up when it is back", async () => {
		const { clock, store, write, watch, last } = await open();
		await write(cam01, { maxReaders: 3 });
		store.away = true;
		await using _watch = await watch();
		expect(last()).toEqual({});
		store.away = false;
		await clock.advance(POLL_INTERVAL_MS);
		expect(last()).toEqual({ "site/cam01": { maxReaders: 3 } });
	});

	it("leaves no timer behind", async () => {
		const { clock, watch } = await open();
		const opened = await watch();
		await opened[Symbol.asyncDispose]();
		await settle();
		expect(clock.pending).toBe(0);
	});
});

import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import {
	headKey,
	indexPrefix,
	initFile,
	leaseKey,
	mediaFile,
	mediaKey,
	mediaPrefix,
	recordsPrefix,
} from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { findIndexListed } from "#shared/timeline/index-reader.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { instantDigest } from "../../test/support/instant-digest.ts";
import { VIDEO } from "../../test/support/timeline-builders.ts";
import type { Logger } from "../log.ts";
import { type LiveTimeline, RetentionSweeper } from "./retention-sweeper.ts";

const digest = instantDigest();
afterAll(() => digest[Symbol.dispose]());

const never = new AbortController().signal;
const MINUTE = 60_000;
const HOUR = 3_600_000;

let clock: FakeClock;
let store: MemoryStore;
let warnings: string[];
let live: Set<Stream>;
beforeEach(() => {
	clock = new FakeClock();
	store = new MemoryStore({ clock });
	warnings = [];
	live = new Set();
});

/** A stream that commits a segment each 2 s, with a new init segment each 100. */
class Stream implements LiveTimeline {
	readonly path: PathName;
	readonly #writer: TimelineWriter;
	#serial = 0;

	constructor(path: PathName, writer: TimelineWriter) {
		this.path = path;
		this.#writer = writer;
	}

	static async open(name: string, owner = "node-a"): Promise<Stream> {
		const path = parsePathName(name);
		const writer = await TimelineWriter.open(
			{ store, clock, path, owner, takeover: "override", leaseMs: 10_000, segmentCount: 5, minimumTargetDuration: 2 },
			never,
		);
		const stream = new Stream(path, writer);
		live.add(stream);
		return stream;
	}

	get newest() {
		return this.#writer.newest;
	}

	get headNumber() {
		return this.#writer.headNumber;
	}

	async publish(seconds: number): Promise<void> {
		for (let i = 0; i < seconds / 2; i++) {
			const serial = this.#serial++;
			const file = mediaFile(this.#writer.epoch, serial, "v0");
			const init = initFile(this.#writer.epoch, serial - (serial % 100), "v0");
			await store.put(mediaKey(this.path, file), "media");
			if (serial % 100 === 0) await store.put(mediaKey(this.path, init), "init");
			const part = { rendition: VIDEO, file, init, duration: 2, bytes: 5 };
			await this.#writer.commitSegment({ startMs: clock.now(), discontinuity: false, parts: [part] }, never);
			await clock.advance(2_000);
		}
	}

	async close(): Promise<void> {
		live.delete(this);
		await this.#writer.close(never);
	}

	/** Whether all that the newest record lists can be read. */
	async isWhole(): Promise<boolean> {
		for (const { parts } of this.newest.window) {
			for (const { file, init } of Object.values(parts)) {
				for (const name of [file, init]) if ((await store.head(mediaKey(this.path, name))) === null) return false;
			}
		}
		return true;
	}
}

function sweeper(nodeId = "node-a", retentionMs: number | null = MINUTE): RetentionSweeper {
	const warn = (_: unknown, message?: string) => void warnings.push(message ?? "");
	const log = { debug() {}, info() {}, warn, error: warn, child: () => log } as unknown as Logger;
	return new RetentionSweeper({ store, clock, log, nodeId, live: () => live, retentionMsOf: () => retentionMs });
}

async function count(prefix: string, ends: string): Promise<number> {
	let found = 0;
	for (let after: string | null = ""; after !== null; ) {
		const page = await store.list(prefix, { startAfter: after });
		found += page.objects.filter(({ key }) => key.endsWith(ends)).length;
		after = page.next;
	}
	return found;
}

describe("a live stream", () => {
	test("keeps its retention and what is listed, and no more", async () => {
		await using _sweeper = sweeper();
		const stream = await Stream.open("cam01");
		await stream.publish(1_200);
		expect(await stream.isWhole()).toBe(true);
		const files = await count(mediaPrefix(stream.path), ".m4s");
		expect(files).toBeGreaterThanOrEqual(30);
		expect(files).toBeLessThanOrEqual(30 + 31 + 30);
		expect(await count(mediaPrefix(stream.path), ".mp4")).toBeLessThanOrEqual(4);
		// An hour must pass before a record goes.
		expect(await count(recordsPrefix(stream.path), ".json")).toBe(601);
	});

	test("keeps records an hour longer than segments", async () => {
		await using _sweeper = sweeper();
		const stream = await Stream.open("cam01");
		await stream.publish(2 * 3_600);
		const records = await count(recordsPrefix(stream.path), ".json");
		expect(records).toBeGreaterThan(1_800);
		expect(records).toBeLessThan(1_800 + 30 + 330);
		expect(await stream.isWhole()).toBe(true);
	});

	test("keeps every record from the head on, however long that cannot be written", async () => {
		await using _sweeper = sweeper("node-a", 0);
		const stream = await Stream.open("cam01");
		// Somebody else's epoch in the head: this writer never overwrites it, and never learns that it hints at its records.
		await store.put(headKey(stream.path), JSON.stringify({ ...stream.newest, epoch: 99 }));
		await stream.publish(3 * 3_600);
		expect(await count(recordsPrefix(stream.path), ".json")).toBe(5_401);
	});

	test("keeps everything where retention is not ours to say", async () => {
		await using _sweeper = sweeper("node-a", null);
		const stream = await Stream.open("cam01");
		await stream.publish(600);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(300);
	});

	test("keeps what left the playlist until players have left it too, though it is old", async () => {
		await using _sweeper = sweeper("node-a", 0);
		const stream = await Stream.open("cam01");
		await stream.publish(10);
		// The publisher is away: everything grows old, but is listed.
		await clock.advance(30 * MINUTE);
		const listed = stream.newest.window.flatMap(({ parts }) => parts["v0"]?.file ?? []);
		expect(listed).toHaveLength(5);
		await stream.publish(8);
		for (const file of listed) expect(await store.head(mediaKey(stream.path, file))).not.toBeNull();
		await stream.publish(180);
		for (const file of listed) expect(await store.head(mediaKey(stream.path, file))).toBeNull();
	});

	test("does not wait for another one whose listing fails", async () => {
		await using _sweeper = sweeper();
		const [bad, good] = [await Stream.open("a"), await Stream.open("b")];
		const list = store.list.bind(store);
		store.list = (prefix, options) =>
			prefix === mediaPrefix(bad.path) ? Promise.reject(new TypeError("Cannot list")) : list(prefix, options);
		await good.publish(600);
		expect(await count(mediaPrefix(good.path), ".m4s")).toBeLessThan(100);
		expect(warnings).toContain("Old segments could not be deleted");
	});
});

describe("a stream that is over", () => {
	test("loses all but its last playlist, once it has been idle for an hour", async () => {
		await using _sweeper = sweeper("node-a", 10 * MINUTE);
		const stream = await Stream.open("site/cam01");
		await stream.publish(600);
		await stream.close();
		await clock.advance(50 * MINUTE);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(300);
		await clock.advance(2 * HOUR);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(5);
		expect(await count(recordsPrefix(stream.path), ".json")).toBe(1);
		expect(await stream.isWhole()).toBe(true);
	});

	test("is left to the node that owned it last", async () => {
		await using _sweeper = sweeper("node-b");
		const stream = await Stream.open("cam01", "node-a");
		live.clear();
		await stream.publish(600);
		await stream.close();
		await clock.advance(5 * HOUR);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(300);
	});

	test("is come to, however many there are", async () => {
		await using _sweeper = sweeper();
		const streams = [];
		for (let i = 0; i < 23; i++) {
			const stream = await Stream.open(`cam${i}`);
			await stream.publish(20);
			await stream.close();
			streams.push(stream);
		}
		await clock.advance(2 * HOUR);
		for (const stream of streams) expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(5);
	});

	test("is come to, though another one has an index or a lease that is damaged", async () => {
		await using _sweeper = sweeper();
		const streams = [];
		for (const name of ["a", "b", "c"]) {
			const stream = await Stream.open(name);
			await stream.publish(20);
			await stream.close();
			streams.push(stream);
		}
		const index = await store.list(indexPrefix(parsePathName("a")));
		for (const { key } of index.objects) await store.put(key, "{");
		await store.put(leaseKey(parsePathName("b")), "{");
		await clock.advance(2 * HOUR);
		expect(index.objects).toHaveLength(1);
		expect(await count(mediaPrefix(parsePathName("c")), ".m4s")).toBe(5);
		expect(warnings).toContain("Old segments could not be deleted yet");
	});
});

test("a sweeper that is closed leaves nothing behind", async () => {
	const closing = sweeper();
	await Stream.open("cam01").then((stream) => stream.close());
	await clock.advance(MINUTE);
	await closing[Symbol.asyncDispose]();
	expect(clock.pending).toBe(0);
});

describe("retention that becomes shorter", () => {
	test("counts when readers have had the time to learn of it", async () => {
		let retentionMs = HOUR;
		const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log } as unknown as Logger;
		const options = { store, clock, log, nodeId: "node-a", live: () => live, retentionMsOf: () => retentionMs };
		await using _sweeper = new RetentionSweeper(options);
		const stream = await Stream.open("cam01");
		await stream.publish(20 * 60);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(600);
		retentionMs = MINUTE;
		await stream.publish(8 * 60);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(840);
		await stream.publish(4 * 60);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBeLessThan(120);
		await stream.close();
	});

	test("is told to readers of a stream that is over before anything is deleted", async () => {
		const stream = await Stream.open("cam01");
		await stream.publish(10 * 60);
		await stream.close();
		await clock.advance(HOUR);
		await using _sweeper = sweeper();
		await clock.advance(2 * MINUTE);
		expect((await findIndexListed(store, stream.path))?.hour.retentionMs).toBe(MINUTE);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(300);
		await clock.advance(15 * MINUTE);
		expect(await count(mediaPrefix(stream.path), ".m4s")).toBe(5);
	});
});

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import { type FaultPlan, NO_FAULT, NO_FAULTS, seededFaults } from "#shared/store/fault-plan.ts";
import { indexKey, mediaKey } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { hourOf } from "#shared/timeline/index-hour.ts";
import { readIndexHour } from "#shared/timeline/index-reader.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import type { SegmentEntry, TimelineRecord } from "#shared/timeline/record.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { instantDigest } from "../../test/support/instant-digest.ts";
import { pendingSegment } from "../../test/support/pending-segments.ts";
import type { Logger } from "../log.ts";
import type { Loss } from "./metrics.ts";
import type { ReleasableSegment } from "./segment-queue.ts";
import { StreamUploader } from "./uploader.ts";
import type { StreamUploaderOptions } from "./uploader-settings.ts";

const path = parsePathName("site/cam01");
const never = new AbortController().signal;

const digest = instantDigest();
afterAll(() => digest[Symbol.dispose]());

let spoolRoot: string;
beforeEach(async () => {
	spoolRoot = await mkdtemp(join(tmpdir(), "sluice-spool-"));
});
afterEach(() => rm(spoolRoot, { recursive: true }));

/** A bench with a bucket, a clock and a publisher that makes a segment of 2 s each 2 s. */
class Bench {
	readonly clock = new FakeClock();
	readonly store: MemoryStore;
	readonly losses: Loss[] = [];
	readonly fenced: SluiceError[] = [];
	readonly released: number[] = [];
	readonly logged: string[] = [];
	pushed = 0;

	/** While true the bucket answers at once and without a fault: for checks. */
	isQuiet = false;

	constructor(faults: FaultPlan = NO_FAULTS) {
		const plan: FaultPlan = { next: (operation) => (this.isQuiet ? NO_FAULT : faults.next(operation)) };
		this.store = new MemoryStore({ clock: this.clock, faults: plan });
	}

	get log(): Logger {
		const note = (_: unknown, message?: string) => void this.logged.push(message ?? "");
		const log = { debug: note, info: note, warn: note, error: note, child: () => log } as unknown as Logger;
		return log;
	}

	options(more: Partial<StreamUploaderOptions> = {}): StreamUploaderOptions {
		return {
			store: this.store,
			clock: this.clock,
			log: this.log,
			path,
			nodeId: "node-a",
			takeover: "override",
			segmentCount: 5,
			minimumTargetDuration: 2,
			spoolRoot,
			random: () => 0.5,
			onFenced: (reason) => this.fenced.push(reason),
			onLost: (loss) => this.losses.push(loss),
			...more,
		};
	}

	async open(more: Partial<StreamUploaderOptions> = {}): Promise<StreamUploader> {
		const opening = StreamUploader.open(this.options(more), never);
		let isOpen = false;
		const done = () => {
			isOpen = true;
		};
		opening.then(done, done);
		await this.until("the uploader is open", () => isOpen);
		return opening;
	}

	segment(bytes = 1000): ReleasableSegment {
		const number = this.pushed++;
		return {
			...pendingSegment(this.clock.now(), { fill: number, videoBytes: bytes }),
			release: () => {
				this.released.push(number);
			},
		};
	}

	async publish(uploader: StreamUploader, count: number, bytes?: number): Promise<void> {
		for (let i = 0; i < count; i++) {
			uploader.push(this.segment(bytes));
			await this.clock.advance(2_000);
			await settle();
		}
	}

	/** Moves time, and lets the disk work, until `condition` holds. */
	async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
		for (let i = 0; i < 2_000; i++) {
			if (await condition()) return;
			await this.clock.advance(50);
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
		throw new Error(`Not within 100 s of simulated time: ${what}`);
	}

	async close(uploader: StreamUploader, drainMs?: number): Promise<void> {
		let isClosed = false;
		const closing = uploader.close(drainMs).then(() => {
			isClosed = true;
		});
		await this.until("the uploader is closed", () => isClosed);
		await closing;
	}

	async newest(): Promise<TimelineRecord> {
		const record = await readNewest(this.store, path);
		if (record === null) throw new Error("There is no record");
		return record;
	}

	/** The numbers of the segments that were committed, as their bytes say, with a `|` before each discontinuity. */
	async committed(): Promise<string> {
		this.isQuiet = true;
		const { n } = await this.newest();
		const entries = new Map<number, SegmentEntry>();
		for (let i = 0; i <= n; i++) {
			const object = await this.store.get(`streams/site~cam01/records/${String(i).padStart(12, "0")}.json`);
			const record = JSON.parse((await object?.text()) ?? "null") as TimelineRecord;
			for (const entry of record.window) entries.set(entry.sequence, entry);
		}
		const texts: string[] = [];
		for (const entry of entries.values()) {
			const object = await this.store.get(mediaKey(path, entry.parts["v0"]!.file));
			texts.push(`${entry.discontinuity ? "| " : ""}${(await object?.bytes())?.[0]}`);
		}
		this.isQuiet = false;
		return texts.join(" ");
	}

	async spooled(): Promise<string[]> {
		const names = await readdir(join(spoolRoot, "site~cam01"));
		return names.filter((name) => name.endsWith(".segment")).sort();
	}
}

describe("with a bucket that works", () => {
	test("commits segments in order and releases each once", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		await bench.publish(uploader, 6);
		expect(await bench.committed()).toBe("0 1 2 3 4 5");
		expect(bench.released).toEqual([0, 1, 2, 3, 4, 5]);
		const { window, renditions } = await bench.newest();
		expect(window.map((entry) => entry.sequence)).toEqual([1, 2, 3, 4, 5]);
		expect(renditions.map(({ id, bandwidth }) => [id, bandwidth])).toEqual([
			["v0", 4000],
			["a0", 40],
		]);
		expect(uploader.metrics).toMatchObject({ queueItems: 0, queueBytes: 0, segmentsCommitted: 6, segmentsLost: 0 });
		await bench.close(uploader);
		expect(bench.clock.pending).toBe(0);
	});

	test("uploads the init segment once, with names, types and caching that suit a CDN", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		await bench.publish(uploader, 3);
		const { objects } = await bench.store.list("streams/site~cam01/media/");
		expect(objects.map((object) => object.key.slice("streams/site~cam01/media/".length))).toEqual([
			"000000000001-000000000000-a0.m4s",
			"000000000001-000000000000-v0.m4s",
			"000000000001-000000000001-a0.m4s",
			"000000000001-000000000001-v0.m4s",
			"000000000001-000000000002-a0.m4s",
			"000000000001-000000000002-v0.m4s",
			"init-000000000001-000000000000-a0.mp4",
			"init-000000000001-000000000000-v0.mp4",
		]);
		const video = await bench.store.head(objects[1]!.key);
		const audio = await bench.store.head(objects[0]!.key);
		expect([video?.contentType, audio?.contentType]).toEqual(["video/mp4", "audio/mp4"]);
		await bench.close(uploader);
	});

	test("overlaps an upload with the commit before it", async () => {
		// Each request takes a second: one after the other, a segment would take two.
		const bench = new Bench({ next: () => ({ beforeMs: 500, afterMs: 500 }) });
		const uploader = await bench.open({ openWaitMs: 60_000 });
		for (let i = 0; i < 10; i++) uploader.push(bench.segment());
		const began = bench.clock.now();
		await bench.until("all are committed", () => uploader.metrics.segmentsCommitted === 10);
		expect(bench.clock.now() - began).toBeLessThan(13_000);
		await bench.close(uploader);
	});

	test("ends the timeline behind what was pushed", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		uploader.push(bench.segment());
		uploader.end();
		await bench.close(uploader);
		const record = await bench.newest();
		expect(record.kind).toBe("end");
		expect(record.window).toHaveLength(1);
	});

	test("keeps the lease while nothing is published, and gives it up when it closes", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		await bench.clock.advance(8_000);
		await expect(bench.open({ nodeId: "node-b", takeover: "respect" })).rejects.toMatchObject({
			code: "timeline.fenced",
			data: { owner: "node-a" },
		});
		await bench.close(uploader);
		const other = await bench.open({ nodeId: "node-b", takeover: "respect" });
		await bench.close(other);
	});

	test("leaves out a segment that no reader would accept, and goes on behind a discontinuity", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		await bench.publish(uploader, 1);
		const bad = bench.segment();
		uploader.push({ ...bad, startMs: Number.NaN, release: bad.release });
		await bench.publish(uploader, 2);
		expect(await bench.committed()).toBe("0 | 2 3");
		expect(bench.losses).toEqual([{ reason: "invalid", segments: 1, duration: 2 }]);
		expect(bench.released).toEqual([0, 1, 2, 3]);
		await bench.close(uploader);
	});

	test("logs once that an object of the index is damaged, which is no failure of the bucket", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		const key = indexKey(path, hourOf(bench.clock.now()));
		await bench.publish(uploader, 1);
		await bench.until("the index is there", async () => (await bench.store.head(key)) !== null);
		await bench.store.put(key, "{");
		await bench.publish(uploader, 60);
		const hour = await readIndexHour(bench.store, path, hourOf(bench.clock.now()));
		expect(hour?.hour.firstSequence).toBe(0);
		expect(bench.logged.filter((message) => message.includes(key))).toHaveLength(1);
		expect(uploader.metrics).toMatchObject({ isAway: false, retries: 0 });
		await bench.close(uploader);
	});
});

describe("while the bucket is away", () => {
	test("spools segments, keeps memory bounded, and catches up in order without a loss", async () => {
		const bench = new Bench();
		const uploader = await bench.open({ maxQueueItems: 8 });
		await bench.publish(uploader, 2);
		bench.store.away = true;
		let most = 0;
		for (let i = 0; i < 60; i++) {
			await bench.publish(uploader, 1);
			await bench.until("it is on disk", async () => (await bench.spooled()).length >= i - 2);
			most = Math.max(most, uploader.metrics.queueItems);
		}
		expect(uploader.metrics).toMatchObject({ isAway: true, segmentsCommitted: 2 });
		expect(uploader.metrics.spoolItems).toBeGreaterThan(55);
		expect(most).toBeLessThanOrEqual(8);
		bench.store.away = false;
		await bench.until("all are committed", () => uploader.metrics.segmentsCommitted === 62);
		expect(await bench.committed()).toBe(Array.from({ length: 62 }, (_, i) => i).join(" "));
		expect(bench.losses).toEqual([]);
		expect([...bench.released].sort((a, b) => a - b)).toEqual(Array.from({ length: 62 }, (_, i) => i));
		await bench.until("the spool is empty", () => uploader.metrics.spoolItems === 0);
		expect(await bench.spooled()).toEqual([]);
		expect(uploader.metrics).toMatchObject({ isAway: false, spoolBytes: 0, queueBytes: 0 });
		await bench.close(uploader);
		expect(bench.clock.pending).toBe(0);
	}, 8_000);

	test("starts all the same, and commits all once it is there", async () => {
		const bench = new Bench();
		bench.store.away = true;
		const uploader = await bench.open();
		await bench.publish(uploader, 5);
		expect(uploader.newest).toBeNull();
		expect(bench.logged).toContain("The bucket is away: segments wait on disk");
		bench.store.away = false;
		await bench.until("all are committed", () => uploader.metrics.segmentsCommitted === 5);
		expect(await bench.committed()).toBe("0 1 2 3 4");
		await bench.close(uploader);
	});

	test("tells later that another node owns the stream, when it could not know at the start", async () => {
		const bench = new Bench();
		const other = await bench.open({ nodeId: "node-b" });
		bench.store.away = true;
		const uploader = await bench.open({ takeover: "respect" });
		await bench.publish(uploader, 1);
		bench.store.away = false;
		await bench.until("it is told", () => bench.fenced.length === 1);
		expect(bench.fenced[0]).toMatchObject({ code: "timeline.fenced" });
		await bench.close(uploader);
		await bench.close(other);
	});

	test("spools at closing what it could not commit, and the next process commits it first", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		await bench.publish(uploader, 2);
		bench.store.away = true;
		await bench.publish(uploader, 3);
		await bench.close(uploader);
		expect(bench.losses).toEqual([]);
		expect(await bench.spooled()).toHaveLength(3);
		expect([...bench.released].sort()).toEqual([0, 1, 2, 3, 4]);
		bench.store.away = false;
		const next = await bench.open();
		await bench.publish(next, 2);
		await bench.until("all are committed", () => next.metrics.segmentsCommitted === 5);
		expect(await bench.committed()).toBe("0 1 | 2 3 4 | 5 6");
		expect(await bench.spooled()).toEqual([]);
		await bench.close(next);
	});

	test("does not commit again what was committed before the process could forget it", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		bench.store.away = true;
		await bench.publish(uploader, 3);
		await bench.until("all wait on disk", () => uploader.metrics.spoolItems === 3);
		// The process dies here; its files are put back after another life has committed two of them.
		await bench.close(uploader, 0);
		const folder = join(spoolRoot, "site~cam01");
		const files = await Promise.all(
			(await bench.spooled()).map(async (name) => [name, await readFile(join(folder, name))] as const),
		);
		for (const [name] of files.slice(2)) await rm(join(folder, name));
		bench.store.away = false;
		const second = await bench.open();
		await bench.until("two are committed", () => second.metrics.segmentsCommitted === 2);
		await bench.close(second);
		for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
		const third = await bench.open();
		await bench.until("the third is committed", () => third.metrics.segmentsCommitted === 1);
		expect(await bench.committed()).toBe("0 1 | 2");
		await bench.until("the spool is empty", async () => (await bench.spooled()).length === 0);
		await bench.close(third);
	});

	test("drops the oldest when the spool is full, counts it, and says so by a discontinuity", async () => {
		const bench = new Bench();
		const uploader = await bench.open({ maxSpoolBytes: 6_500 });
		bench.store.away = true;
		for (let i = 0; i < 12; i++) {
			await bench.publish(uploader, 1);
			await bench.until("the disk is done", async () => (await bench.spooled()).length > Math.min(i - 3, 3));
		}
		expect(uploader.metrics.spoolBytes).toBeLessThan(8_500);
		bench.store.away = false;
		await bench.until("all that is left is committed", () => {
			const { segmentsCommitted, segmentsLost } = uploader.metrics;
			return segmentsCommitted + segmentsLost === 12;
		});
		expect(bench.losses.length).toBeGreaterThan(0);
		expect(new Set(bench.losses.map((loss) => loss.reason))).toEqual(new Set(["spool_full"]));
		const numbers = (await bench.committed())
			.split(" ")
			.filter((text) => text !== "|")
			.map(Number);
		expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
		expect(numbers.at(-1)).toBe(11);
		expect(await bench.committed()).toContain("| ");
		expect([...bench.released].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
		await bench.close(uploader);
	});

	test("puts a damaged file aside and goes on with the next", async () => {
		const bench = new Bench();
		bench.store.away = true;
		const uploader = await bench.open();
		await bench.publish(uploader, 3);
		await bench.close(uploader, 0);
		const folder = join(spoolRoot, "site~cam01");
		await writeFile(join(folder, (await bench.spooled())[1]!), "sluice-spool 1 00000000 5\nnope\n");
		bench.store.away = false;
		const next = await bench.open();
		await bench.until("the others are committed", () => next.metrics.segmentsCommitted === 2);
		expect(await bench.committed()).toBe("0 | 2");
		expect(bench.losses).toEqual([{ reason: "spool_damaged", segments: 1, duration: 0 }]);
		expect(await readdir(join(folder, "damaged"))).toHaveLength(1);
		await bench.close(next);
	});

	test("loses the oldest segments, and only those, when neither bucket nor disk take any", async () => {
		const bench = new Bench();
		const uploader = await bench.open({ maxQueueItems: 4, maxSpoolBytes: 0 });
		bench.store.away = true;
		await bench.publish(uploader, 8);
		bench.store.away = false;
		await bench.until("the rest is committed", () => uploader.metrics.segmentsCommitted === 4);
		expect(bench.losses.map((loss) => loss.reason)).toEqual(Array(4).fill("queue_full"));
		expect(await bench.committed()).toBe("0 | 5 6 7");
		await bench.close(uploader);
	});
});

describe("with a slow and faulty bucket", () => {
	test.each([1, 2, 3, 4, 5])(
		"commits all segments once and in order (seed %i)",
		async (seed) => {
			const bench = new Bench(
				seededFaults(seed, { lostRequest: 0.1, lostResponse: 0.1, throttled: 0.05, conflict: 0.05, maxLatencyMs: 900 }),
			);
			const uploader = await bench.open();
			await bench.publish(uploader, 30);
			await bench.until("all are committed", () => uploader.metrics.segmentsCommitted === 30);
			expect(uploader.metrics.retries).toBeGreaterThan(0);
			await bench.close(uploader);
			expect(await bench.committed()).toBe(Array.from({ length: 30 }, (_, i) => i).join(" "));
			expect([...bench.released].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
		},
		8_000,
	);
});

describe("when another node takes over", () => {
	test("stops, tells its owner once, and lets go of everything", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		await bench.publish(uploader, 2);
		const other = await bench.open({ nodeId: "node-b" });
		uploader.push(bench.segment());
		await bench.until("it is told", () => bench.fenced.length > 0);
		uploader.push(bench.segment());
		await bench.clock.advance(8_000);
		expect(bench.fenced).toHaveLength(1);
		expect(bench.fenced[0]).toMatchObject({ code: "timeline.fenced" });
		expect(bench.released).toEqual([0, 1, 2, 3]);
		expect(bench.losses.map((loss) => loss.reason)).toEqual(["fenced", "fenced"]);
		expect(await bench.committed()).toBe("0 1");
		await bench.close(uploader);
		await bench.close(other);
		expect(bench.clock.pending).toBe(0);
		expect(await bench.spooled()).toEqual([]);
	});

	test("hears of it by the renewal of the lease, when nothing is published", async () => {
		const bench = new Bench();
		const uploader = await bench.open();
		const other = await bench.open({ nodeId: "node-b" });
		await bench.clock.advance(10_000);
		expect(bench.fenced).toHaveLength(1);
		await bench.close(uploader);
		await bench.close(other);
	});

	test("does not bring back what it spooled before another node streamed", async () => {
		const bench = new Bench();
		bench.store.away = true;
		const uploader = await bench.open();
		await bench.publish(uploader, 2);
		await bench.close(uploader, 0);
		bench.store.away = false;
		const other = await TimelineWriter.open(
			{
				store: bench.store,
				clock: bench.clock,
				path,
				owner: "node-b",
				takeover: "override",
				leaseMs: 10_000,
				segmentCount: 5,
				minimumTargetDuration: 2,
			},
			never,
		);
		const rendition = { id: "v0", kind: "video", codecs: "avc1.64001f" } as const;
		const part = { rendition, file: "000000000001-000000000000-v0.m4s", init: "i", duration: 2, bytes: 1 };
		await bench.store.put(mediaKey(path, part.file), new Uint8Array([99]));
		await other.commitSegment({ startMs: bench.clock.now(), discontinuity: false, parts: [part] }, never);
		const back = await bench.open();
		await bench.clock.advance(2_000);
		await bench.publish(back, 1);
		await bench.until("it is committed", () => back.metrics.segmentsCommitted === 1);
		expect(await bench.committed()).toBe("99 | 2");
		await bench.close(back);
		await other.close(never);
	});
});

test("a call that is stopped while it opens leaves nothing behind", async () => {
	const bench = new Bench();
	bench.store.away = true;
	const controller = new AbortController();
	const opening = StreamUploader.open(bench.options(), controller.signal);
	const outcome = opening.then(
		() => "open",
		(error: SluiceError) => error.code,
	);
	await bench.clock.advance(100);
	controller.abort();
	expect(await outcome).toBe("aborted");
	expect(bench.clock.pending).toBe(0);
});

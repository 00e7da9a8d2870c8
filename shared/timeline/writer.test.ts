import { createHash } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import type { Clock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import { type FaultPlan, scriptedFaults } from "#shared/store/fault-plan.ts";
import { headKey, leaseKey, recordKey, recordsPrefix } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { instantDigest } from "../../test/support/instant-digest.ts";
import { uploadedSegment } from "../../test/support/timeline-builders.ts";
import { readNewest } from "./reader.ts";
import type { Lease, TimelineRecord } from "./record.ts";
import { RECORD_KEEP_MS } from "./retention.ts";
import { TimelineWriter, type TimelineWriterOptions } from "./writer.ts";

const digest = instantDigest();
afterAll(() => digest[Symbol.dispose]());

const path = parsePathName("cam01");
const never = new AbortController().signal;

function bench(faults?: FaultPlan) {
	const clock = new FakeClock();
	const store = new MemoryStore(faults === undefined ? { clock } : { clock, faults });
	const open = (owner: string, more: Partial<TimelineWriterOptions> = {}) =>
		TimelineWriter.open(
			{
				store,
				clock,
				path,
				owner,
				takeover: "override",
				leaseMs: 10_000,
				segmentCount: 3,
				minimumTargetDuration: 2,
				random: () => 0.5,
				...more,
			},
			never,
		);
	const json = async (key: string) => JSON.parse((await (await store.get(key))?.text()) ?? "null") as unknown;
	const record = async (n: number) => (await json(recordKey(path, n))) as TimelineRecord;
	const lease = async () => (await json(leaseKey(path))) as Lease;
	const head = async () => (await json(headKey(path))) as TimelineRecord | null;
	/** Settles a promise while time goes on. */
	const whileTimeGoesOn = async <T>(promise: Promise<T>): Promise<T> => {
		let isSettled = false;
		const settled = () => {
			isSettled = true;
		};
		promise.then(settled, settled);
		for (let i = 0; i < 1_000 && !isSettled; i++) await clock.advance(100);
		return promise;
	};
	return { clock, store, open, record, lease, head, whileTimeGoesOn };
}

const codeOf = (promise: Promise<unknown>) =>
	promise.then(
		() => "fine",
		(error: SluiceError) => error.code,
	);

describe("opening", () => {
	test("begins a timeline with a lease, a fence and a head", async () => {
		const { open, record, lease, head, clock } = bench();
		const writer = await open("a");
		expect(writer).toMatchObject({ epoch: 1, resumedFrom: null });
		expect(await lease()).toMatchObject({ owner: "a", epoch: 1, expiresMs: clock.now() + 10_000 });
		expect(await record(0)).toMatchObject({ kind: "fence", n: 0, epoch: 1, previous: "", window: [] });
		expect(await head()).toEqual(await record(0));
	});

	test("goes on behind the newest record, in a higher epoch, with the hash of that record", async () => {
		const { open, record, store } = bench();
		const first = await open("a");
		await first.commitSegment(uploadedSegment(0), never);
		await first.close(never);
		const second = await open("b");
		expect(second.resumedFrom).toEqual(await record(1));
		const before = await (await store.get(recordKey(path, 1)))?.text();
		expect(await record(2)).toMatchObject({
			kind: "fence",
			epoch: 2,
			previous: createHash("sha256").update(before!).digest("hex"),
		});
		expect((await record(2)).window).toHaveLength(1);
	});

	test.each([
		["another node's, which holds it", "b", 0, "timeline.fenced"],
		["another node's, which has missed a renewal by less than half", "b", 4_999, "timeline.fenced"],
		["another node's, which has missed a renewal and a half", "b", 5_000, "fine"],
		["another node's, which let it expire", "b", 10_000, "fine"],
		["our own, from before a restart", "a", 0, "fine"],
	])("respects a lease that is %s", async (_, owner, waitMs, outcome) => {
		const { open, clock } = bench();
		await open("a");
		await clock.advance(waitMs);
		expect(await codeOf(open(owner, { takeover: "respect" }))).toBe(outcome);
	});

	test("names the owner whom it respects, and until when", async () => {
		const { open } = bench();
		await open("node-1");
		await expect(open("b", { takeover: "respect" })).rejects.toThrow(
			/^Node "node-1" owns the stream cam01 until 2026-01-01T00:00:10.000Z\./,
		);
	});

	test("gets above the epoch of the records when the lease was deleted", async () => {
		const { open, store } = bench();
		await open("a");
		await open("a");
		await store.delete([leaseKey(path)]);
		expect((await open("b")).epoch).toBe(3);
	});

	test("takes the lease that it wrote, though the answer was lost", async () => {
		const faults = scriptedFaults([
			{ method: "putIfAbsent", key: leaseKey(path), fails: "store.unavailable", tookEffect: true },
		]);
		const { open, whileTimeGoesOn, lease } = bench(faults);
		const writer = await whileTimeGoesOn(open("a"));
		expect(writer.epoch).toBe(1);
		expect(await lease()).toMatchObject({ epoch: 1 });
	});

	test("fences behind what the old owner commits meanwhile", async () => {
		const bothWays = { next: ({ method }: { method: string }) => (method === "putIfMatch" ? { afterMs: 1_000 } : {}) };
		const { open, clock, record } = bench(bothWays);
		const old = await open("a");
		const opening = open("b");
		await clock.advance(500);
		// The lease is taken by now, which the old owner does not know.
		await old.commitSegment(uploadedSegment(0), never);
		await old.commitSegment(uploadedSegment(1), never);
		await clock.advance(1_000);
		const writer = await opening;
		expect(writer.resumedFrom).toMatchObject({ n: 2, kind: "segment" });
		expect(await record(3)).toMatchObject({ kind: "fence", epoch: 2 });
		expect(await codeOf(old.commitSegment(uploadedSegment(2), never))).toBe("timeline.fenced");
	});

	test.each([
		["another node took over and streamed", true],
		["the old owner streamed on, and stopped", false],
	])("does not fence in the past, when it slept for hours meanwhile and %s", async (_, isTakenOver) => {
		const { open, clock, store, record, head } = bench();
		const old = await open("a");
		const { promise: awake, resolve: wake } = Promise.withResolvers<void>();
		let isAsleep = false;
		const asleep = new Proxy(store, {
			get(target, name) {
				if (name !== "putIfAbsent") return Reflect.get(target, name, target).bind?.(target);
				return async (key: string, body: string) => {
					isAsleep = true;
					await awake;
					return target.putIfAbsent(key, body);
				};
			},
		});
		const opening = open("b", { store: asleep }).catch((error: SluiceError) => error.code);
		await clock.advance(0);
		expect(isAsleep).toBe(true);
		const owner = isTakenOver ? await open("c") : old;
		for (let i = 0; i < 4; i++) await owner.commitSegment(uploadedSegment(i), never);
		await clock.advance(2_000);
		const { n } = owner.newest;
		expect(await head()).toEqual(owner.newest);
		await clock.advance(2 * RECORD_KEEP_MS);
		// Retention: all below the head.
		await store.delete(Array.from({ length: n }, (_, i) => recordKey(path, i)));
		wake();
		const writer = await opening;
		await clock.advance(2_000);
		if (isTakenOver) {
			expect(writer).toBe("timeline.fenced");
			expect(await readNewest(store, path)).toMatchObject({ n, epoch: 3 });
		} else {
			expect(writer).toMatchObject({ epoch: 2, newest: { n: n + 1, kind: "fence" }, resumedFrom: { n } });
			expect(await head()).toEqual(await record(n + 1));
		}
	});

	test.each(["lease", "record"])("refuses a damaged %s, naming its key", async (what) => {
		const { open, store } = bench();
		await (await open("a")).close(never);
		const key = what === "lease" ? leaseKey(path) : recordKey(path, 1);
		await store.put(key, "{}");
		await expect(open("b")).rejects.toMatchObject({ code: "timeline.corrupt", data: { key } });
	});
});

describe("committing", () => {
	test("numbers segments, and tells readers at once", async () => {
		const { open, store } = bench();
		const writer = await open("a");
		for (let i = 0; i < 5; i++) {
			const record = await writer.commitSegment(uploadedSegment(i), never);
			expect(record.n).toBe(i + 1);
			expect(await readNewest(store, path)).toEqual(record);
		}
		expect(await writer.commitEnd(never)).toMatchObject({ kind: "end", n: 6, nextSequence: 5 });
	});

	test.each([
		["before it took effect", { fails: "store.unavailable" }, 1],
		["after it took effect", { fails: "store.unavailable", tookEffect: true }, 1],
		["by a conflict", { fails: "store.conflict" }, 1],
		["by throttling", { fails: "store.throttled" }, 1],
		["by credentials that are mended later", { fails: "store.refused" }, 1],
	] as const)("survives a write that fails %s", async (_, fault, retries) => {
		const faults = scriptedFaults([{ method: "putIfAbsent", key: recordKey(path, 1), ...fault }]);
		const { open, record, store, whileTimeGoesOn } = bench(faults);
		const seen: string[] = [];
		const writer = await open("a", { onRetry: (error) => seen.push(error.code) });
		const committed = await whileTimeGoesOn(writer.commitSegment(uploadedSegment(0), never));
		expect(await record(1)).toEqual(committed);
		expect((await store.list(recordsPrefix(path))).objects).toHaveLength(2);
		expect(seen).toEqual(Array(retries).fill(fault.fails));
	});

	test("takes a request without an answer for one of unknown outcome", async () => {
		const faults = scriptedFaults([{ method: "putIfAbsent", key: recordKey(path, 1), afterMs: 3_600_000 }]);
		const { open, whileTimeGoesOn } = bench(faults);
		const writer = await open("a");
		const record = await whileTimeGoesOn(writer.commitSegment(uploadedSegment(0), never));
		expect(record.n).toBe(1);
	});

	test("stops for good when another node took the number", async () => {
		const { open, record } = bench();
		const old = await open("a");
		await open("b");
		expect(await codeOf(old.commitSegment(uploadedSegment(0), never))).toBe("timeline.fenced");
		expect(await codeOf(old.commitSegment(uploadedSegment(0), never))).toBe("timeline.fenced");
		expect(await codeOf(old.renew(never))).toBe("timeline.fenced");
		await old.close(never);
		expect(await record(2)).toBeNull();
	});

	test("does not count as committed what it created in the past, when it slept for hours", async () => {
		const { open, clock, store } = bench();
		const { promise: awake, resolve: wake } = Promise.withResolvers<void>();
		let sleeps = false;
		const asleep = new Proxy(store, {
			get(target, name) {
				if (name !== "putIfAbsent") return Reflect.get(target, name, target).bind?.(target);
				return async (key: string, body: string) => {
					if (sleeps) await awake;
					return target.putIfAbsent(key, body);
				};
			},
		});
		const old = await open("a", { store: asleep });
		sleeps = true;
		const outcome = codeOf(old.commitSegment(uploadedSegment(0), never));
		await clock.advance(0);
		const owner = await open("b");
		await owner.commitSegment(uploadedSegment(1), never);
		await clock.advance(2 * RECORD_KEEP_MS);
		await store.delete([recordKey(path, 0), recordKey(path, 1)]);
		wake();
		expect(await outcome).toBe("timeline.fenced");
		await clock.advance(60_000);
		expect(await readNewest(store, path)).toEqual(owner.newest);
	});

	test("renews a lease that expired first, and finds there that it lost", async () => {
		const { open, clock, store, lease } = bench();
		const writer = await open("a");
		await clock.advance(20_000);
		await writer.commitSegment(uploadedSegment(0), never);
		expect((await lease()).expiresMs).toBe(clock.now() + 10_000);
		await clock.advance(20_000);
		await store.put(leaseKey(path), JSON.stringify({ ...(await lease()), owner: "b", writer: "other", epoch: 9 }));
		await expect(writer.commitSegment(uploadedSegment(1), never)).rejects.toThrow(/^Node "b" owns/);
	});

	test("renews first on a machine that slept, whose monotonic clock stood still meanwhile", async () => {
		const { open, clock, lease } = bench();
		const asleep: Clock = {
			now: () => clock.now(),
			monotonic: () => 0,
			sleep: (ms, signal) => clock.sleep(ms, signal),
			after: (ms, run) => clock.after(ms, run),
			every: (ms, run) => clock.every(ms, run),
		};
		const writer = await open("a", { clock: asleep });
		await clock.advance(20_000);
		await writer.commitSegment(uploadedSegment(0), never);
		expect((await lease()).expiresMs).toBe(clock.now() + 10_000);
	});

	test("commits nothing more after it was stopped half-way", async () => {
		const { open, store, clock } = bench();
		const writer = await open("a");
		store.away = true;
		const controller = new AbortController();
		const outcome = codeOf(writer.commitSegment(uploadedSegment(0), controller.signal));
		await clock.advance(1_000);
		controller.abort();
		expect(await outcome).toBe("aborted");
		store.away = false;
		expect(await codeOf(writer.commitSegment(uploadedSegment(0), never))).toBe("aborted");
	});

	test("refuses what a reader would not accept, and stays usable", async () => {
		const { open } = bench();
		const writer = await open("a");
		const bad = [
			uploadedSegment(0, { parts: [] }),
			uploadedSegment(0, { startMs: Number.NaN }),
			uploadedSegment(0, { parts: [{}, {}] }),
			uploadedSegment(0, { parts: [{ duration: -1 }] }),
			uploadedSegment(0, { parts: [{ rendition: { id: "v0", kind: "video", codecs: 'a"\n#' } }] }),
		];
		for (const segment of bad) await expect(writer.commitSegment(segment, never)).rejects.toThrow(TypeError);
		expect(await writer.commitSegment(uploadedSegment(0), never)).toMatchObject({ n: 1 });
	});
});

describe("the lease", () => {
	test("is renewed from the moment of asking, though the answer was lost", async () => {
		const faults = scriptedFaults([
			{ method: "putIfMatch", key: leaseKey(path), fails: "store.unavailable", tookEffect: true },
		]);
		const { open, clock, lease, whileTimeGoesOn } = bench(faults);
		const writer = await open("a");
		await clock.advance(5_000);
		await whileTimeGoesOn(writer.renew(never));
		expect((await lease()).expiresMs).toBeGreaterThanOrEqual(clock.now() + 9_000);
		expect(await codeOf(writer.commitSegment(uploadedSegment(0), never))).toBe("fine");
	});

	test("is given up by closing, which leaves nothing behind", async () => {
		const { open, clock, lease } = bench();
		const writer = await open("a");
		await writer.commitSegment(uploadedSegment(0), never);
		await Promise.all([writer.close(never), writer.close(never)]);
		expect(await lease()).toMatchObject({ owner: "a", epoch: 1, expiresMs: 0 });
		expect(clock.pending).toBe(0);
		expect(await codeOf(writer.commitSegment(uploadedSegment(1), never))).toBe("session.closed");
	});
});

describe("the head", () => {
	test("is written at most once a second, and catches up", async () => {
		const { open, store, clock, head } = bench();
		const writer = await open("a");
		const before = store.operations.putIfMatch;
		for (let i = 0; i < 20; i++) {
			await writer.commitSegment(uploadedSegment(i), never);
			await clock.advance(100);
		}
		expect(store.operations.putIfMatch - before).toBeLessThanOrEqual(2);
		await clock.advance(1_000);
		expect(await head()).toEqual(writer.newest);
		expect(writer.headNumber).toBe(20);
	});

	test("may fail without harm to the commits", async () => {
		const fails = { key: headKey(path), fails: "store.throttled" } as const;
		const faults = scriptedFaults([
			{ method: "putIfAbsent", ...fails },
			{ method: "putIfAbsent", ...fails },
		]);
		const { open, clock, store } = bench(faults);
		const writer = await open("a");
		const record = await writer.commitSegment(uploadedSegment(0), never);
		expect(writer.headNumber).toBe(-1);
		expect(await readNewest(store, path)).toEqual(record);
		await clock.advance(10_000);
		expect(writer.headNumber).toBe(1);
	});

	test("is not moved back by a request of the old owner that comes late", async () => {
		const late = scriptedFaults([{ method: "putIfMatch", key: headKey(path), beforeMs: 5_000 }]);
		const { open, clock, head } = bench(late);
		const old = await open("a");
		await clock.advance(2_000);
		await old.commitSegment(uploadedSegment(0), never);
		const writer = await open("b");
		await writer.commitSegment(uploadedSegment(1), never);
		await clock.advance(2_000);
		expect(await head()).toMatchObject({ epoch: 2, n: 3 });
		await clock.advance(60_000);
		expect(await head()).toMatchObject({ epoch: 2, n: 3 });
		await old.close(never);
	});
});

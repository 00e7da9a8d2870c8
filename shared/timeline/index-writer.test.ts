import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { indexKey, indexPrefix } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { uploadedSegment } from "../../test/support/timeline-builders.ts";
import { findIndexListed, readIndexHour } from "./index-reader.ts";
import { TimelineWriter } from "./writer.ts";

const PATH = parsePathName("cam");
const { signal } = new AbortController();

/** A bucket that counts what the index costs, and can be made to fail. */
function world(retentionMs: number | null = null) {
	const clock = new FakeClock(Date.UTC(2026, 0, 1, 12, 0, 30));
	const store = new MemoryStore({ clock });
	const calls: string[] = [];
	let fault: "none" | "lostRequest" | "lostAnswer" = "none";
	for (const name of ["putIfAbsent", "putIfMatch"] as const) {
		const inner = store[name].bind(store) as (...args: unknown[]) => Promise<{ etag: string }>;
		store[name] = async (...args: unknown[]) => {
			if (!String(args[0]).startsWith(indexPrefix(PATH))) return inner(...args);
			calls.push(name);
			const failure = new StoreError("store.unavailable", "away");
			if (fault === "lostRequest") throw failure;
			const result = await inner(...args);
			if (fault === "lostAnswer") throw failure;
			return result;
		};
	}
	let serial = 0;
	const told: string[] = [];
	const open = (owner = "node") =>
		TimelineWriter.open(
			{
				store,
				clock,
				path: PATH,
				owner,
				takeover: "override",
				leaseMs: 10_000,
				segmentCount: 4,
				minimumTargetDuration: 2,
				retentionMs: () => retentionMs,
				onDamaged: ({ code }) => told.push(code),
			},
			signal,
		);
	/** Commits segments of two seconds in real time. */
	const commit = async (writer: TimelineWriter, count: number) => {
		for (let i = 0; i < count; i++) {
			await writer.commitSegment(uploadedSegment(serial++, { startMs: clock.now() }), signal);
			await writer.renew(signal);
			await clock.advance(2000);
		}
	};
	const indexed = async () => (await findIndexListed(store, PATH))?.hour;
	const fail = (how: typeof fault) => {
		fault = how;
	};
	const damage = (hour: string, text = "{") => store.put(indexKey(PATH, hour), text);
	return { clock, store, calls, told, open, commit, indexed, fail, damage };
}

describe("the index of a live stream", () => {
	it("takes one PUT for the first segment, one a minute, two when an hour ends, and one when the stream does", async () => {
		const { calls, open, commit, indexed, clock } = world();
		const writer = await open();
		await commit(writer, 1);
		expect(calls).toEqual(["putIfAbsent"]);
		await commit(writer, 30 * 59);
		expect(calls).toHaveLength(60);
		await commit(writer, 60);
		// The end of the first hour, and the begin of the second.
		expect(calls).toHaveLength(63);
		expect(calls.filter((call) => call === "putIfAbsent")).toHaveLength(2);
		await writer.commitEnd(signal);
		await clock.advance(0);
		expect(calls).toHaveLength(64);
		expect(await indexed()).toMatchObject({
			nextSequence: 1 + 30 * 59 + 60,
			before: [["2026-01-01T12", 0, expect.any(Number), 0]],
		});
		await writer.close(signal);
		expect(calls).toHaveLength(64);
		expect(clock.pending).toBe(0);
	});

	it("never says more than the records, and is complete when its writer closes", async () => {
		const { open, commit, indexed } = world();
		const writer = await open();
		await commit(writer, 20);
		expect(await indexed()).toMatchObject({ nextSequence: 1 });
		await writer.close(signal);
		expect(await indexed()).toMatchObject({ nextSequence: 20, n: 20, epoch: 1 });
	});

	it("is healed from the records by the next owner, with its first segment", async () => {
		const { open, commit, indexed } = world();
		const dead = await open("dead");
		await commit(dead, 25);
		expect(await indexed()).toMatchObject({ nextSequence: 1 });
		const next = await open("next");
		await commit(next, 1);
		expect(await indexed()).toMatchObject({ nextSequence: 26, epoch: 2, nextDiscontinuitySequence: 1 });
		await next.close(signal);
	});

	it.each(["lostRequest", "lostAnswer"] as const)("goes on after a failure (%s), and within seconds", async (fault) => {
		const { open, commit, indexed, fail } = world();
		const writer = await open();
		await commit(writer, 1);
		fail(fault);
		await commit(writer, 31);
		fail("none");
		await commit(writer, 20);
		expect((await indexed())?.nextSequence).toBeGreaterThanOrEqual(32);
		await writer.close(signal);
		expect(await indexed()).toMatchObject({ nextSequence: 52 });
	});

	it("is left alone by an owner that was fenced", async () => {
		const { open, commit, indexed, clock } = world();
		const old = await open("old");
		await commit(old, 10);
		const young = await open("young");
		await commit(young, 5);
		// Both are due.
		await clock.advance(120_000);
		const written = await indexed();
		expect(written).toMatchObject({ nextSequence: 15, epoch: 2 });
		await old.close(signal);
		expect(await indexed()).toEqual(written);
		await young.close(signal);
	});

	it("says how long segments are kept, and is not written for a stream that keeps none", async () => {
		const hour = world(3_600_000);
		const writer = await hour.open();
		await hour.commit(writer, 1);
		expect(await hour.indexed()).toMatchObject({ retentionMs: 3_600_000 });
		await writer.close(signal);

		const none = world(0);
		const other = await none.open();
		await none.commit(other, 40);
		await other.close(signal);
		expect(none.calls).toEqual([]);
	});

	it("is not tried again and again when a stream that keeps none ends", async () => {
		const none = world(0);
		const writer = await none.open();
		await none.commit(writer, 2);
		await writer.commitEnd(signal);
		// Only the lease is still waited for.
		await none.clock.advance(0);
		await writer.close(signal);
		expect(none.calls).toEqual([]);
		expect(none.clock.pending).toBe(0);
	});
});

describe("the newest object of the index, when it is damaged", () => {
	it("is made again by the writer that lives, which tells of it once", async () => {
		const { open, commit, indexed, damage, told, calls } = world();
		const writer = await open();
		await commit(writer, 1800 + 60);
		const before = await indexed();
		await damage("2026-01-01T13");
		calls.length = 0;
		await commit(writer, 60);
		expect((await indexed())?.nextSequence).toBeGreaterThan(1860);
		await writer.close(signal);
		expect(await indexed()).toMatchObject({
			hour: "2026-01-01T13",
			firstSequence: before?.firstSequence,
			nextSequence: 1920,
			before: before?.before,
		});
		expect(told).toEqual(["timeline.corrupt"]);
		expect(calls).not.toContain("putIfAbsent");
	});

	it.each(["", "{", "[]", '{"version":2}'])(
		"is made again by the next owner, whatever stands in it: '%s'",
		async (text) => {
			const { open, commit, indexed, damage, told, clock, store } = world();
			const first = await open();
			await commit(first, 1800 + 60);
			await first.close(signal);
			const before = await indexed();
			await damage("2026-01-01T13", text);
			// The next segment is of another hour: what was in the damaged one still comes from the records.
			await clock.advance(3_600_000);
			const next = await open();
			await commit(next, 1);
			expect(await indexed()).toMatchObject({ hour: "2026-01-01T14", firstSequence: 1860, nextSequence: 1861 });
			const healed = await readIndexHour(store, PATH, "2026-01-01T13");
			expect(healed?.hour).toMatchObject({ runs: before?.runs, before: before?.before });
			expect(told).toEqual(["timeline.corrupt"]);
			await next.close(signal);
		},
	);

	it("is made again from all the records when no object before it can be read", async () => {
		const { open, commit, indexed, damage, told } = world();
		const writer = await open();
		await commit(writer, 1800 + 60);
		await damage("2026-01-01T12");
		await damage("2026-01-01T13");
		await commit(writer, 60);
		await writer.close(signal);
		expect(await indexed()).toMatchObject({ hour: "2026-01-01T13", firstSequence: 0, nextSequence: 1920, before: [] });
		expect(told).toEqual(["timeline.corrupt"]);
	});

	it("takes the name of the damaged one, though a clock that was set back began its segments earlier", async () => {
		const { open, commit, indexed, damage } = world();
		const writer = await open();
		await commit(writer, 5);
		await writer.close(signal);
		await damage("2026-01-01T15");
		const next = await open();
		await commit(next, 1);
		expect(await indexed()).toMatchObject({ hour: "2026-01-01T15", firstSequence: 5, nextSequence: 6 });
		await next.close(signal);
	});

	it("is told of again when it is damaged again, and an older one is left as it is", async () => {
		const { open, commit, indexed, damage, told } = world();
		const writer = await open();
		await commit(writer, 1800 + 60);
		await damage("2026-01-01T12");
		await commit(writer, 60);
		expect(told).toEqual([]);
		for (const text of ["{", "}"]) {
			await damage("2026-01-01T13", text);
			await commit(writer, 60);
		}
		expect(told).toEqual(["timeline.corrupt", "timeline.corrupt"]);
		await writer.close(signal);
		expect(await indexed()).toMatchObject({ nextSequence: 2040 });
	});

	it("goes on being told of once while it cannot be written", async () => {
		const { open, commit, indexed, damage, told, fail } = world();
		const writer = await open();
		await commit(writer, 10);
		await damage("2026-01-01T12");
		fail("lostRequest");
		await commit(writer, 120);
		expect(told).toEqual(["timeline.corrupt"]);
		fail("none");
		await writer.close(signal);
		expect(await indexed()).toMatchObject({ firstSequence: 0, nextSequence: 130 });
	});
});

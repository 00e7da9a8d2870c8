import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { indexPrefix } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { uploadedSegment } from "../../test/support/timeline-builders.ts";
import { findIndexListed } from "./index-reader.ts";
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
	return { clock, store, calls, open, commit, indexed, fail };
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

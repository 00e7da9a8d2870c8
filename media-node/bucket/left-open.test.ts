import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { type FaultPlan, NO_FAULT } from "#shared/store/fault-plan.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { driven } from "../../test/support/driven.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { pendingSegment } from "../../test/support/pending-segments.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { FINISH_AFTER_MS, LeftOpen } from "./left-open.ts";
import { StreamUploader } from "./uploader.ts";

const CAM = parsePathName("site/cam");
const never = new AbortController().signal;

async function world() {
	const folder = await tempDir();
	const clock = new FakeClock();
	let isAway = false;
	const faults: FaultPlan = { next: () => (isAway ? { fails: "store.unavailable" } : NO_FAULT) };
	const store = new MemoryStore({ clock, faults });
	const finished: string[] = [];

	const during = async <T>(work: Promise<T>) => (await driven(clock, work, { stepMs: 50, everyMs: 1 })).value;
	const open = (nodeId: string) =>
		during(
			StreamUploader.open(
				{
					...{ store, clock, nodeId, path: CAM, spoolRoot: folder.path, log: recordingLogger() },
					...{ takeover: "respect", segmentCount: 5, minimumTargetDuration: 2, random: () => 0.5 },
					onFenced: () => undefined,
				},
				never,
			),
		);
	const finish = async () => {
		finished.push(CAM);
		const uploader = await open("node-a");
		uploader.end();
		await during(uploader.close());
	};
	return {
		...{ folder, clock, store, open, during, finished },
		setAway(away: boolean) {
			isAway = away;
		},
		/** As a run of a node leaves it: its publisher may come back. */
		async leave(nodeId: string, segments: number): Promise<void> {
			const uploader = await open(nodeId);
			for (let i = 0; i < segments; i++) {
				uploader.push({ ...pendingSegment(clock.now()), release: () => undefined });
				await clock.advance(2_000);
				await settle();
			}
			await during(uploader.close());
		},
		start: ({ isLive = false, waitMs = 30_000 } = {}) =>
			LeftOpen.open({
				...{ store, clock, nodeId: "node-a", spoolRoot: folder.path, log: recordingLogger(), finish },
				waitMsOf: () => waitMs,
				isLive: () => isLive,
			}),
		/** A round, until it has come so far. */
		async round(what: string, isSo: () => boolean | Promise<boolean>, afterMs = FINISH_AFTER_MS): Promise<void> {
			await clock.advance(afterMs);
			await eventually(what, async () => {
				await clock.advance(10);
				return isSo();
			});
		},
		async spooled(): Promise<number> {
			const names = await readdir(join(folder.path, "site~cam"));
			return names.filter((name) => name.endsWith(".segment")).length;
		},
		newest: async () => (await readNewest(store, CAM))?.kind,
		[Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
	};
}

describe("what an earlier run left open", () => {
	it("ends once its publisher had time to come back, and is not looked at again", async () => {
		await using left = await world();
		await left.leave("node-a", 3);
		expect(await left.newest()).toBe("segment");
		await using _run = await left.start();
		await left.clock.advance(FINISH_AFTER_MS - 1);
		expect(left.finished).toEqual([]);
		await left.round("the playlist has ended", async () => (await left.newest()) === "end", 1);
		expect((await readNewest(left.store, CAM))?.window).toHaveLength(3);
		await left.round("nothing waits any more", () => left.clock.pending === 0);
		expect(left.finished).toEqual([CAM]);
	});

	it("gets the segments that waited on disk first", async () => {
		await using left = await world();
		await left.leave("node-a", 1);
		left.setAway(true);
		await left.leave("node-a", 2);
		left.setAway(false);
		expect(await left.spooled()).toBe(2);
		await using _run = await left.start();
		await left.round("the playlist has ended", async () => (await left.newest()) === "end");
		expect((await readNewest(left.store, CAM))?.window).toHaveLength(3);
		expect(await left.spooled()).toBe(0);
	});

	it("waits as long as the path lets publishers come back", async () => {
		await using left = await world();
		await left.leave("node-a", 1);
		await using _run = await left.start({ waitMs: 2 * FINISH_AFTER_MS });
		await left.round("the next round is due", () => left.clock.pending === 1);
		expect(left.finished).toEqual([]);
		await left.round("the playlist has ended", async () => (await left.newest()) === "end");
	});

	it("waits for a bucket that is away", async () => {
		await using left = await world();
		await left.leave("node-a", 1);
		await using _run = await left.start();
		left.setAway(true);
		await left.round("the next round is due", () => left.clock.pending === 1);
		left.setAway(false);
		expect(left.finished).toEqual([]);
		await left.round("the playlist has ended", async () => (await left.newest()) === "end");
	});

	it.each([
		{ what: "that has a publisher again", owner: "node-a", isLive: true },
		{ what: "that another node took", owner: "node-b", isLive: false },
	])("leaves a stream alone $what", async ({ owner, isLive }) => {
		await using left = await world();
		await left.leave(owner, 1);
		await using _run = await left.start({ isLive });
		await left.round("nothing waits any more", () => left.clock.pending === 0);
		expect(left.finished).toEqual([]);
		expect(await left.newest()).toBe("segment");
	});

	it("leaves a stream alone that was ended", async () => {
		await using left = await world();
		await left.leave("node-a", 1);
		const uploader = await left.open("node-a");
		uploader.end();
		await left.during(uploader.close());
		await using _run = await left.start();
		await left.round("nothing waits any more", () => left.clock.pending === 0);
		expect(left.finished).toEqual([]);
	});

	it("is nothing on a machine that was never used", async () => {
		await using left = await world();
		await using _run = await left.start();
		expect(left.clock.pending).toBe(0);
	});
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { FolderLock } from "./fs-lock.ts";

// Two locks on one file stand for two processes: SQLite keeps its connections apart as it does processes.
let folder: string;
let clock: FakeClock;
let ours: FolderLock;
let theirs: FolderLock;
beforeEach(async () => {
	folder = await mkdtemp(path.join(tmpdir(), "sluice-lock-"));
	clock = new FakeClock();
	ours = new FolderLock(path.join(folder, "lock"), clock);
	theirs = new FolderLock(path.join(folder, "lock"), clock);
});
afterEach(async () => {
	await Promise.all([ours[Symbol.asyncDispose](), theirs[Symbol.asyncDispose]()]);
	await rm(folder, { recursive: true });
});

/** Takes the lock and keeps it until `release` is called. */
async function keep(lock: FolderLock): Promise<{ release(): Promise<void> }> {
	const started = Promise.withResolvers<void>();
	const gate = Promise.withResolvers<void>();
	const held = lock.hold(async () => {
		started.resolve();
		await gate.promise;
	});
	await started.promise;
	return {
		async release() {
			gate.resolve();
			await held;
		},
	};
}

describe("FolderLock", () => {
	it("lets the holders of one process go one after the other, in the order they came", async () => {
		const order: string[] = [];
		const hold = (name: string) =>
			ours.hold(async () => {
				order.push(`${name} in`);
				await settle();
				order.push(`${name} out`);
			});
		await Promise.all([hold("a"), hold("b"), hold("c")]);
		expect(order).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
	});

	it("keeps others out until it is released", async () => {
		const holder = await keep(theirs);
		let isIn = false;
		const waiting = ours.hold(async () => {
			isIn = true;
		});
		await clock.advance(1000);
		expect(isIn).toBe(false);
		await holder.release();
		await clock.advance(10);
		await waiting;
		expect(isIn).toBe(true);
		expect(clock.pending).toBe(0);
	});

	it("is released when the holder fails, and gives its error", async () => {
		await expect(
			ours.hold(async () => {
				throw new Error("mine");
			}),
		).rejects.toThrow("mine");
		expect(await theirs.hold(async () => "in")).toBe("in");
		expect(await ours.hold(async () => "in")).toBe("in");
	});

	it("gives up after ten seconds, and works again afterwards", async () => {
		const holder = await keep(theirs);
		const waiting = expect(ours.hold(async () => {})).rejects.toMatchObject({ code: "store.unavailable" });
		await clock.advance(10_100);
		await waiting;
		await holder.release();
		expect(await ours.hold(async () => "in")).toBe("in");
	});

	it("stops waiting when it is aborted", async () => {
		const holder = await keep(theirs);
		const controller = new AbortController();
		const waiting = expect(ours.hold(async () => {}, controller.signal)).rejects.toMatchObject({ code: "aborted" });
		await clock.advance(100);
		controller.abort();
		await waiting;
		await holder.release();
		expect(clock.pending).toBe(0);
	});

	it("is free again when a holder's process lets go of the file in any way", async () => {
		const holder = await keep(theirs);
		const closing = theirs[Symbol.asyncDispose]();
		await holder.release();
		await closing;
		expect(await ours.hold(async () => "in")).toBe("in");
	});
});

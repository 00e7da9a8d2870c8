import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { FsStore } from "./fs-store.ts";

let root: string;
let store: FsStore;
beforeEach(async () => {
	root = await mkdtemp(path.join(tmpdir(), "sluice-fs-store-"));
	store = await FsStore.open({ root });
});
afterEach(async () => {
	await store[Symbol.asyncDispose]();
	await rm(root, { recursive: true, force: true });
});

const temporaries = () => readdir(path.join(root, ".sluice/tmp"));

describe("FsStore's files", () => {
	it("are plain files at their keys", async () => {
		await store.put("streams/cam01/media/init.mp4", "abc");
		expect(await readFile(path.join(root, "streams/cam01/media/init.mp4"), "utf8")).toBe("abc");
		await mkdir(path.join(root, "by-hand"));
		await writeFile(path.join(root, "by-hand/a.json"), "{}");
		const object = await store.get("by-hand/a.json");
		expect(object).toMatchObject({ size: 2, contentType: "application/json" });
		expect(await object?.text()).toBe("{}");
	});

	it("leave nothing unfinished behind, whatever becomes of the write", async () => {
		const { etag } = await store.putIfAbsent("a", "1");
		await expect(store.putIfAbsent("a", "2")).rejects.toThrow();
		await expect(store.putIfMatch("a", "2", "wrong")).rejects.toThrow();
		await store.putIfMatch("a", "2", etag);
		await store.put("a", "3");
		await expect(store.put("a/b", "4")).rejects.toThrow();
		expect(await temporaries()).toEqual([]);
		expect((await stat(path.join(root, "a"))).nlink).toBe(1);
	});

	it("go with the folders that they leave empty", async () => {
		await store.put("a/b/c/d", "1");
		await store.put("a/e", "1");
		await store.delete(["a/b/c/d"]);
		expect(await readdir(path.join(root, "a"))).toEqual(["e"]);
		await store.delete(["a/e"]);
		expect(await readdir(root)).toEqual([".sluice"]);
	});

	it("cannot have the name of a folder, or a folder theirs", async () => {
		await store.put("a", "1");
		await store.put("b/c", "1");
		const refused = { code: "store.refused" };
		await expect(store.put("a/b", "2")).rejects.toMatchObject(refused);
		await expect(store.putIfAbsent("a/b", "2")).rejects.toMatchObject(refused);
		await expect(store.put("b", "2")).rejects.toMatchObject(refused);
		await expect(store.putIfAbsent("b", "2")).rejects.toMatchObject(refused);
		await expect(store.putIfMatch("b", "2", "x")).rejects.toMatchObject({ code: "store.precondition" });
		expect(await store.get("b")).toBeNull();
		expect(await store.get("a/b")).toBeNull();
		await store.delete(["b", "a/b"]);
		expect((await store.list("")).objects.map(({ key }) => key)).toEqual(["a", "b/c"]);
	});

	it("do not mix with the store's own", async () => {
		expect(await store.list("")).toEqual({ objects: [], prefixes: [], next: null });
		expect(await store.list("", { delimiter: "/" })).toEqual({ objects: [], prefixes: [], next: null });
		expect((await store.list(".sluice/")).objects).toEqual([]);
		for (const key of [".sluice/lock", ".SLUICE/lock", ".sluice"]) {
			await expect(store.get(key)).rejects.toMatchObject({ code: "store.refused" });
			await expect(store.put(key, "x")).rejects.toMatchObject({ code: "store.refused" });
		}
	});

	it("are told apart though the clock stands still and file systems use inodes again", async () => {
		await store[Symbol.asyncDispose]();
		store = await FsStore.open({ root, clock: new FakeClock() });
		const etags = new Set<string>();
		for (let i = 0; i < 50; i++) etags.add((await store.put("a", "same size")).etag);
		expect(etags.size).toBe(50);
	});

	it("have the time of the clock", async () => {
		const clock = new FakeClock();
		await store[Symbol.asyncDispose]();
		store = await FsStore.open({ root, clock });
		for (let i = 0; i < 20; i++) {
			await store.put("a", "x");
			// Stamps of the same millisecond are told apart by microseconds, which Node.js 26 rounds more coarsely.
			const offMs = ((await store.head("a"))?.modifiedMs ?? 0) - clock.now();
			expect([0, 1]).toContain(offMs);
		}
	});

	it("stay open for no reader who does not read", async () => {
		await store.put("small", new Uint8Array(200_000));
		const before = (await readdir("/proc/self/fd")).length;
		for (let i = 0; i < 20; i++) await store.get("small");
		expect((await readdir("/proc/self/fd")).length).toBeLessThan(before + 10);
	});

	it("keep the version that a reader opened, whatever is written or deleted meanwhile", async () => {
		await store.put("a", new Uint8Array(1_000_000).fill(1));
		const [first, second] = [await store.get("a"), await store.get("a")];
		await store.put("a", "2");
		await store.delete(["a"]);
		expect((await first?.bytes())?.every((byte) => byte === 1)).toBe(true);
		let length = 0;
		for await (const chunk of second?.stream() ?? []) length += chunk.length;
		expect(length).toBe(1_000_000);
	});

	it("say so when somebody cuts them while they are read", async () => {
		await store.put("a", new Uint8Array(1_000_000));
		const object = await store.get("a");
		await writeFile(path.join(root, "a"), "short");
		await expect(object?.bytes()).rejects.toMatchObject({ code: "store.unavailable" });
	});
});

describe("FsStore's listing", () => {
	it("reads no folder that cannot hold what is asked for", async () => {
		for (const key of ["a/1", "b/1", "c/1"]) await store.put(key, "x");
		// Where the file system keeps the time of a folder's last reading, that tells.
		const unread = new Date(Date.now() - 2 * 86_400_000);
		for (const name of ["a", "c"]) await utimes(path.join(root, name), unread, new Date());
		await store.list("b/");
		await store.list("b");
		for (const name of ["a", "c"]) expect((await stat(path.join(root, name))).atimeMs).toBe(unread.getTime());
		await store.list("", { startAfter: "b/" });
		expect((await stat(path.join(root, "a"))).atimeMs).toBe(unread.getTime());
	});

	it("does not show an empty folder as a group", async () => {
		await mkdir(path.join(root, "empty/deeper"), { recursive: true });
		await store.put("full/1", "x");
		expect((await store.list("", { delimiter: "/" })).prefixes).toEqual(["full/"]);
	});
});

describe("FsStore.open", () => {
	it("deletes what dead writers left, and nothing of the living", async () => {
		const old = new Date(Date.now() - 2 * 3_600_000);
		const folder = path.join(root, ".sluice/tmp");
		await writeFile(path.join(folder, "dead"), "x");
		await utimes(path.join(folder, "dead"), old, old);
		await writeFile(path.join(folder, "living"), "x");
		await using _ = await FsStore.open({ root });
		expect(await temporaries()).toEqual(["living"]);
	});

	it("makes the folder, and can be done twice", async () => {
		const folder = path.join(root, "new/bucket");
		await using first = await FsStore.open({ root: folder });
		await using second = await FsStore.open({ root: folder });
		const { etag } = await first.put("a", "1");
		await second.putIfMatch("a", "2", etag);
		expect(await (await first.get("a"))?.text()).toBe("2");
	});

	it("refuses a place that is no folder, with a sentence that names it", async () => {
		await store.put("file", "x");
		const folder = path.join(root, "file");
		await expect(FsStore.open({ root: folder })).rejects.toMatchObject({
			code: "store.refused",
			message: expect.stringContaining(folder),
		});
	});

	it("does nothing for a signal that has fired", async () => {
		const folder = path.join(root, "never");
		await expect(FsStore.open({ root: folder }, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
		expect(await readdir(root)).toEqual([".sluice"]);
	});
});

describe("FsStore when its folder is gone", () => {
	it("is unavailable for writes, and makes no new folder in its place", async () => {
		await rm(root, { recursive: true });
		await expect(store.put("a", "1")).rejects.toMatchObject({ code: "store.unavailable" });
		await expect(stat(root)).rejects.toMatchObject({ code: "ENOENT" });
	});
});

describe("FsStore with several processes on one bucket", () => {
	const writers: Writer[] = [];
	afterEach(async () => {
		await Promise.all(writers.splice(0).map((writer) => writer.kill()));
	});

	it("loses and doubles nothing, though its writers are killed at any moment", async () => {
		await store.put("counter", "");
		for (let i = 0; i < 4; i++) writers.push(new Writer(root, `first${i}`));
		await eventually("each writer has begun", () => writers.every((writer) => writer.lines.length > 3));
		const dead: Writer[] = [];
		for (let round = 0; round < 6; round++) {
			await sleep(60 + 37 * (round % 3));
			const victim = writers.shift();
			if (victim === undefined) throw new Error("There are always four");
			await victim.kill();
			dead.push(victim);
			writers.push(new Writer(root, `later${round}`));
		}
		await eventually("the last writer has begun", () => (writers.at(-1)?.lines.length ?? 0) > 3);
		await Promise.all(writers.map((writer) => writer.kill()));
		dead.push(...writers.splice(0));
		expect(dead.map((writer) => writer.complaints).join("")).toBe("");

		// Every value of the counter was reached once, by the one who said so.
		const history = (await (await store.get("counter"))?.text())?.split("\n").slice(0, -1) ?? [];
		expect(history.map((line) => Number(line.split(" ")[0]))).toEqual(history.map((_, i) => i + 1));
		const said = dead.flatMap((writer) => writer.said("counter").map((value) => [value, writer.name] as const));
		for (const [value, name] of said) expect(history[value - 1]).toBe(`${value} ${name}`);
		// What was written and not said, a kill cut off: at most one for each writer.
		expect(history.length - said.length).toBeLessThanOrEqual(dead.length);
		expect(said.length).toBeGreaterThan(20);

		// Every number has one owner, who knows it, or was killed before it could say so.
		const claims = dead.flatMap((writer) => writer.said("number").map((n) => [n, writer.name] as const));
		expect(new Set(claims.map(([n]) => n)).size).toBe(claims.length);
		for (const [n, name] of claims) {
			expect(await (await store.get(`numbers/${String(n).padStart(6, "0")}`))?.text()).toBe(name);
		}

		// And the bucket still works: nobody's death holds its lock.
		const counter = await store.get("counter");
		await store.putIfMatch("counter", "", counter?.etag ?? "");
	}, 60_000);
});

/** A process of `test/support/fs-store-writer.ts`. */
class Writer {
	readonly name: string;
	complaints = "";
	readonly #child: ChildProcess;
	readonly #ended: Promise<void>;
	#output = "";

	constructor(root: string, name: string) {
		this.name = name;
		const program = new URL("../../test/support/fs-store-writer.ts", import.meta.url).pathname;
		this.#child = spawn(process.execPath, [program, root, name], { stdio: ["ignore", "pipe", "pipe"] });
		this.#child.stdout?.on("data", (chunk) => {
			this.#output += chunk;
		});
		this.#child.stderr?.on("data", (chunk) => {
			this.complaints += chunk;
		});
		this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
	}

	get lines(): string[] {
		return this.#output.split("\n").slice(0, -1);
	}

	said(what: string): number[] {
		return this.lines.filter((line) => line.startsWith(`${what} `)).map((line) => Number(line.slice(what.length + 1)));
	}

	async kill(): Promise<void> {
		this.#child.kill("SIGKILL");
		await this.#ended;
	}
}

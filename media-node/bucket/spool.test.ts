import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import { VIDEO } from "../../test/support/timeline-builders.ts";
import type { Logger } from "../log.ts";
import { Spool } from "./spool.ts";

const path = parsePathName("a/b");
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet } as unknown as Logger;

let root: string;
let folder: string;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "sluice-spool-"));
	folder = join(root, "a~b");
});
afterEach(() => rm(root, { recursive: true }));

const openSpool = (maxBytes = 1e9) => Spool.open(root, path, maxBytes, quiet);

function segment(startMs: number, size = 10): PendingSegment {
	const part = { rendition: VIDEO, init: new Uint8Array(2), initHash: "00", duration: 2, bytes: new Uint8Array(size) };
	return { startMs, discontinuity: false, parts: [part] };
}

test("a segment survives the process that wrote it", async () => {
	const spool = await openSpool();
	const entries = [await spool.write(3, segment(3)), await spool.write(20, segment(20, 1_000_000))];
	expect(spool).toMatchObject({ items: 2, bytes: entries[0]!.bytes + entries[1]!.bytes });

	const next = await openSpool();
	expect(next.leftovers).toEqual(entries);
	expect(next).toMatchObject({ items: 2, bytes: spool.bytes });
	expect((await next.read(entries[1]!))?.startMs).toBe(20);
	for (const entry of entries) await next.remove(entry);
	expect(next).toMatchObject({ items: 0, bytes: 0 });
	expect(await readdir(folder)).toEqual(["damaged"]);
});

test("a file that was not finished is no leftover, and goes", async () => {
	await openSpool();
	await writeFile(join(folder, "000000000001.segment.tmp"), "half");
	await writeFile(join(folder, "notes.txt"), "mine");
	expect((await openSpool()).leftovers).toEqual([]);
	expect((await readdir(folder)).sort()).toEqual(["damaged", "notes.txt"]);
});

test("a damaged file is put aside, and the last few of them are kept", async () => {
	const spool = await openSpool();
	for (let order = 0; order < 20; order++) {
		const entry = await spool.write(order, segment(order));
		await truncate(join(folder, `${String(order).padStart(12, "0")}.segment`), 30);
		expect(await spool.read(entry)).toBeNull();
	}
	const damaged = await readdir(join(folder, "damaged"));
	expect(damaged).toHaveLength(16);
	expect(damaged).toContain("000000000019.segment");
	expect(spool).toMatchObject({ items: 0, bytes: 0 });
});

test("a write that fails leaves neither a file nor a count", async () => {
	const spool = await openSpool();
	await rm(folder, { recursive: true });
	await expect(spool.write(0, segment(0))).rejects.toThrow("ENOENT");
	expect(spool).toMatchObject({ items: 0, bytes: 0 });
});

test("says how much room there is", async () => {
	const spool = await openSpool(500);
	expect([spool.hasRoomFor(500), spool.hasRoomFor(501)]).toEqual([true, false]);
});

test("names a folder that cannot be used", async () => {
	await writeFile(join(root, "a~b"), "a file");
	await expect(openSpool()).rejects.toMatchObject({ code: "config.invalid", message: expect.stringContaining(folder) });
});

test("a segment's file begins with a line that says what it is", async () => {
	const spool = await openSpool();
	await spool.write(0, segment(0));
	expect((await readFile(join(folder, "000000000000.segment"))).toString("latin1")).toMatch(
		/^sluice-spool 1 [0-9a-f]{8} \d+\n\{/,
	);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ListPage, ObjectStore, StoredObject } from "#shared/store/object-store.ts";

export type OpenedStore = { readonly store: ObjectStore; close(): Promise<void> };

/** What every object store promises. `open` gives a store whose bucket is empty; it is opened once for the whole suite. */
export function objectStoreContract(name: string, open: () => Promise<OpenedStore>): void {
	describe(`${name} keeps the contract of an object store`, () => {
		let opened: OpenedStore;
		let store: ObjectStore;
		let folders = 0;
		/** A folder of its own for each test. */
		const folder = () => `t${folders++}/`;

		beforeAll(async () => {
			opened = await open();
			store = opened.store;
		});
		afterAll(() => opened?.close());

		describe("reading and writing", () => {
			it("gives back what was written, with its metadata", async () => {
				const key = `${folder()}a.json`;
				const before = Date.now();
				const { etag } = await store.put(key, '{"a":1}', { contentType: "application/json", cacheControl: "no-store" });
				const object = await got(store, key);
				expect(await object.text()).toBe('{"a":1}');
				const info = { key, etag, size: 7, contentType: "application/json" };
				expect(object).toMatchObject({ ...info, range: { start: 0, end: 6 } });
				expect(await store.head(key)).toMatchObject(info);
				// Buckets tell the time in whole seconds.
				expect(object.modifiedMs).toBeGreaterThan(before - 2000);
				expect(object.modifiedMs).toBeLessThan(Date.now() + 2000);
			});

			it("has etags without quotes that do not change by reading", async () => {
				const key = `${folder()}a`;
				const { etag } = await store.put(key, "a");
				expect(etag).toMatch(/^[^"\s]+$/);
				expect((await store.head(key))?.etag).toBe(etag);
				expect((await got(store, key, { close: true })).etag).toBe(etag);
				expect((await store.list(key)).objects[0]?.etag).toBe(etag);
			});

			it("says null for an object that is not there", async () => {
				const key = `${folder()}nothing`;
				expect(await store.get(key)).toBeNull();
				expect(await store.get(key, { range: { start: 0 } })).toBeNull();
				expect(await store.head(key)).toBeNull();
				expect(await store.getIfChanged(key, "x")).toBeNull();
			});

			it("keeps an empty body", async () => {
				const key = `${folder()}empty`;
				await store.put(key, "");
				const object = await got(store, key);
				expect(object).toMatchObject({ size: 0, range: { start: 0, end: -1 } });
				expect(await object.bytes()).toEqual(new Uint8Array(0));
				expect(await readStream((await got(store, key)).stream())).toEqual(new Uint8Array(0));
			});

			it("keeps every byte value, and text beyond ASCII", async () => {
				const base = folder();
				const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
				const text = "\ufeffgrüß 世界 🎥\n";
				await store.put(`${base}bytes`, bytes);
				await store.put(`${base}text`, text);
				expect(await (await got(store, `${base}bytes`)).bytes()).toEqual(bytes);
				expect(await (await got(store, `${base}text`)).text()).toBe(text);
			});

			it("keeps a body of 5 MB, read at once and as a stream", async () => {
				const key = `${folder()}large`;
				const bytes = pattern(5_000_000);
				await store.put(key, bytes);
				const whole = await got(store, key);
				expect(whole.size).toBe(bytes.length);
				expect(Buffer.compare(await whole.bytes(), bytes)).toBe(0);
				expect(Buffer.compare(await readStream((await got(store, key)).stream()), bytes)).toBe(0);
			});

			it("writes only the part of a buffer that a view shows, and does not hold on to it", async () => {
				const base = folder();
				const arena = pattern(1000);
				const expected = arena.slice(100, 200);
				await store.put(`${base}a`, arena.subarray(100, 200));
				arena.fill(0);
				expect(await (await got(store, `${base}a`)).bytes()).toEqual(expected);
			});

			it("lets a body be read once", async () => {
				const key = `${folder()}a`;
				await store.put(key, "abc");
				const object = await got(store, key);
				expect(await object.text()).toBe("abc");
				await expect(object.bytes()).rejects.toThrow(TypeError);
				await expect(object.text()).rejects.toThrow(TypeError);
				expect(() => object.stream()).toThrow(TypeError);
			});

			it("lets a stream be cancelled", async () => {
				const key = `${folder()}large`;
				await store.put(key, pattern(3_000_000));
				await (await got(store, key)).stream().cancel();
				const reader = (await got(store, key)).stream().getReader();
				expect((await reader.read()).value?.[0]).toBe(pattern(1)[0]);
				await reader.cancel();
			});

			it("shows a write to every read after it", async () => {
				const key = `${folder()}a`;
				for (let i = 0; i < 20; i++) {
					const { etag } = await store.put(key, `version ${i}`);
					const object = await got(store, key);
					expect([object.etag, await object.text()]).toEqual([etag, `version ${i}`]);
					expect((await store.list(key)).objects.map((info) => info.etag)).toEqual([etag]);
				}
				await store.delete([key]);
				expect(await store.get(key)).toBeNull();
				expect((await store.list(key)).objects).toEqual([]);
			});

			it("never shows half of a write, nor one version's etag with another's body", async () => {
				const key = `${folder()}a`;
				const etags = new Map<string, number>();
				const write = async (letter: number) => {
					etags.set((await store.put(key, new Uint8Array(300_000).fill(letter))).etag, letter);
				};
				await write(64);
				const seen: { etag: string; bytes: Uint8Array }[] = [];
				const writing = (async () => {
					for (let i = 1; i <= 8; i++) await write(64 + i);
				})();
				const reading = (async () => {
					for (let i = 0; i < 12; i++) {
						const object = await got(store, key);
						seen.push({ etag: object.etag, bytes: await object.bytes() });
					}
				})();
				await Promise.all([writing, reading]);
				for (const { etag, bytes } of seen) {
					expect(Buffer.compare(bytes, Buffer.alloc(300_000, etags.get(etag)))).toBe(0);
				}
			});
		});

		describe("ranges", () => {
			const key = "ranges/digits";
			beforeAll(() => store.put(key, "0123456789"));

			it.each([
				["from a byte to a byte", { start: 2, end: 4 }, "234", { start: 2, end: 4 }],
				["one byte", { start: 9, end: 9 }, "9", { start: 9, end: 9 }],
				["to the end", { start: 7 }, "789", { start: 7, end: 9 }],
				["beyond the end", { start: 7, end: 100 }, "789", { start: 7, end: 9 }],
				["the last bytes", { suffix: 3 }, "789", { start: 7, end: 9 }],
				["more last bytes than there are", { suffix: 100 }, "0123456789", { start: 0, end: 9 }],
			])("gives %s", async (_, range, text, part) => {
				const object = await got(store, key, { range });
				expect(object).toMatchObject({ size: 10, range: part });
				expect(await object.text()).toBe(text);
			});

			it.each([
				["that begins behind the end", { start: 10 }],
				["that begins far behind the end", { start: 1000, end: 2000 }],
				["that ends before it begins", { start: 5, end: 4 }],
				["of no last bytes", { suffix: 0 }],
				["that is negative", { start: -1 }],
				["that is no number", { start: Number.NaN }],
			])("refuses a range %s as input.range", async (_, range) => {
				await expect(store.get(key, { range })).rejects.toMatchObject({ code: "input.range" });
			});

			it("refuses any range of an empty object", async () => {
				const empty = `${folder()}empty`;
				await store.put(empty, "");
				await expect(store.get(empty, { range: { start: 0 } })).rejects.toMatchObject({ code: "input.range" });
				await expect(store.get(empty, { range: { suffix: 1 } })).rejects.toMatchObject({ code: "input.range" });
			});

			it("gives a range of a large object, read at once and as a stream", async () => {
				const large = `${folder()}large`;
				const bytes = pattern(2_000_000);
				await store.put(large, bytes);
				const range = { start: 100_001, end: 1_700_002 };
				const expected = bytes.subarray(range.start, range.end + 1);
				expect(Buffer.compare(await (await got(store, large, { range })).bytes(), expected)).toBe(0);
				expect(Buffer.compare(await readStream((await got(store, large, { range })).stream()), expected)).toBe(0);
			});
		});

		describe("getIfChanged", () => {
			it("says unchanged for as long as the object has the etag", async () => {
				const key = `${folder()}a`;
				const first = await store.put(key, "one");
				expect(await store.getIfChanged(key, first.etag)).toBe("unchanged");
				const second = await store.put(key, "two");
				const object = await store.getIfChanged(key, first.etag);
				if (object === null || object === "unchanged") throw new Error(`It has changed, and not ${object}`);
				expect([object.etag, await object.text()]).toEqual([second.etag, "two"]);
				expect(await store.getIfChanged(key, second.etag)).toBe("unchanged");
				await store.delete([key]);
				expect(await store.getIfChanged(key, second.etag)).toBeNull();
			});
		});

		describe("conditional writes", () => {
			it("putIfAbsent writes once", async () => {
				const key = `${folder()}a`;
				const { etag } = await store.putIfAbsent(key, "first");
				await expect(store.putIfAbsent(key, "second")).rejects.toMatchObject({ code: "store.precondition" });
				const object = await got(store, key);
				expect([object.etag, await object.text()]).toEqual([etag, "first"]);
			});

			it("putIfAbsent writes again after a deletion", async () => {
				const key = `${folder()}a`;
				await store.putIfAbsent(key, "first");
				await store.delete([key]);
				await store.putIfAbsent(key, "second");
				expect(await (await got(store, key)).text()).toBe("second");
			});

			it("putIfMatch writes over the version that it names", async () => {
				const key = `${folder()}a`;
				const first = await store.put(key, "first");
				const second = await store.putIfMatch(key, "second", first.etag);
				expect(second.etag).not.toBe(first.etag);
				await expect(store.putIfMatch(key, "third", first.etag)).rejects.toMatchObject({ code: "store.precondition" });
				const object = await got(store, key);
				expect([object.etag, await object.text()]).toEqual([second.etag, "second"]);
			});

			it("putIfMatch loses where there is no object", async () => {
				const key = `${folder()}a`;
				const { etag } = await store.put(key, "first");
				await store.delete([key]);
				await expect(store.putIfMatch(key, "second", etag)).rejects.toMatchObject({ code: "store.precondition" });
				expect(await store.get(key)).toBeNull();
			});

			it("has exactly one winner among many putIfAbsent at once", async () => {
				for (let round = 0; round < 3; round++) {
					const key = `${folder()}a`;
					const winner = await onlyWinner(12, (i) => store.putIfAbsent(key, `writer ${i}`));
					expect(await (await got(store, key)).text()).toBe(`writer ${winner}`);
				}
			});

			it("has exactly one winner among many putIfMatch at once", async () => {
				const key = `${folder()}a`;
				let { etag } = await store.put(key, "start");
				for (let round = 0; round < 3; round++) {
					const winner = await onlyWinner(12, (i) => store.putIfMatch(key, `round ${round}, writer ${i}`, etag));
					const object = await got(store, key);
					etag = object.etag;
					expect(await object.text()).toBe(`round ${round}, writer ${winner}`);
				}
			});

			it("loses no increment of a counter that many change by putIfMatch", async () => {
				const key = `${folder()}counter`;
				await store.put(key, "0");
				const increment = async () => {
					for (;;) {
						const object = await got(store, key);
						const next = Number(await object.text()) + 1;
						try {
							await store.putIfMatch(key, String(next), object.etag);
							return;
						} catch (error) {
							if (!isLoss(error)) throw error;
						}
					}
				};
				await Promise.all(Array.from({ length: 8 }, increment));
				expect(await (await got(store, key)).text()).toBe("8");
			});

			it("never lets putIfMatch bring back what a deletion took away", async () => {
				for (let round = 0; round < 5; round++) {
					const key = `${folder()}a`;
					const { etag } = await store.put(key, "first");
					const [write] = await Promise.allSettled([store.putIfMatch(key, "second", etag), store.delete([key])]);
					// Either order is right; the write before the deletion, or lost.
					expect(await store.get(key)).toBeNull();
					if (write.status === "rejected") expect(write.reason).toMatchObject({ code: "store.precondition" });
				}
			});
		});

		describe("deleting", () => {
			it("deletes what is there, and takes no offence at what is not", async () => {
				const base = folder();
				await store.put(`${base}a`, "a");
				await store.put(`${base}b`, "b");
				await store.delete([`${base}a`, `${base}nothing`]);
				expect(keysOf(await store.list(base))).toEqual([`${base}b`]);
				await store.delete([`${base}a`, `${base}deeper/nothing`]);
				await store.delete([]);
			});

			it("takes 1000 keys at once, whether they are there or not, and refuses more", async () => {
				const base = folder();
				const keys = Array.from({ length: 1001 }, (_, i) => `${base}${String(i).padStart(4, "0")}`);
				const present = keys.filter((_, i) => i % 20 === 0);
				await Promise.all(present.map((key) => store.put(key, "x")));
				await expect(store.delete(keys)).rejects.toThrow(RangeError);
				expect(keysOf(await store.list(base))).toEqual(present);
				await store.delete(keys.slice(0, 1000));
				expect(keysOf(await store.list(base))).toEqual([keys[1000]]);
			});
		});

		describe("listing", () => {
			it("says of each object what head says, but for the content type", async () => {
				const key = `${folder()}a.json`;
				await store.put(key, "abc", { contentType: "application/json" });
				const info = await store.head(key);
				const page = await store.list(key);
				expect(page).toEqual({
					objects: [{ ...info, contentType: null, modifiedMs: expect.any(Number) }],
					prefixes: [],
					next: null,
				});
				expect(Math.abs((page.objects[0]?.modifiedMs ?? 0) - (info?.modifiedMs ?? 0))).toBeLessThan(1000);
			});

			it("orders keys by their bytes in UTF-8", async () => {
				const base = folder();
				// U+FF5E comes before U+1F3A5, and after it in UTF-16; `-` and `.` come before `/`, and digits after it.
				const names = ["!", "-", "a b", "a-b", "a.b", "a/0", "a/b/c", "a0", "aa", "b", "~", "ü", "日本", "～", "🎥"];
				for (const name of [...names].reverse()) await store.put(base + name, "x");
				const expected = names.map((name) => base + name);
				expect(keysOf(await store.list(base))).toEqual(expected);
				expect(await pageThrough(store, base, { limit: 4 })).toEqual(expected);
			});

			it("takes a prefix that is no folder", async () => {
				const base = folder();
				for (const name of ["cam1/a", "cam10/a", "cam2/a"]) await store.put(base + name, "x");
				expect(keysOf(await store.list(`${base}cam1`))).toEqual([`${base}cam1/a`, `${base}cam10/a`]);
				expect(keysOf(await store.list(`${base}cam1/`))).toEqual([`${base}cam1/a`]);
				expect(keysOf(await store.list(`${base}none`))).toEqual([]);
			});

			it.each(["../", "/", "a//", "a/../", "\0", "\\", "x".repeat(2000)])("finds nothing at %j", async (prefix) => {
				expect(await store.list(prefix)).toEqual({ objects: [], prefixes: [], next: null });
			});

			it("begins after startAfter, whether that is a key or not", async () => {
				const base = folder();
				for (const name of ["a", "b", "c/d", "e"]) await store.put(base + name, "x");
				const keysAfter = async (name: string) => keysOf(await store.list(base, { startAfter: base + name }));
				expect(await keysAfter("a")).toEqual([`${base}b`, `${base}c/d`, `${base}e`]);
				expect(await keysAfter("bb")).toEqual([`${base}c/d`, `${base}e`]);
				expect(await keysAfter("c/d")).toEqual([`${base}e`]);
				expect(await keysAfter("e")).toEqual([]);
				expect(keysOf(await store.list(base, { startAfter: "\u{10ffff}" }))).toEqual([]);
				expect(keysOf(await store.list(base, { startAfter: "!" }))).toHaveLength(4);
			});

			it("pages: each page has its limit, and next leads on to the last", async () => {
				const base = folder();
				const keys = Array.from({ length: 7 }, (_, i) => `${base}${i}`);
				for (const key of keys) await store.put(key, "x");
				const first = await store.list(base, { limit: 3 });
				expect(keysOf(first)).toEqual(keys.slice(0, 3));
				expect(first.next).not.toBeNull();
				expect(await pageThrough(store, base, { limit: 3 })).toEqual(keys);
				expect((await store.list(base, { limit: 7 })).next).toBeNull();
				expect((await store.list(base, { limit: 8 })).next).toBeNull();
			});

			it("groups keys by a delimiter", async () => {
				const base = folder();
				for (const name of ["a", "cam1/x", "cam1/y/z", "cam2/x", "z"]) await store.put(base + name, "x");
				const page = await store.list(base, { delimiter: "/" });
				expect(keysOf(page)).toEqual([`${base}a`, `${base}z`]);
				expect(page.prefixes).toEqual([`${base}cam1/`, `${base}cam2/`]);
				expect((await store.list(`${base}cam1/`, { delimiter: "/" })).prefixes).toEqual([`${base}cam1/y/`]);
				expect((await store.list(`${base}cam`, { delimiter: "/" })).prefixes).toEqual([`${base}cam1/`, `${base}cam2/`]);
			});

			it("groups by a delimiter that is no slash", async () => {
				const base = folder();
				for (const name of ["a-1", "a-2", "b/c-1", "d"]) await store.put(base + name, "x");
				const page = await store.list(base, { delimiter: "-" });
				expect(keysOf(page)).toEqual([`${base}d`]);
				expect(page.prefixes).toEqual([`${base}a-`, `${base}b/c-`]);
			});

			it("pages through groups without showing one twice", async () => {
				const base = folder();
				const names = ["a/1", "a/2", "b", "c/1", "c/2", "c/3", "d/1", "e"];
				for (const name of names) await store.put(base + name, "x");
				for (const limit of [1, 2, 3]) {
					expect(await pageThrough(store, base, { limit, delimiter: "/" })).toEqual(
						["a/", "b", "c/", "d/", "e"].map((name) => base + name),
					);
				}
			});

			it("forgets a group when its last object is deleted", async () => {
				const base = folder();
				await store.put(`${base}a/b/c`, "x");
				await store.put(`${base}d/e`, "x");
				await store.delete([`${base}a/b/c`]);
				expect(await store.list(base, { delimiter: "/" })).toEqual({
					objects: [],
					prefixes: [`${base}d/`],
					next: null,
				});
				await store.put(`${base}a/b/c`, "y");
				expect((await store.list(base, { delimiter: "/" })).prefixes).toEqual([`${base}a/`, `${base}d/`]);
			});

			it.each([0, -1, 1001, 1.5, Number.NaN])("refuses the limit %d", async (limit) => {
				await expect(store.list("a", { limit })).rejects.toThrow(RangeError);
			});
		});

		describe("keys", () => {
			it.each([
				["plain", "live/cam-1_A.m4s"],
				["with characters that URLs escape", "a b/+%25?#&=;:@$,!'()*~^[]{}|<>`\"x"],
				["beyond ASCII", "grüße/世界/🎥"],
				["with dots", "a/.b/..c/d../..."],
				["of the longest segment", "x".repeat(255)],
				["of the longest length", `${"x".repeat(127)}/`.repeat(7) + "x".repeat(100)],
			])("takes a key %s", async (_, name) => {
				const key = `${folder()}${name}`;
				await store.putIfAbsent(key, name);
				expect(await (await got(store, key)).text()).toBe(name);
				expect(keysOf(await store.list(key))).toEqual([key]);
				await store.delete([key]);
				expect(await store.head(key)).toBeNull();
			});

			it.each([
				["", "empty"],
				["/a", "absolute"],
				["a/", "of a folder"],
				["a//b", "with an empty segment"],
				["../a", "that goes up"],
				["a/../../b", "that goes up inside"],
				["a/./b", "with a dot"],
				["a\0b", "with a NUL"],
				["a\nb", "with a line break"],
				["a\\b", "with a backslash"],
				["a\ud800b", "that is not well-formed"],
				["x".repeat(256), "of a segment too long"],
				["ü".repeat(128), "of a segment too long in bytes"],
				["x/".repeat(513), "too long"],
			])("refuses the key %j", async (key) => {
				const refused = { code: "store.refused" };
				await expect(store.get(key)).rejects.toMatchObject(refused);
				await expect(store.getIfChanged(key, "x")).rejects.toMatchObject(refused);
				await expect(store.head(key)).rejects.toMatchObject(refused);
				await expect(store.put(key, "x")).rejects.toMatchObject(refused);
				await expect(store.putIfAbsent(key, "x")).rejects.toMatchObject(refused);
				await expect(store.putIfMatch(key, "x", "y")).rejects.toMatchObject(refused);
				await expect(store.delete([key])).rejects.toMatchObject(refused);
			});
		});

		describe("signals", () => {
			it("does nothing for a signal that has fired", async () => {
				const key = `${folder()}a`;
				const { etag } = await store.put(key, "first");
				const signal = AbortSignal.abort();
				const aborted = { code: "aborted" };
				await expect(store.get(key, { signal })).rejects.toMatchObject(aborted);
				await expect(store.getIfChanged(key, etag, { signal })).rejects.toMatchObject(aborted);
				await expect(store.head(key, { signal })).rejects.toMatchObject(aborted);
				await expect(store.put(key, "x", { signal })).rejects.toMatchObject(aborted);
				await expect(store.putIfAbsent(`${key}2`, "x", { signal })).rejects.toMatchObject(aborted);
				await expect(store.putIfMatch(key, "x", etag, { signal })).rejects.toMatchObject(aborted);
				await expect(store.delete([key], { signal })).rejects.toMatchObject(aborted);
				await expect(store.list(key, { signal })).rejects.toMatchObject(aborted);
				expect(keysOf(await store.list(key))).toEqual([key]);
				expect(await (await got(store, key)).text()).toBe("first");
			});

			it("ends an operation under way, as aborted or as done", async () => {
				const key = `${folder()}a`;
				const controller = new AbortController();
				const writing = store.put(key, pattern(5_000_000), { signal: controller.signal });
				controller.abort();
				const [outcome] = await Promise.allSettled([writing]);
				if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "aborted" });
				// Whether and when an aborted write takes effect, nobody knows; the store goes on.
				const other = `${key}b`;
				await store.put(other, "afterwards");
				expect(await (await got(store, other)).text()).toBe("afterwards");
			});
		});
	});
}

async function got(
	store: ObjectStore,
	key: string,
	{ range, close = false }: { range?: { start: number; end?: number } | { suffix: number }; close?: boolean } = {},
): Promise<StoredObject> {
	const object = await store.get(key, { range });
	if (object === null) throw new Error(`There is nothing at ${key}`);
	if (close) await object.bytes();
	return object;
}

function keysOf(page: ListPage): string[] {
	return page.objects.map(({ key }) => key);
}

/** Every key and prefix, in the order of their text. Fails if a page is larger than its limit, or there is no end. */
async function pageThrough(
	store: ObjectStore,
	prefix: string,
	options: { limit: number; delimiter?: string },
): Promise<string[]> {
	const all: string[] = [];
	let startAfter: string | undefined;
	for (let pages = 0; pages < 50; pages++) {
		const page = await store.list(prefix, { ...options, startAfter });
		const names = [...keysOf(page), ...page.prefixes];
		expect(names.length).toBeLessThanOrEqual(options.limit);
		all.push(...names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
		if (page.next === null) return all;
		startAfter = page.next;
	}
	throw new Error("The listing has no end");
}

/** Runs `write` many times at once. Fails unless one resolves and all others lose; says which one. */
async function onlyWinner(count: number, write: (i: number) => Promise<unknown>): Promise<number> {
	const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => write(i)));
	for (const result of results) if (result.status === "rejected" && !isLoss(result.reason)) throw result.reason;
	const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
	expect(winners).toHaveLength(1);
	return winners[0]!;
}

/** A conditional write that lost is told so, or, while another is in flight, to try again. */
function isLoss(error: unknown): boolean {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	return code === "store.precondition" || code === "store.conflict";
}

function pattern(length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 11)) & 0xff;
	return bytes;
}

async function readStream(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) chunks.push(chunk);
	return new Uint8Array(Buffer.concat(chunks));
}

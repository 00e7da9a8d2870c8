import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { CONFIG_VERSION_KEY, pathConfigKey, pathVersionKey } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";

const CAM = parsePathName("site/cam");
const KEY = pathConfigKey(CAM);

type Summary = { version: number; action: string; by: { kind: string; name: string }; at: string; isDeleted: boolean };
type Page = { items: Summary[]; next: string | null };

async function world() {
	const test = await functionsForTest();
	const url = "/v1/paths/site/cam";
	const json = async (path: string) => (await (await test.api("GET", path)).json()) as unknown;
	const history = async () => (await json(`${url}/history`)) as Page;
	const versions = async () => (await history()).items.map(({ version, action }) => `${version} ${action}`);
	const config = async () => ((await json(url)) as { config: unknown }).config;
	return { ...test, url, json, history, versions, config };
}

describe("the history of a path", () => {
	it("has every change, with who and when", async () => {
		const { api, clock, url, json, history } = await world();
		const startMs = clock.now();
		await api("PUT", url, { maxReaders: 1 });
		await clock.advance(1000);
		await api("PATCH", url, { hls: false });
		await api("DELETE", url);
		await api("PUT", url, { maxReaders: 2 });
		const { items, next } = await history();
		expect(next).toBeNull();
		expect(items.map(({ version, action, isDeleted }) => [version, action, isDeleted])).toEqual([
			[4, "put", false],
			[3, "delete", true],
			[2, "patch", false],
			[1, "put", false],
		]);
		expect(items.map(({ at }) => Date.parse(at) - startMs)).toEqual([1000, 1000, 1000, 0]);
		expect(items[0]?.by).toMatchObject({ kind: "token", name: "test" });
		expect(await json(`${url}/history/2`)).toMatchObject({ version: 2, config: { maxReaders: 1, hls: false } });
		expect(await json(`${url}/history/3`)).toMatchObject({ version: 3, config: null });
		expect((await api("GET", `${url}/history/5`)).status).toBe(404);
		expect((await api("GET", `${url}/history/0`)).status).toBe(400);
		expect((await json("/v1/paths/other/history")) as Page).toEqual({ items: [], next: null });
	});

	it("takes its words for its own, unless they stand in the name percent-encoded", async () => {
		const { api, json } = await world();
		expect((await api("PUT", "/v1/paths/a%2Fhistory", { maxReaders: 1 })).status).toBe(201);
		expect((await api("PUT", "/v1/paths/a/history", {})).status).toBe(405);
		expect((await api("PUT", "/v1/paths/a/rollback", {})).status).toBe(405);
		expect(await json("/v1/paths/a%2Fhistory")).toMatchObject({ name: "a/history" });
		expect(((await json("/v1/paths/a/history/history")) as Page).items).toHaveLength(1);
	});

	it("is rolled back to a version, which makes a new one, also over a delete", async () => {
		const { api, url, versions, config } = await world();
		await api("PUT", url, { maxReaders: 1 });
		await api("PUT", url, { maxReaders: 2 });
		const back = await api("POST", `${url}/rollback`, { version: 1 });
		expect(await back.json()).toMatchObject({ version: 3, config: { maxReaders: 1 } });
		expect(back.headers.get("etag")).toBe((await api("GET", url)).headers.get("etag"));
		await api("DELETE", url);
		await api("POST", `${url}/rollback`, { version: 2 });
		expect(await config()).toEqual({ maxReaders: 2 });
		await api("POST", `${url}/rollback`, { version: 4 });
		expect((await api("GET", url)).status).toBe(404);
		expect(await versions()).toEqual(["6 rollback", "5 rollback", "4 delete", "3 rollback", "2 put", "1 put"]);
		expect((await api("POST", `${url}/rollback`, { version: 7 })).status).toBe(404);
	});

	it("is not rolled back over what somebody else wrote, nor to what is not right any more", async () => {
		const { api, url, store, versions } = await world();
		const etag = (await api("PUT", url, { maxReaders: 1 })).headers.get("etag") ?? "";
		await api("PUT", url, { maxReaders: 2 });
		const stale = await api("POST", `${url}/rollback`, { version: 1 }, { "if-match": etag });
		expect(stale.status).toBe(412);
		const version = (await (await store.get(pathVersionKey(CAM, 1)))?.text()) ?? "";
		await store.put(pathVersionKey(CAM, 1), version.replace("maxReaders", "gone"));
		const wrong = await api("POST", `${url}/rollback`, { version: 1 });
		expect(await wrong.json()).toMatchObject({ code: "input.invalid", detail: expect.stringContaining("gone") });
		await store.put(pathVersionKey(CAM, 1), version.replace('"maxReaders":1', '"sourceOnDemand":true'));
		expect(await (await api("POST", `${url}/rollback`, { version: 1 })).json()).toMatchObject({
			issues: [{ path: "config.sourceOnDemand", message: "has no effect when source is publisher" }],
		});
		expect(await versions()).toEqual(["2 put", "1 put"]);
	});

	it("leaves the document to nodes as it was: one object, the settings alone", async () => {
		const { api, url, store } = await world();
		await api("PUT", url, { maxReaders: 1 });
		expect(JSON.parse((await (await store.get(KEY))?.text()) ?? "")).toEqual({ maxReaders: 1 });
		const before = (await store.head(CONFIG_VERSION_KEY))?.etag;
		await api("POST", `${url}/rollback`, { version: 1 });
		expect((await store.head(CONFIG_VERSION_KEY))?.etag).not.toBe(before);
	});

	it("takes in what was written without it, before that is replaced", async () => {
		const { api, url, store, versions, json, config } = await world();
		await store.put(KEY, '{\n  "maxReaders": 7\n}');
		expect((await api("PATCH", url, { hls: false })).status).toBe(200);
		expect(await config()).toEqual({ maxReaders: 7, hls: false });
		expect(await versions()).toEqual(["2 patch", "1 found"]);
		expect(await json(`${url}/history/1`)).toMatchObject({ config: { maxReaders: 7 }, by: { kind: "unknown" } });
		await store.delete([KEY]);
		expect((await api("DELETE", url)).status).toBe(404);
		await api("PUT", url, {});
		expect(await versions()).toEqual(["4 put", "3 found", "2 patch", "1 found"]);
	});

	it("takes no document that nodes would not read", async () => {
		const { api, url, versions } = await world();
		const long = "x".repeat(1900);
		const body = Object.fromEntries(
			["Init", "Demand", "UnDemand", "Available", "Unavailable", "Online", "Offline", "Read", "Unread"].map((on) => [
				`runOn${on}`,
				long,
			]),
		);
		expect(
			(await api("PUT", url, { ...body, runOnRecordSegmentCreate: long, runOnRecordSegmentComplete: long })).status,
		).toBe(413);
		expect((await api("GET", url)).status).toBe(404);
		expect(await versions()).toEqual([]);
	});

	it("lets a damaged document be replaced, and nothing else", async () => {
		const { api, url, store, versions } = await world();
		await store.put(KEY, "{");
		expect((await api("PATCH", url, {})).status).toBe(502);
		expect((await api("PUT", url, { maxReaders: 1 })).status).toBe(200);
		expect(await versions()).toEqual(["1 put"]);
	});
});

describe("two writers of a path", () => {
	it("with the same etag: one writes, the other is told, and the history has the one", async () => {
		const { api, url, versions, config } = await world();
		const etag = (await api("PUT", url, {})).headers.get("etag") ?? "";
		const writers = [1, 2, 3, 4].map((maxReaders) => api("PUT", url, { maxReaders }, { "if-match": etag }));
		const answers = await Promise.all(writers);
		const statuses = answers.map(({ status }) => status);
		expect([...statuses].sort()).toEqual([200, 412, 412, 412]);
		expect(await config()).toEqual({ maxReaders: statuses.indexOf(200) + 1 });
		expect(await versions()).toEqual(["2 put", "1 put"]);
	});

	it("that both make it: one does", async () => {
		const { api, url } = await world();
		const answers = await Promise.all([1, 2].map(() => api("PUT", url, {}, { "if-none-match": "*" })));
		expect(answers.map(({ status }) => status).sort()).toEqual([201, 412]);
	});

	it("without a condition: both are in the history, and the newest version is the document", async () => {
		const { api, url, history, config, json } = await world();
		const bodies = [{ maxReaders: 1 }, { maxReaders: 2 }, { maxReaders: 3 }];
		const answers = await Promise.all([
			...bodies.map((body) => api("PUT", url, body)),
			api("DELETE", url).then((response) => (response.status === 404 ? api("PUT", url, { hls: false }) : response)),
		]);
		expect(answers.every(({ ok }) => ok)).toBe(true);
		const { items } = await history();
		expect(items).toHaveLength(4);
		const newest = (await json(`${url}/history/4`)) as { config: unknown };
		expect((await config()) ?? null).toEqual(newest.config);
	});

	it("of which one dies between version and document: the next one puts its change in place first", async () => {
		const { api, url, store, versions, config } = await world();
		await api("PUT", url, { maxReaders: 1 });
		const putIfMatch = store.putIfMatch.bind(store);
		store.putIfMatch = async (key, ...rest) => {
			if (key === KEY) throw new StoreError("store.unavailable", "The bucket is away");
			return putIfMatch(key, ...rest);
		};
		expect((await api("PATCH", url, { hls: false })).status).toBe(503);
		expect(await config()).toEqual({ maxReaders: 1 });
		store.putIfMatch = putIfMatch;
		await api("PATCH", url, { hlsSegmentCount: 5 });
		expect(await config()).toEqual({ maxReaders: 1, hls: false, hlsSegmentCount: 5 });
		expect(await versions()).toEqual(["3 patch", "2 patch", "1 put"]);
	});

	it("of which one deletes late what the other has just made: that comes back", async () => {
		const { api, url, store, config, versions } = await world();
		await api("PUT", url, { maxReaders: 1 });
		const remove = store.delete.bind(store);
		store.delete = async (keys, ...rest) => {
			store.delete = remove;
			if (keys.includes(KEY)) expect((await api("PUT", url, { maxReaders: 2 })).status).toBe(201);
			await remove(keys, ...rest);
		};
		expect((await api("DELETE", url)).status).toBe(204);
		expect(await config()).toEqual({ maxReaders: 2 });
		expect(await versions()).toEqual(["3 put", "2 delete", "1 put"]);
	});
});

describe("pages of the history", () => {
	it("have every version once, newest first, however long they are and whatever is written meanwhile", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 0, max: 70 }),
				fc.integer({ min: 1, max: 50 }),
				fc.boolean(),
				async (count, limit, writesMeanwhile) => {
					const { api, url, json } = await world();
					for (let i = 0; i < count; i++) await api("PUT", url, { maxReaders: i });
					const seen: number[] = [];
					let cursor: string | null = "";
					while (cursor !== null) {
						const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
						const page = (await json(`${url}/history?limit=${limit}${query}`)) as Page;
						expect(page.items.length).toBeLessThanOrEqual(limit);
						seen.push(...page.items.map(({ version }) => version));
						cursor = page.next;
						if (writesMeanwhile) await api("PUT", url, {});
					}
					expect(seen).toEqual(Array.from({ length: count }, (_, i) => count - i));
				},
			),
			{ seed: 20_261_121, numRuns: 15 },
		);
	});
});

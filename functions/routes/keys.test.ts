import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashApiKey } from "#shared/access/api-key.ts";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { generateNodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { API_KEY_USE_KEY, API_KEYS_KEY } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";
import { createApp } from "../app.ts";

type Key = { id: string; name: string; key: string; etag: string; role: string; lastUsedAt: string | null };

async function world() {
	const test = await functionsForTest();
	const make = async (body: object): Promise<Key> => (await (await test.api("POST", "/v1/keys", body)).json()) as Key;
	/** Calls the API with a key, through another instance if there is one. */
	const as = async (key: string, method: string, path: string, body?: unknown, app = test.app) =>
		app.request(`http://functions.test${path}`, {
			method,
			headers: {
				authorization: `Bearer ${key}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	return { ...test, make, as };
}

describe("API keys", () => {
	it("are made, shown once, read, changed and deleted, and the bucket never has one", async () => {
		const { api, make, store } = await world();
		const made = await make({ name: "ana", role: "operator", paths: ["~^site/"], expiresIn: "24h" });
		expect(made).toMatchObject({ name: "ana", role: "operator", lastUsedAt: null, createdBy: expect.any(String) });
		const read = await api("GET", `/v1/keys/${made.id}`);
		expect(read.headers.get("etag")).toBe('"1"');
		const { key, ...rest } = made;
		expect(await read.json()).toEqual(rest);
		const changed = await api("PATCH", `/v1/keys/${made.id}`, { name: "Ana", expiresIn: null });
		expect(await changed.json()).toMatchObject({ name: "Ana", expiresAt: null, role: "operator", etag: "2" });
		const { objects } = await store.list("");
		for (const object of objects) {
			const text = (await (await store.get(object.key))?.text()) ?? "";
			expect(text, object.key).not.toContain(key.slice(4));
			expect(text.includes(await hashApiKey(key)), object.key).toBe(object.key === API_KEYS_KEY);
		}
		expect((await api("DELETE", `/v1/keys/${made.id}`)).status).toBe(204);
		expect((await api("GET", `/v1/keys/${made.id}`)).status).toBe(404);
		expect((await api("DELETE", `/v1/keys/${made.id}`)).status).toBe(404);
	});

	it.each([
		{},
		{ name: "", role: "viewer" },
		{ name: "a", role: "root" },
		{ name: "a", role: "admin", paths: ["cam"] },
		{ name: "a", role: "viewer", paths: ["~("] },
		{ name: "a", role: "viewer", paths: [""] },
		{ name: "a", role: "viewer", paths: Array(21).fill("a") },
		{ name: "a", role: "viewer", expiresIn: "0s" },
		{ name: "a", role: "viewer", key: "slk_mine" },
	])("are not made of %j", async (body) => {
		const { api } = await world();
		expect((await api("POST", "/v1/keys", body)).status).toBe(400);
	});

	it("say who they are", async () => {
		const { make, as, api } = await world();
		const { key, id } = await make({ name: "ana", role: "viewer", paths: ["cam"] });
		expect(await (await as(key, "GET", "/v1/me")).json()).toEqual({
			kind: "key",
			id,
			name: "ana",
			role: "viewer",
			permissions: [{ action: "view", path: "cam" }],
			expiresAt: null,
		});
		expect(await (await api("GET", "/v1/me")).json()).toMatchObject({ kind: "token", name: "test", role: "admin" });
	});

	it("work where another instance made them at once, and stop there within ten seconds of being disabled", async () => {
		const { make, as, api, deps, clock } = await world();
		const other = createApp(deps);
		expect((await as(`slk_${"x".repeat(43)}`, "GET", "/v1/me", undefined, other)).status).toBe(401);
		await clock.advance(1000);
		const { key, id } = await make({ name: "ana", role: "admin" });
		expect((await as(key, "GET", "/v1/me", undefined, other)).status).toBe(200);
		await api("PATCH", `/v1/keys/${id}`, { disabled: true });
		expect((await as(key, "GET", "/v1/me")).status, "the instance that wrote it").toBe(401);
		await clock.advance(5_000);
		expect((await as(key, "GET", "/v1/me", undefined, other)).status).toBe(401);
		await api("PATCH", `/v1/keys/${id}`, { disabled: false });
		expect((await as(key, "GET", "/v1/me")).status).toBe(200);
		await api("DELETE", `/v1/keys/${id}`);
		await clock.advance(5_000);
		expect((await as(key, "GET", "/v1/me", undefined, other)).status).toBe(401);
	});

	it("are believed for ten seconds while the bucket is away, and no longer", async () => {
		const { make, as, store, clock } = await world();
		const { key } = await make({ name: "ana", role: "viewer" });
		expect((await as(key, "GET", "/v1/me")).status).toBe(200);
		store.away = true;
		await clock.advance(9_999);
		expect((await as(key, "GET", "/v1/me")).status).toBe(200);
		await clock.advance(1);
		expect((await as(key, "GET", "/v1/me")).status).toBe(503);
	});

	it("cost the bucket one read in five seconds, however often they and wrong ones are used", async () => {
		const { make, as, store, clock } = await world();
		const { key } = await make({ name: "ana", role: "viewer" });
		await as(key, "GET", "/v1/me");
		const reads = recordReads(store);
		await clock.advance(5_000);
		for (let i = 0; i < 100; i++) {
			expect((await as(key, "GET", "/v1/me")).status).toBe(200);
			expect((await as(`slk_${String(i).padStart(43, "x")}`, "GET", "/v1/me")).status).toBe(401);
		}
		expect(reads).toHaveLength(1);
	});

	it("expire to the millisecond", async () => {
		const { make, as, clock } = await world();
		const { key } = await make({ name: "ana", role: "viewer", expiresIn: "1h" });
		await clock.advance(3_599_999);
		expect((await as(key, "GET", "/v1/me")).status).toBe(200);
		await clock.advance(1);
		const expired = await as(key, "GET", "/v1/me");
		expect(await expired.json()).toMatchObject({ status: 401, code: "access.token_expired" });
	});

	it("say when they were last used, with a write an hour at most", async () => {
		const { make, as, api, store, clock } = await world();
		const { key, id } = await make({ name: "ana", role: "viewer" });
		const etags = new Set<string | undefined>();
		for (let i = 0; i < 61; i++) {
			await as(key, "GET", "/v1/me");
			etags.add((await store.head(API_KEY_USE_KEY))?.etag);
			await clock.advance(60_000);
		}
		expect(etags.size).toBe(2);
		const { lastUsedAt } = (await (await api("GET", `/v1/keys/${id}`)).json()) as Key;
		expect(Date.parse(lastUsedAt ?? "")).toBe(clock.now() - 60_000);
	});

	it("do not shut the door behind themselves", async () => {
		const { make, as } = await world();
		const { key, id } = await make({ name: "ana", role: "admin" });
		for (const [method, body] of [
			["DELETE", undefined],
			["PATCH", { disabled: true }],
			["PATCH", { role: "viewer" }],
		] as const)
			expect((await as(key, method, `/v1/keys/${id}`, body)).status).toBe(400);
		expect((await as(key, "PATCH", `/v1/keys/${id}`, { name: "Ana" })).status).toBe(200);
	});

	it("lose no change to others made at the same time, and one of two with the same If-Match", async () => {
		const { make, api } = await world();
		const { id } = await make({ name: "ana", role: "viewer" });
		const patch = (body: object) => api("PATCH", `/v1/keys/${id}`, body, { "if-match": '"1"' });
		const answers = await Promise.all([
			patch({ name: "b" }),
			patch({ name: "c" }),
			make({ name: "new", role: "viewer" }),
		]);
		expect([answers[0].status, answers[1].status].sort()).toEqual([200, 412]);
		expect(((await (await api("GET", "/v1/keys")).json()) as { items: Key[] }).items).toHaveLength(2);
		expect((await api("DELETE", `/v1/keys/${id}`, undefined, { "if-match": '"1"' })).status).toBe(412);
	});

	it("of the settings work without the bucket", async () => {
		const { as, deps, store } = await world();
		const key = `slk_${"k".repeat(43)}`;
		const settings = { ...deps.settings, adminKeyHashes: [await hashApiKey(key)] };
		store.away = true;
		const me = await as(key, "GET", "/v1/me", undefined, createApp({ ...deps, settings }));
		expect(await me.json()).toMatchObject({ role: "admin", id: "settings" });
	});

	it("of the role node let machines join, and do nothing else, whether the bucket or the settings have them", async () => {
		const { as, deps, make, api } = await world();
		const inSettings = `slk_${"n".repeat(43)}`;
		const app = createApp({
			...deps,
			settings: { ...deps.settings, nodeKeyHashes: [await hashApiKey(inSettings)] },
		});
		const { key } = await make({ name: "machines", role: "node" });
		for (const each of [inSettings, key]) {
			const join = { id: "a", key: publicNodeKey(await generateNodeKey()), replace: true };
			expect((await as(each, "POST", "/v1/nodes", join, app)).ok).toBe(true);
			for (const [method, path] of [
				["GET", "/v1/nodes"],
				["GET", "/v1/me"],
				["POST", "/v1/nodes/a/drain"],
				["DELETE", "/v1/nodes/a"],
				["GET", "/v1/paths"],
				["GET", "/v1/streams"],
				["GET", "/v1/webhooks"],
			] as const)
				expect((await as(each, method, path, undefined, app)).status, path).toBe(403);
		}
		expect((await api("POST", "/v1/keys", { name: "x", role: "node", paths: ["cam"] })).status).toBe(400);
	});
});

describe("pages of keys", () => {
	it("have every key once, oldest first, though others are made and deleted meanwhile", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 0, max: 12 }),
				fc.integer({ min: 1, max: 5 }),
				fc.array(fc.nat(11), { maxLength: 4 }),
				async (count, limit, deletions) => {
					const { api, make, clock } = await world();
					const made: string[] = [];
					for (let i = 0; i < count; i++) {
						made.push((await make({ name: `${i}`, role: "viewer" })).id);
						await clock.advance(1);
					}
					const seen: string[] = [];
					const deleted = new Set<string>();
					for (let cursor: string | null = ""; cursor !== null; ) {
						const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
						const page = (await (await api("GET", `/v1/keys?limit=${limit}${query}`)).json()) as {
							items: Key[];
							next: string | null;
						};
						seen.push(...page.items.map(({ id }) => id));
						cursor = page.next;
						const id = made[deletions.pop() ?? -1];
						if (id !== undefined && (await api("DELETE", `/v1/keys/${id}`)).status === 204) deleted.add(id);
					}
					expect(seen.filter((id) => !deleted.has(id))).toEqual(made.filter((id) => !deleted.has(id)));
					expect(new Set(seen).size).toBe(seen.length);
				},
			),
			{ seed: 20_261_121, numRuns: 25 },
		);
	});
});

describe("roles and paths", () => {
	const cases = [
		["viewer", "GET", "/v1/streams/site/a", undefined, 404],
		["viewer", "GET", "/v1/streams/other", undefined, 403],
		["viewer", "GET", "/v1/paths/site/a", undefined, 403],
		["viewer", "PUT", "/v1/paths/site/a", {}, 403],
		["viewer", "POST", "/v1/tokens", { path: "site/a", actions: ["read"] }, 403],
		["operator", "GET", "/v1/paths/site/a", undefined, 404],
		["operator", "GET", "/v1/paths/other", undefined, 403],
		["operator", "PUT", "/v1/paths/site/b", { maxReaders: 1 }, 201],
		["operator", "PUT", "/v1/paths/site%2F..%2Fother", {}, 400],
		["operator", "PUT", "/v1/paths/other", {}, 403],
		["operator", "GET", "/v1/paths/other/history", undefined, 403],
		["operator", "POST", "/v1/paths/other/rollback", { version: 1 }, 403],
		["operator", "PUT", "/v1/paths/site/b", { runOnInit: "sh" }, 403],
		["operator", "POST", "/v1/tokens", { path: "site/a", actions: ["read"] }, 201],
		["operator", "POST", "/v1/tokens", { path: "other", actions: ["read"] }, 403],
		["operator", "POST", "/v1/tokens", { permissions: [{ action: "api" }] }, 403],
		["operator", "POST", "/v1/tokens", { permissions: [{ action: "manage", path: "site/a" }] }, 403],
		["operator", "POST", "/v1/tokens", { permissions: [{ action: "read", path: "~^site/" }] }, 201],
		["operator", "POST", "/v1/tokens", { permissions: [{ action: "read", path: "" }] }, 403],
		["operator", "POST", "/v1/stream-keys", { path: "other" }, 403],
		["operator", "POST", "/v1/stream-keys", { path: "site/a" }, 201],
		["operator", "GET", "/v1/keys", undefined, 403],
		["operator", "GET", "/v1/audit", undefined, 403],
		["operator", "GET", "/v1/webhooks", undefined, 403],
	] as const;
	it.each(cases)("%s of ~^site/: %s %s %j is answered with %i", async (role, method, path, body, status) => {
		const { make, as } = await world();
		const { key } = await make({ name: "a", role, paths: ["~^site/"] });
		expect((await as(key, method, path, body)).status).toBe(status);
	});

	it("leave commands that are there as they are, and take no others", async () => {
		const { make, as, api } = await world();
		await api("PUT", "/v1/paths/cam", { runOnInit: "mine", runOnDemandCloseAfter: "5s" });
		const { key } = await make({ name: "a", role: "operator" });
		const patch = async (body: object) => (await as(key, "PATCH", "/v1/paths/cam", body)).status;
		expect(await patch({ maxReaders: 2, runOnDemandCloseAfter: "6s" })).toBe(200);
		expect(await patch({ runOnInit: "theirs" })).toBe(403);
		expect(await patch({ runOnInit: null })).toBe(200);
		const back = await as(key, "POST", "/v1/paths/cam/rollback", { version: 1 });
		expect(back.status, "the way back is no way around").toBe(403);
	});

	it.each([
		{ sourceFile: "/etc/passwd" },
		{ alwaysAvailableFile: "/etc/passwd" },
		{ recordPath: "/home/%path/%s" },
		{ rpiCameraTuningFile: "/etc/passwd" },
		{ source: "unix+mpegts:///run/secret.sock" },
		{ source: ["publisher", "unix+rtp:///run/secret.sock"], rtpSDP: "v=0" },
	])("leave what names a file or socket of the nodes to administrators: %j", async (config) => {
		const { make, as, api } = await world();
		const { key } = await make({ name: "a", role: "operator" });
		const refused = await as(key, "PUT", "/v1/paths/cam", config);
		expect(refused.status).toBe(403);
		expect(await refused.json()).toMatchObject({ detail: expect.stringContaining("only an administrator may set") });
		expect((await api("PUT", "/v1/paths/cam", config)).status).toBe(201);
		const patch = (body: object) => as(key, "PATCH", "/v1/paths/cam", body);
		expect((await patch({ maxReaders: 2 })).status).toBe(200);
		expect((await as(key, "PUT", "/v1/paths/cam", {})).status).toBe(200);
		expect((await patch(config)).status).toBe(403);
		expect((await as(key, "POST", "/v1/paths/cam/rollback", { version: 1 })).status).toBe(403);
	});

	it("know every setting that is named for a file or path", () => {
		const named = Object.keys(pathConfigSchema.shape).filter((key) => /(?:File|Path|Dir)$/.test(key));
		expect(named.sort()).toEqual(["alwaysAvailableFile", "recordPath", "rpiCameraTuningFile", "sourceFile"]);
	});

	it("are refused when they can fit no path, for keys and for tokens", async () => {
		const { api } = await world();
		const refused = async (url: string, body: object) => {
			const answer = await api("POST", url, body);
			return [answer.status, ((await answer.json()) as { issues: { path: string }[] }).issues.map(({ path }) => path)];
		};
		expect(await refused("/v1/keys", { name: "a", role: "operator", paths: ["~^a", "site/*"] })).toEqual([
			400,
			["body.paths.1"],
		]);
		const permissions = [
			{ action: "read", path: "" },
			{ action: "read", path: "site/*" },
		];
		expect(await refused("/v1/tokens", { permissions })).toEqual([400, ["body.permissions.1.path"]]);
		expect((await api("POST", "/v1/tokens", { permissions: [{ action: "read", path: "~^site/" }] })).status).toBe(201);
	});

	it("leave out of lists what is not theirs", async () => {
		const { make, as, api } = await world();
		for (const path of ["other", "site/a"]) await api("PUT", `/v1/paths/${path}`, {});
		const { key } = await make({ name: "a", role: "operator", paths: ["~^site/"] });
		const { items } = (await (await as(key, "GET", "/v1/paths")).json()) as { items: { name: string }[] };
		expect(items.map(({ name }) => name)).toEqual(["site/a"]);
	});
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StoreError } from "#shared/problem.ts";
import { AUDIT_PREFIX } from "#shared/store/key.ts";
import type { MemoryStore } from "#shared/store/memory-store.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import type { AuditEntry } from "./audit-log.ts";

type Page = { items: AuditEntry[]; next: string | null };

async function world() {
	const test = await functionsForTest();
	const page = async (query = "") => (await (await test.api("GET", `/v1/audit${query}`)).json()) as Page;
	return { ...test, page };
}

/** The next writes to the audit log fail, after they took effect if `isTaken`. */
function failAudit(store: MemoryStore, times: number, isTaken = false): void {
	const putIfAbsent = store.putIfAbsent.bind(store);
	let left = times;
	store.putIfAbsent = async (key, ...rest) => {
		if (!key.startsWith(AUDIT_PREFIX) || left === 0) return putIfAbsent(key, ...rest);
		left--;
		if (isTaken) await putIfAbsent(key, ...rest);
		throw new StoreError("store.unavailable", "No answer");
	};
}

describe("the audit log", () => {
	it("has every change: who, from where, what, and the etags before and after", async () => {
		const { api: call, page, clock } = await world();
		const api = async (...request: Parameters<typeof call>) => {
			await clock.advance(1);
			return call(...request);
		};
		const made = (await api("PUT", "/v1/paths/site/cam", { maxReaders: 1 })).headers.get("etag")?.slice(1, -1);
		const changed = (await api("PATCH", "/v1/paths/site/cam", { hls: false })).headers.get("etag")?.slice(1, -1);
		await api("POST", "/v1/paths/site/cam/rollback", { version: 1 });
		await api("DELETE", "/v1/paths/site/cam");
		const { items, next } = await page();
		expect(next).toBeNull();
		expect(items.map(({ action, target }) => `${action} ${target}`)).toEqual([
			"putPath site/cam",
			"patchPath site/cam",
			"rollbackPath site/cam",
			"deletePath site/cam",
		]);
		expect(items[0]).toMatchObject({
			by: { kind: "token", name: "test" },
			address: "192.0.2.1",
			outcome: "done",
			before: null,
			after: made,
			detail: { version: 1 },
		});
		expect(items[1]).toMatchObject({ before: made, after: changed });
		expect(items[2]).toMatchObject({ before: changed, detail: { version: 3, restored: 1 } });
		expect(items[3]).toMatchObject({ before: items[2]?.after, after: null });
	});

	it("tells of every route what it wrote, also of those that say nothing of it", async () => {
		const { api, page, store, clock } = await world();
		const made = await api("POST", "/v1/webhooks", { url: "https://hooks.example/a" });
		const { id } = (await made.json()) as { id: string };
		const etag = async () => (await store.head(`config/webhooks/${id}.json`))?.etag ?? null;
		const etags = [await etag()];
		await clock.advance(1);
		await api("PATCH", `/v1/webhooks/${id}`, { description: "b" });
		etags.push(await etag());
		await clock.advance(1);
		await api("DELETE", `/v1/webhooks/${id}`);
		const { items } = await page();
		const key = `config/webhooks/${id}.json`;
		expect(items.map(({ target, before, after, objects }) => ({ target, before, after, objects }))).toEqual([
			{ target: id, before: null, after: etags[0], objects: [{ key, before: null, after: etags[0] }] },
			{ target: id, before: etags[0], after: etags[1], objects: [{ key, before: etags[0], after: etags[1] }] },
			{ target: id, before: null, after: null, objects: [{ key, before: null, after: null }] },
		]);
	});

	it("has no secret, and neither reads nor what was refused", async () => {
		const { api, page, store } = await world();
		const { key, id } = (await (await api("POST", "/v1/keys", { name: "ana", role: "viewer" })).json()) as {
			key: string;
			id: string;
		};
		const { secret } = (await (await api("POST", "/v1/webhooks", { url: "https://hooks.example/a" })).json()) as {
			secret: string;
		};
		const { token } = (await (
			await api("POST", "/v1/tokens", { permissions: [{ action: "api", path: "" }] })
		).json()) as { token: string };
		await api("POST", "/v1/tokens", { path: "cam", actions: ["read"] });
		await api("POST", "/v1/tokens/inspect", { token });
		await api("PUT", "/v1/paths/cam", { source: "rtsp://user:hunter2@camera.example/1" });
		await api("PUT", "/v1/paths/cam", { nope: 1 });
		await api("PUT", "/v1/paths/cam", {}, { "if-match": '"other"' });
		await api("GET", "/v1/paths/cam");
		const { items } = await page();
		expect(items.map(({ action }) => action)).toEqual(
			expect.arrayContaining(["createKey", "createWebhook", "createToken", "putPath"]),
		);
		expect(items).toHaveLength(4);
		expect(items.find(({ action }) => action === "createKey")).toMatchObject({ target: id, after: "1" });
		const { objects } = await store.list(AUDIT_PREFIX);
		for (const object of objects) {
			const text = (await (await store.get(object.key))?.text()) ?? "";
			for (const hidden of [key.slice(4), secret, token, "hunter2"]) expect(text).not.toContain(hidden);
		}
	});

	it("is tried again, and a write whose answer was lost is not one that failed", async () => {
		for (const isTaken of [false, true]) {
			const { api, store, page } = await world();
			failAudit(store, 2, isTaken);
			expect((await api("PUT", "/v1/paths/cam", {})).status).toBe(201);
			expect((await page()).items).toHaveLength(1);
		}
	});

	it.each([
		["PUT", "/v1/paths/cam", { maxReaders: 1 }],
		["POST", "/v1/keys", { name: "ana", role: "viewer" }],
		["POST", "/v1/webhooks", { url: "https://hooks.example/a" }],
		["POST", "/v1/stream-keys", { path: "cam" }],
	])("that cannot be written makes %s %s an error that says so, and hands out nothing", async (method, path, body) => {
		const { api, store, logs } = await world();
		failAudit(store, 100);
		const response = await api(method, path, body);
		expect(response.status).toBe(503);
		const text = await response.text();
		expect(text).toContain("The change was made, but the audit log could not be written");
		expect(text).not.toMatch(/slk_|whsec_|streamKey/);
		expect(logs.join()).toContain("could not be written to the audit log");
	});

	it("says of a change that the bucket never answered that its outcome is not known", async () => {
		const { api, store, page, clock } = await world();
		store.putIfMatch = async () => {
			throw new StoreError("store.unavailable", "No answer");
		};
		await api("PUT", "/v1/paths/cam", {});
		await clock.advance(1);
		expect((await api("PUT", "/v1/paths/cam", { maxReaders: 1 })).status).toBe(503);
		expect((await page()).items.map(({ outcome }) => outcome)).toEqual(["done", "unknown"]);
	});

	it("is read from one moment to another, by day or to the millisecond", async () => {
		const { api, page, clock } = await world();
		const startMs = clock.now();
		for (let i = 0; i < 5; i++) {
			await api("PUT", `/v1/paths/cam${i}`, {});
			await clock.advance(12 * 3_600_000);
		}
		const targets = async (query: string) => (await page(query)).items.map(({ target }) => target);
		const at = (hours: number, ms = 0) => new Date(startMs + hours * 3_600_000 + ms).toISOString();
		expect(await targets(`?from=${at(12)}&to=${at(36)}`)).toEqual(["cam1", "cam2"]);
		expect(await targets(`?from=${at(12, 1)}&to=${at(36, 1)}`)).toEqual(["cam2", "cam3"]);
		expect(await targets("?from=2026-01-02&to=2026-01-03")).toEqual(["cam2", "cam3"]);
		expect(await targets(""), "the last day").toEqual(["cam4"]);
		for (const query of ["?from=yesterday", `?from=${at(2)}&to=${at(1)}`, "?cursor=..%2F..", "?limit=0"])
			expect((await api("GET", `/v1/audit${query}`)).status, query).toBe(400);
		expect(await (await api("GET", "/v1/audit?from=foo")).json()).toMatchObject({
			issues: [{ path: "query.from", message: expect.stringContaining("2026-01-31T09:00:00Z") as string }],
		});
	});

	it("has on its pages every entry of the range once, in order", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.nat(3_600_000), { maxLength: 30 }),
				fc.integer({ min: 1, max: 12 }),
				fc.nat(100),
				fc.nat(100),
				async (waits, limit, a, b) => {
					const { api, page, clock } = await world();
					const times: number[] = [];
					const startMs = clock.now();
					for (const waitMs of waits) {
						await api("PUT", "/v1/paths/cam", {});
						times.push(clock.now());
						await clock.advance(waitMs);
					}
					const spanMs = clock.now() - startMs + 1;
					const fromMs = startMs + Math.floor((spanMs * Math.min(a, b)) / 100);
					const toMs = startMs + Math.floor((spanMs * Math.max(a, b)) / 100);
					const range = `?from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}&limit=${limit}`;
					const seen: AuditEntry[] = [];
					for (let cursor: string | null = ""; cursor !== null; ) {
						const found: Page = await page(range + (cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`));
						expect(found.items.length).toBeLessThanOrEqual(limit);
						seen.push(...found.items);
						cursor = found.next;
					}
					expect(seen.map(({ at }) => Date.parse(at))).toEqual(times.filter((ms) => ms >= fromMs && ms < toMs));
					expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
				},
			),
			{ seed: 20_261_121, numRuns: 25 },
		);
	});
});

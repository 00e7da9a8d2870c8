import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { outboxKey } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { drainOutbox } from "../webhooks/drain.ts";
import { MAX_REPLAYED } from "../webhooks/replay.ts";

type Json = Record<string, unknown>;
type Item = Json & { name: string; state: string; path: string | null; eventId: string; sequence: number };

async function world() {
	const test = await functionsForTest();
	const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
		const response = await test.api(method, path, body, headers);
		const text = await response.text();
		return { status: response.status, headers: response.headers, text, body: (text && JSON.parse(text)) as Json };
	};
	const make = async (more: Json = {}) => {
		const { body } = await call("POST", "/v1/webhooks", { url: "https://hooks.example/", ...more });
		return body as Json & { id: string; secret: string; etag: string };
	};
	let count = 0;
	const emit = async (name = "cam01", sequence = count, type = "stream.online") => {
		const id = `evt_${String(count++).padStart(8, "0")}`;
		const event = { id, type, timestamp: new Date(test.clock.now()).toISOString(), sequence, data: { path: name } };
		await test.store.put(outboxKey(parsePathName(name), sequence), JSON.stringify(event));
		return event;
	};
	const list = async (query: string) =>
		(await call("GET", `/v1/deliveries?${query}`)).body as { items: Item[]; next: string | null };
	const drain = () => drainOutbox(test.deps);
	const answers = (status: number, beginning = "") => {
		test.endpoint.answer = () => ({ status, retryAfterS: null, beginning: new TextEncoder().encode(beginning) });
	};
	return { ...test, call, make, emit, list, drain, answers };
}

describe("a webhook endpoint", () => {
	it("never shows its secrets again", async () => {
		const { call, make } = await world();
		const { id, secret } = await make();
		const rotated = (await call("POST", `/v1/webhooks/${id}/rotate`)).body as { secret: string };
		expect(secret).toMatch(/^whsec_/);
		expect(rotated.secret).not.toBe(secret);
		for (const answer of [
			await call("GET", "/v1/webhooks"),
			await call("GET", `/v1/webhooks/${id}`),
			await call("PATCH", `/v1/webhooks/${id}`, { description: "x" }),
			await call("GET", "/v1/audit"),
		]) {
			expect(answer.status).toBe(200);
			expect(answer.text).not.toContain("whsec_");
			for (const one of [secret, rotated.secret]) expect(answer.text).not.toContain(one.slice(6));
		}
	});

	it("is changed only as it was read, if who changes it asks for that", async () => {
		const { call, make } = await world();
		const { id, etag } = await make();
		const read = await call("GET", `/v1/webhooks/${id}`);
		expect([read.headers.get("etag"), read.body["etag"]]).toEqual([`"${etag}"`, etag]);
		const changed = await call("PATCH", `/v1/webhooks/${id}`, { description: "a" }, { "if-match": `"${etag}"` });
		expect([changed.status, changed.headers.get("etag")]).toEqual([200, `"${changed.body["etag"]}"`]);
		for (const [method, path, body] of [
			["PATCH", "", { description: "b" }],
			["POST", "/rotate", undefined],
			["DELETE", "", undefined],
		] as const)
			expect((await call(method, `/v1/webhooks/${id}${path}`, body, { "if-match": `"${etag}"` })).status, method).toBe(
				412,
			);
		expect((await call("GET", `/v1/webhooks/${id}`)).body).toMatchObject({ description: "a", secrets: 1 });
	});

	it("is disabled by hand, with a reason, and enabled again", async () => {
		const { call, make, emit, drain, sent } = await world();
		const { id } = await make();
		const address = `/v1/webhooks/${id}`;
		expect((await call("PATCH", address, { disabled: true })).status).toBe(400);
		expect((await call("PATCH", address, { disabled: { reason: " " } })).status).toBe(400);
		const disabled = await call("PATCH", address, { disabled: { reason: "The office moves" } });
		expect(disabled.body["disabled"]).toEqual({ reason: "The office moves", since: expect.any(String) as string });
		await emit();
		await drain();
		expect(sent).toHaveLength(0);
		expect((await call("POST", `${address}/test`)).body).toMatchObject({ code: "input.invalid" });
		for (const enabled of [false, null]) {
			await call("PATCH", address, { disabled: { reason: "x" } });
			expect((await call("PATCH", address, { disabled: enabled })).body["disabled"]).toBeNull();
		}
		await emit();
		await drain();
		expect(sent).toHaveLength(1);
	});

	it("gets the events of the paths that it asks for", async () => {
		const { make, emit, drain, sent, call } = await world();
		await make({ paths: ["gate", "~^site/"], events: ["stream.online"] });
		for (const path of ["gate", "gate2", "site/a", "x/site/a"]) await emit(path, 0);
		await emit("gate", 1, "stream.offline");
		await drain();
		expect(sent.map(({ body }) => JSON.parse(body).data.path as string).sort()).toEqual(["gate", "site/a"]);
		expect((await call("POST", "/v1/webhooks", { url: "https://hooks.example/", paths: ["~("] })).status).toBe(400);
		expect((await call("POST", "/v1/webhooks", { url: "https://hooks.example/", paths: [""] })).status).toBe(400);
		const glob = await call("POST", "/v1/webhooks", { url: "https://hooks.example/", paths: ["site/*"] });
		expect(glob.status).toBe(400);
		expect(glob.body).toMatchObject({
			issues: [{ path: "body.paths.0", message: expect.stringContaining("is no path name") as string }],
		});
	});

	it("is tested by an event whose delivery can be followed to its end", async () => {
		const { make, call, drain, answers, clock, deps } = await world();
		const { id } = await make();
		const test = await call("POST", `/v1/webhooks/${id}/test`);
		expect(test.status).toBe(202);
		const location = test.headers.get("location") ?? "";
		const follow = async () => (await call("GET", location)).body;
		expect(await follow()).toMatchObject({ state: "pending", attempts: 0, lastOutcome: "not attempted yet" });
		answers(500, "no disk\r\n");
		await drain();
		expect(await follow()).toMatchObject({ state: "pending", attempts: 1, lastStatus: 500 });
		answers(204);
		await clock.advance(6000);
		await drainOutbox(deps);
		expect(await follow()).toMatchObject({
			state: "done",
			eventId: test.body["eventId"],
			eventType: "webhook.test",
			path: null,
			sequence: null,
			lastOutcome: "HTTP 204",
			event: { type: "webhook.test", data: {} },
			attemptLog: [
				{ status: 500, outcome: "HTTP 500", answer: "no disk", durationMs: 0 },
				{ status: 204, outcome: "HTTP 204", answer: "" },
			],
		});
		expect((await call("GET", `/v1/webhooks/${id}/deliveries/evt_ffffffff`)).status).toBe(404);
	});
});

describe("the list of deliveries", () => {
	it("has the newest first, page by page, with nothing twice and nothing left out", async () => {
		const { make, emit, drain, list, clock } = await world();
		await make();
		for (let i = 0; i < 7; i++) {
			await emit("cam01", i);
			await drain();
			await clock.advance(1000);
		}
		const seen: number[] = [];
		let cursor = "";
		for (let pages = 0; ; pages++) {
			const page = await list(`state=done&limit=3${cursor}`);
			seen.push(...page.items.map(({ sequence }) => sequence));
			if (page.next === null) break;
			expect(pages).toBeLessThan(5);
			cursor = `&cursor=${page.next}`;
		}
		expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0]);
	});

	it("costs one listing and no read", async () => {
		const { make, emit, drain, list, store } = await world();
		await make();
		for (let i = 0; i < 20; i++) await emit("cam01", i);
		await drain();
		let calls = 0;
		const { list: listKeys, get } = store;
		store.list = (...args) => {
			calls++;
			return listKeys.apply(store, args);
		};
		store.get = (key, ...rest) => {
			if (key.startsWith("deliveries/")) calls++;
			return get.call(store, key, ...rest);
		};
		expect((await list("state=done&path=cam01")).items).toHaveLength(20);
		expect(calls).toBe(1);
	});

	it("is kept to a state, an endpoint and a path", async () => {
		const { make, emit, drain, list, endpoint } = await world();
		const good = await make();
		const bad = await make({ url: "https://bad.example/" });
		endpoint.answer = () => ({ status: 204, retryAfterS: null });
		for (const [i, path] of ["cam01", "site/a", "cam01"].entries()) await emit(path, i);
		await drain();
		expect((await list(`state=done&endpoint=${good.id}`)).items).toHaveLength(3);
		expect((await list(`state=done&endpoint=${bad.id}&path=site/a`)).items).toMatchObject([
			{ endpointId: bad.id, path: "site/a", sequence: 1, attempts: 1, nextAttemptAt: null },
		]);
		expect((await list("state=dead")).items).toEqual([]);
		expect((await list("state=done&path=nothing")).items).toEqual([]);
	});

	it("takes no cursor of another list", async () => {
		const { call } = await world();
		for (const cursor of ["x", "../../config/api-keys", "0"])
			expect((await call("GET", `/v1/deliveries?cursor=${encodeURIComponent(cursor)}`)).status).toBe(400);
	});
});

describe("a replay", () => {
	it("delivers one once more, with the same id, and refuses where nobody would get it", async () => {
		const { make, emit, drain, list, call, answers, sent } = await world();
		const { id } = await make();
		const event = await emit();
		answers(204);
		await drain();
		const [done] = (await list("state=done")).items;
		const address = `/v1/deliveries/done/${done?.name}`;
		expect((await call("GET", address)).body).toMatchObject({ event, attempts: 1 });
		const replayed = await call("POST", `${address}/replay`);
		expect(replayed.status).toBe(202);
		expect(replayed.headers.get("location")).toBe(`/v1/webhooks/${id}/deliveries/${event.id}`);
		await drain();
		expect(sent.map(({ headers }) => headers["webhook-id"])).toEqual([event.id, event.id]);
		await call("PATCH", `/v1/webhooks/${id}`, { disabled: { reason: "x" } });
		expect((await call("POST", `${address}/replay`)).status).toBe(400);
		await call("DELETE", `/v1/webhooks/${id}`);
		expect((await call("POST", `${address}/replay`)).status).toBe(404);
		expect((await call("GET", `/v1/deliveries/dead/${done?.name}`)).status).toBe(404);
		expect((await call("POST", `/v1/deliveries/pending/${done?.name}/replay`)).status).toBe(400);
	});

	it("of all that was given up since a time takes the oldest first, a bounded number at once", async () => {
		const { make, emit, drain, list, call, answers, clock, sent } = await world();
		const { id } = await make();
		const other = await make({ url: "https://other.example/" });
		const address = `/v1/webhooks/${id}`;
		/** Everything that is under way is given up when the endpoint is disabled. */
		const giveUp = async (events: number, from: number) => {
			answers(500);
			for (let i = 0; i < events; i++) await emit("cam01", from + i);
			await drain();
			for (const each of [id, other.id])
				await call("PATCH", `/v1/webhooks/${each}`, { disabled: { reason: "for the test" } });
			await clock.advance(3_600_000);
			await drain();
			for (const each of [id, other.id]) await call("PATCH", `/v1/webhooks/${each}`, { disabled: false });
			await clock.advance(1000);
		};
		expect((await call("POST", `${address}/replay`, { since: "yesterday" })).body).toMatchObject({
			issues: [{ path: "body.since", message: "must be a moment such as 2026-01-31T09:00:00Z" }],
		});
		await giveUp(2, 0);
		const since = new Date(clock.now()).toISOString();
		const extra = 5;
		await giveUp(MAX_REPLAYED + extra, 2);
		answers(204);
		sent.length = 0;
		expect((await call("POST", `${address}/replay`, { since })).body).toEqual({
			replayed: MAX_REPLAYED,
			hasMore: true,
		});
		expect((await call("POST", `${address}/replay`, { since })).body).toEqual({ replayed: extra, hasMore: false });
		expect((await call("POST", `${address}/replay`, { since })).body).toEqual({ replayed: 0, hasMore: false });
		await drain();
		expect(sent.map(({ body }) => JSON.parse(body).sequence as number)).toEqual(
			Array.from({ length: MAX_REPLAYED + extra }, (_, i) => i + 2),
		);
		expect((await list(`state=dead&endpoint=${id}`)).items.map(({ sequence }) => sequence).sort()).toEqual([0, 1]);
		expect((await list(`state=dead&endpoint=${other.id}&limit=100`)).items.length).toBe(100);
		expect((await call("POST", `${address}/replay`, { since: "0001-01-01T00:00:00Z" })).body).toEqual({
			replayed: 2,
			hasMore: false,
		});
		expect((await call("POST", `${address}/replay`, {})).status).toBe(400);
	});
});

describe("who may", () => {
	it("see endpoints and deliveries: who may manage every path; change them: administrators", async () => {
		const { make, emit, drain, app, api, list } = await world();
		const { id } = await make();
		const event = await emit();
		await drain();
		const [done] = (await list("state=done")).items;
		const keyOf = async (body: Json) =>
			((await (await api("POST", "/v1/keys", { name: "x", ...body })).json()) as { key: string }).key;
		const operator = await keyOf({ role: "operator" });
		const some = await keyOf({ role: "operator", paths: ["~^"] });
		const viewer = await keyOf({ role: "viewer" });
		const status = async (key: string, method: string, path: string) =>
			(await app.request(`http://functions.test${path}`, { method, headers: { authorization: `Bearer ${key}` } }))
				.status;
		for (const path of [
			"/v1/webhooks",
			`/v1/webhooks/${id}`,
			`/v1/webhooks/${id}/deliveries/${event.id}`,
			"/v1/deliveries",
			`/v1/deliveries/done/${done?.name}`,
		])
			expect(
				[await status(operator, "GET", path), await status(some, "GET", path), await status(viewer, "GET", path)],
				path,
			).toEqual([200, 403, 403]);
		for (const [method, path] of [
			["DELETE", `/v1/webhooks/${id}`],
			["POST", `/v1/webhooks/${id}/test`],
			["POST", `/v1/webhooks/${id}/rotate`],
			["POST", `/v1/deliveries/done/${done?.name}/replay`],
		] as const)
			expect(await status(operator, method, path), path).toBe(403);
	});
});

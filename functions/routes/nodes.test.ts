import { describe, expect, it } from "vitest";
import { generateNodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { FakeNode } from "../../test/support/nodes.ts";
import { createApp } from "../app.ts";

type Listed = { items: Record<string, unknown>[] };

describe("/v1/nodes", () => {
	it("lists who has joined: how it fares, whether it drains, and whether it is down", async () => {
		const { store, clock, api } = await functionsForTest();
		await FakeNode.join("a", { store, clock }, { region: "eu", load: { cpu: 0.5, streams: 3 } });
		const list = async () => ((await (await api("GET", "/v1/nodes")).json()) as Listed).items;
		expect(await list()).toMatchObject([
			{ id: "a", state: "active", region: "eu", load: { cpu: 0.5, streams: 3 }, fault: null, clockOffsetMs: 0 },
		]);
		expect(await (await api("GET", "/v1/nodes/a")).json()).toEqual((await list())[0]);
		await api("POST", "/v1/nodes/a/drain");
		expect(await list()).toMatchObject([{ state: "draining", drainRequested: true }]);
		await clock.advance(15_000);
		expect(await list()).toMatchObject([{ state: "down", seenAt: new Date(clock.now() - 15_000).toISOString() }]);
	});

	it("forgets a node, whose heartbeats count no more", async () => {
		const { store, clock, api } = await functionsForTest();
		const node = await FakeNode.join("a", { store, clock });
		expect((await api("DELETE", "/v1/nodes/a")).status).toBe(204);
		await node.beat();
		await clock.advance(5_000);
		expect(await (await api("GET", "/v1/nodes")).json()).toEqual({ items: [] });
		for (const [method, path] of [
			["GET", "/v1/nodes/a"],
			["DELETE", "/v1/nodes/a"],
			["POST", "/v1/nodes/a/drain"],
			["DELETE", "/v1/nodes/a/drain"],
		] as const) {
			expect((await api(method, path)).status, `${method} ${path}`).toBe(404);
		}
	});

	it("lets a machine join, as often as it likes, and no other under its name", async () => {
		const { store, api } = await functionsForTest();
		const [key, other] = [await generateNodeKey(), await generateNodeKey()];
		const body = { id: "a", key: publicNodeKey(key) };
		const first = await api("POST", "/v1/nodes", body);
		expect(first.status).toBe(201);
		expect(await first.json()).toEqual({
			id: "a",
			bucket: null,
			credentials: null,
			jwksUrl: "http://functions.test/.well-known/jwks.json",
			streamKeySecrets: [Buffer.alloc(32, 5).toString("base64url")],
		});
		expect((await api("POST", "/v1/nodes/a/drain")).status).toBe(204);
		expect((await api("POST", "/v1/nodes", body)).status).toBe(200);
		expect(await (await api("GET", "/v1/nodes/a")).json()).toMatchObject({ drainRequested: true });
		const taken = await api("POST", "/v1/nodes", { id: "a", key: publicNodeKey(other) });
		expect([taken.status, await taken.json()]).toMatchObject([409, { code: "node.conflict" }]);
		expect((await api("POST", "/v1/nodes", { id: "a", key: publicNodeKey(other), replace: true })).status).toBe(200);
		const stored = await (await store.get("nodes/a/registration.json"))?.text();
		expect(stored).toContain(other.x);
		expect(stored).not.toContain(other.d);
	});

	it("keeps no private key that somebody sends by mistake", async () => {
		const { store, api } = await functionsForTest();
		const key = await generateNodeKey();
		expect((await api("POST", "/v1/nodes", { id: "a", key })).status).toBe(201);
		expect(await (await store.get("nodes/a/registration.json"))?.text()).not.toContain(key.d);
	});

	it("hands credentials of the bucket out only where it was told to", async () => {
		const test = await functionsForTest();
		const nodeCredentials = { accessKeyId: "id", secretAccessKey: "secret" };
		const settings = { ...test.deps.settings, nodeBucket: "s3://media?region=eu-west-1", nodeCredentials };
		const response = await createApp({ ...test.deps, settings }).request("http://functions.test/v1/nodes", {
			method: "POST",
			headers: { authorization: `Bearer ${await test.tokenFor("api")}`, "content-type": "application/json" },
			body: JSON.stringify({ id: "a", key: publicNodeKey(await generateNodeKey()) }),
		});
		expect(await response.json()).toMatchObject({
			bucket: "s3://media?region=eu-west-1",
			credentials: { accessKeyId: "id", secretAccessKey: "secret" },
		});
		expect(test.logs.join()).not.toContain("secret");
	});

	it.each(["..", ".", "a b", "x".repeat(65), ""])("has no node %j", async (id) => {
		const { api } = await functionsForTest();
		const key = publicNodeKey(await generateNodeKey());
		expect((await api("POST", "/v1/nodes", { id, key })).status).toBe(400);
	});
});

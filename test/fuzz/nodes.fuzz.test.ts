import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { signHeartbeat, verifyHeartbeat } from "#shared/nodes/heartbeat.ts";
import { generateNodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { DeniedError } from "#shared/problem.ts";
import { functionsForTest } from "../support/functions.ts";
import { mutated } from "../support/mutate.ts";
import { FakeNode, heartbeatOf } from "../support/nodes.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const text = new TextEncoder();

describe("what strangers write about nodes", () => {
	it("is a heartbeat that is not believed, never a crash", async () => {
		const key = await generateNodeKey();
		const right = await signHeartbeat(heartbeatOf("edge-1", 0), key);
		const broken = mutated([text.encode(right)]).map((bytes) => new TextDecoder().decode(bytes));
		await fc.assert(
			fc.asyncProperty(broken, async (heartbeat) => {
				fc.pre(heartbeat.slice(0, -1) !== right.slice(0, -1));
				await expect(verifyHeartbeat(heartbeat, "edge-1", publicNodeKey(key))).rejects.toThrow(DeniedError);
			}),
			{ seed, numRuns: 400 },
		);
	});

	it("leaves the other nodes on the list, whatever stands in the objects of one", async () => {
		const { store, clock, api } = await functionsForTest();
		const [good, bad] = [await FakeNode.join("good", { store, clock }), await FakeNode.join("bad", { store, clock })];
		const objects = ["nodes/bad/registration.json", "nodes/bad/heartbeat.jws"];
		const seeds = await Promise.all(objects.map(async (key) => (await store.get(key))?.bytes() ?? new Uint8Array()));
		await fc.assert(
			fc.asyncProperty(fc.nat(1), mutated(seeds), async (which, bytes) => {
				await bad.beat();
				await good.beat();
				await store.put(objects[which] ?? "", bytes);
				await clock.advance(5_000);
				const response = await api("GET", "/v1/nodes");
				expect(response.status).toBe(200);
				const { items } = (await response.json()) as { items: { id: string; state: string }[] };
				expect(items).toContainEqual(expect.objectContaining({ id: "good", state: "active" }));
			}),
			{ seed, numRuns: 200 },
		);
	});

	it("is an answer of 200, 400, 401 or 403 to the questions of MediaMTX and of clients, never 500", async () => {
		const { app, store, clock, tokenFor } = await functionsForTest();
		await FakeNode.join("edge-1", { store, clock });
		const token = await tokenFor("publish", "cam01");
		const question = JSON.stringify({ action: "publish", path: "cam01", query: `token=${token}`, password: token });
		const broken = mutated([text.encode(question)]).map((bytes) => new TextDecoder().decode(bytes));
		await fc.assert(
			fc.asyncProperty(broken, async (body) => {
				const headers = { "content-type": "application/json" };
				const response = await app.request("http://functions.test/auth", { method: "POST", headers, body });
				expect([200, 400, 401]).toContain(response.status);
			}),
			{ seed, numRuns: 200 },
		);
		const query = mutated([text.encode(`token=${token}&region=eu&avoid=a,b`)]).map((bytes) =>
			String.fromCharCode(...bytes.map((byte) => Math.max(33, byte & 0x7f))).replaceAll("#", ""),
		);
		await fc.assert(
			fc.asyncProperty(query, async (shown) => {
				const response = await app.request(`http://functions.test/ingest/cam01?${shown}`);
				expect([200, 400, 401, 403]).toContain(response.status);
			}),
			{ seed, numRuns: 200 },
		);
	});
});

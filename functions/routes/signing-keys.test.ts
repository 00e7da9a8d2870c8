import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import { commitStream, functionsForTest } from "../../test/support/functions.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";
import { createApp } from "../app.ts";
import { TokenAccess } from "../tokens/token-access.ts";

const cam = parsePathName("cam");

type Key = { kid: string; origin: string; signs: boolean; createdAt: string | null };

async function twoInstances() {
	const test = await functionsForTest();
	await commitStream(test.store, test.clock, cam, 2);
	const { store, clock, settings } = test.deps;
	const tokens = new TokenAccess({ store, clock, settings, sharesReads: true });
	const other = createApp({ ...test.deps, tokens, verifier: tokens.verifier });
	const list = async () => ((await (await test.api("GET", "/v1/signing-keys")).json()) as { items: Key[] }).items;
	const rotate = async () => {
		const answer = await test.api("POST", "/v1/signing-keys/rotate");
		expect(answer.status).toBe(200);
		return ((await answer.json()) as { items: Key[] }).items[0]!;
	};
	const make = async () =>
		((await (await test.api("POST", "/v1/tokens", { path: cam, actions: ["read"] })).json()) as { token: string })
			.token;
	const watch = async (token: string) => (await other.request(`http://functions.test/${token}/cam/v0.m3u8`)).status;
	const kidOf = (token: string) =>
		(JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString()) as { kid: string }).kid;
	const published = async (app = other) => {
		const { keys } = (await (await app.request("http://functions.test/.well-known/jwks.json")).json()) as {
			keys: Record<string, string>[];
		};
		return keys;
	};
	return { ...test, other, list, rotate, make, watch, kidOf, published };
}

describe("signing keys", () => {
	it("are those of the environment until somebody rotates; then the new one signs, and the old one verifies", async () => {
		const { list, rotate, make, watch, kidOf } = await twoInstances();
		const [root] = await list();
		expect(root).toEqual({ kid: expect.any(String), origin: "environment", signs: true, createdAt: null });
		const before = await make();
		expect(kidOf(before)).toBe(root!.kid);
		expect(await watch(before)).toBe(200);
		const rotated = await rotate();
		expect(await list()).toMatchObject([
			{ kid: rotated.kid, origin: "bucket", signs: true },
			{ kid: root!.kid, signs: false },
		]);
		const after = await make();
		expect(kidOf(after)).toBe(rotated.kid);
		expect([await watch(before), await watch(after)]).toEqual([200, 200]);
	});

	it("that are new are known to other instances when the first token names them, and published within ten seconds", async () => {
		const { rotate, make, watch, published, clock, other } = await twoInstances();
		expect(await published()).toHaveLength(1);
		await clock.advance(1_000);
		const { kid } = await rotate();
		expect(await watch(await make())).toBe(200);
		await clock.advance(5_000);
		expect((await published()).map((key) => key["kid"])).toContain(kid);
		const answer = await other.request("http://functions.test/.well-known/jwks.json");
		expect(answer.headers.get("cache-control")).toBe("public, max-age=5");
	});

	it("that are removed verify nothing more within ten seconds, also what was verified before", async () => {
		const { rotate, make, watch, api, clock, list, published } = await twoInstances();
		await rotate();
		const token = await make();
		expect(await watch(token)).toBe(200);
		const [first] = await list();
		expect((await api("DELETE", `/v1/signing-keys/${first!.kid}`)).status).toBe(400);
		await rotate();
		expect((await api("DELETE", `/v1/signing-keys/${first!.kid}`)).status).toBe(204);
		await clock.advance(10_000);
		expect(await watch(token)).toBe(401);
		expect((await published()).map((key) => key["kid"])).not.toContain(first!.kid);
		expect((await api("DELETE", `/v1/signing-keys/${first!.kid}`)).status).toBe(404);
	});

	it("of the environment can be trusted no more, too; they still open what is in the bucket", async () => {
		const { rotate, make, watch, api, clock, list, deps, other } = await twoInstances();
		const [root] = await list();
		const old = await make();
		await rotate();
		const admin = (
			(await (await api("POST", "/v1/tokens", { permissions: [{ action: "api" }] })).json()) as { token: string }
		).token;
		expect((await api("DELETE", `/v1/signing-keys/${root!.kid}`)).status).toBe(204);
		await clock.advance(10_000);
		expect(await watch(old)).toBe(401);
		expect((await api("GET", "/v1/signing-keys")).status).toBe(401);
		const headers = { authorization: `Bearer ${admin}`, "content-type": "application/json" };
		const fresh = new TokenAccess({ ...deps, sharesReads: true });
		const third = createApp({ ...deps, tokens: fresh, verifier: fresh.verifier });
		const body = JSON.stringify({ path: cam, actions: ["read"] });
		const made = await third.request("http://functions.test/v1/tokens", { method: "POST", headers, body });
		expect(made.status).toBe(201);
		expect(await watch(((await made.json()) as { token: string }).token)).toBe(200);
		expect((await other.request("http://functions.test/v1/signing-keys", { headers })).status).toBe(200);
	});

	it("are never shown or stored with what is secret", async () => {
		const { rotate, api, store, published, deps } = await twoInstances();
		await rotate();
		const stored = await (await store.get(ACCESS_KEY))!.text();
		const document = JSON.parse(stored) as { keys: { public: object; private: object }[] };
		expect(document.keys[0]!.public).not.toHaveProperty("d");
		expect(Object.keys(document.keys[0]!.private).sort()).toEqual(["sealed", "sealedBy"]);
		const [key] = await deps.tokens.ring.signing();
		expect(key!.d.length).toBeGreaterThan(40);
		const shown = [stored, await (await api("GET", "/v1/signing-keys")).text(), JSON.stringify(await published())];
		for (const text of shown) {
			expect(text).not.toContain(key!.d);
			expect(text).not.toContain(deps.settings.signingKeys[0]!.d);
		}
	});

	it("are at most sixteen", async () => {
		const { rotate, api } = await twoInstances();
		for (let i = 0; i < 16; i++) await rotate();
		expect((await api("POST", "/v1/signing-keys/rotate")).status).toBe(400);
	});

	it("that nobody knows are looked for in the bucket at most ten times in ten seconds", async () => {
		const { watch, make, store, clock } = await twoInstances();
		const [header, ...rest] = (await make()).split(".");
		await watch([header, ...rest].join("."));
		await clock.advance(2_000);
		const reads = recordReads(store);
		for (let i = 0; i < 100; i++) {
			const unknown = Buffer.from(JSON.stringify({ alg: "ES256", kid: `k${i}` })).toString("base64url");
			expect(await watch([unknown, ...rest].join("."))).toBe(401);
		}
		expect(reads.filter(({ method, key }) => method === "getIfChanged" || key === ACCESS_KEY)).toHaveLength(10);
	});
});

import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import { commitStream, functionsForTest } from "../../test/support/functions.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";
import { createApp } from "../app.ts";
import { TokenAccess } from "../tokens/token-access.ts";

const BOUND_MS = 10_000;
const cam = parsePathName("site/cam0");

type Made = { token: string; tokenId: string };

async function watching() {
	const test = await functionsForTest();
	await commitStream(test.store, test.clock, cam, 3);
	/** Another instance over the same bucket: it learns of what the first one writes by the bucket alone. */
	const { store, clock, settings } = test.deps;
	const tokens = new TokenAccess({ store, clock, settings, sharesReads: true });
	const other = createApp({ ...test.deps, tokens, verifier: tokens.verifier });
	const make = async (more: object = {}) => {
		const answer = await test.api("POST", "/v1/tokens", { path: cam, actions: ["read"], ...more });
		expect(answer.status).toBe(201);
		return (await answer.json()) as Made;
	};
	const watch = async (token: string, path = "site/cam0", app = other) =>
		(await app.request(`http://functions.test/${token}/${path}/v0.m3u8`)).status;
	const revoke = async (body: object) => {
		const answer = await test.api("POST", "/v1/tokens/revoke", body);
		expect(answer.status).toBe(201);
	};
	const asked = recordReads(store);
	const reads = () => asked.filter(({ key }) => key === ACCESS_KEY).length;
	return { ...test, other, make, watch, revoke, reads };
}

describe("a revoked token", () => {
	it.each(["signed", "edge"])(
		"of the form %s stops within ten seconds on every instance, and at once on its own",
		async (form) => {
			const { make, watch, revoke, clock, app } = await watching();
			const { token } = await make({ form });
			expect(await watch(token)).toBe(200);
			await clock.advance(4_999);
			await revoke({ token });
			expect(await watch(token, "site/cam0", app)).toBe(401);
			let stoppedMs: number | null = null;
			for (let ms = 0; ms <= BOUND_MS && stoppedMs === null; ms += 500) {
				if ((await watch(token)) === 401) stoppedMs = ms;
				else await clock.advance(500);
			}
			expect(stoppedMs).toBeLessThanOrEqual(BOUND_MS);
			await clock.advance(60_000);
			expect(await watch(token)).toBe(401);
		},
	);

	it("says that it was revoked, and when", async () => {
		const { make, revoke, api, get, clock } = await watching();
		const { token, tokenId } = await make({ subject: "ana" });
		await revoke({ tokenId });
		const at = new Date(clock.now()).toISOString();
		const answer = await get(`/${token}/site/cam0/v0.m3u8`);
		expect(await answer.json()).toMatchObject({
			status: 401,
			code: "access.token_revoked",
			detail: `The token was revoked at ${at}. Ask for a new one`,
		});
		expect(await (await api("POST", "/v1/tokens/inspect", { token })).json()).toMatchObject({
			valid: false,
			fault: "revoked",
			verified: true,
			subject: "ana",
		});
	});

	it("does not stop another one", async () => {
		const { make, watch, revoke, clock } = await watching();
		const [one, two] = [await make({ subject: "ana" }), await make({ subject: "ana" })];
		await revoke({ token: one.token });
		await clock.advance(BOUND_MS);
		expect([await watch(one.token), await watch(two.token)]).toEqual([401, 200]);
	});

	it("of a subject stops with all of that viewer; those that are made later are good", async () => {
		const { make, watch, revoke, clock } = await watching();
		const before = [
			await make({ subject: "ana" }),
			await make({ subject: "ana", form: "edge" }),
			await make({ subject: "ben" }),
		];
		await clock.advance(1);
		await revoke({ subject: "ana" });
		await clock.advance(1);
		const after = await make({ subject: "ana" });
		await clock.advance(BOUND_MS);
		const statuses = await Promise.all([...before, after].map(({ token }) => watch(token)));
		expect(statuses).toEqual([401, 401, 200, 200]);
	});

	it("for a path stops on that path alone; those that are made later are good", async () => {
		const { make, watch, revoke, clock, store } = await watching();
		await commitStream(store, clock, parsePathName("site/cam1"), 1);
		const { token } = await make({
			path: undefined,
			actions: undefined,
			permissions: [{ action: "read", path: "~^site/" }],
		});
		await revoke({ path: "site/cam0" });
		await clock.advance(BOUND_MS);
		expect([await watch(token), await watch(token, "site/cam1")]).toEqual([401, 200]);
		expect(await watch((await make()).token)).toBe(200);
	});

	it("of an administrator opens the interface no more", async () => {
		const { api, revoke, other, clock, tokenFor } = await watching();
		const token = await tokenFor("api");
		const ask = () =>
			other.request("http://functions.test/v1/paths", { headers: { authorization: `Bearer ${token}` } });
		expect((await ask()).status).toBe(200);
		await revoke({ token });
		await clock.advance(BOUND_MS);
		expect((await ask()).status).toBe(401);
		expect((await api("GET", "/v1/paths")).status).toBe(200);
	});

	it("is good again when that is taken back, and the list says so", async () => {
		const { make, watch, revoke, clock, api } = await watching();
		const { token, tokenId } = await make();
		await revoke({ token });
		const listed = async () => ((await (await api("GET", "/v1/revocations")).json()) as { items: object[] }).items;
		expect(await listed()).toMatchObject([{ kind: "token", value: tokenId }]);
		expect((await api("DELETE", `/v1/revocations/token/${tokenId}`)).status).toBe(204);
		expect((await api("DELETE", `/v1/revocations/token/${tokenId}`)).status).toBe(404);
		expect(await listed()).toEqual([]);
		await clock.advance(BOUND_MS);
		expect(await watch(token)).toBe(200);
	});
});

describe("the list of what was revoked", () => {
	it("costs a request nothing: an instance reads it each five seconds, whoever asks how often", async () => {
		const { make, watch, clock, reads } = await watching();
		const { token } = await make();
		await watch(token);
		await clock.advance(60_000);
		const before = reads();
		for (let i = 0; i < 100; i++) {
			expect(new Set(await Promise.all(Array.from({ length: 10 }, () => watch(token))))).toEqual(new Set([200]));
			await clock.advance(100);
		}
		expect(reads() - before).toBeLessThanOrEqual(3);
	});

	it("loses entries when their tokens have expired", async () => {
		const { make, revoke, clock, store, api } = await watching();
		const { token } = await make({ expiresIn: "1m" });
		await revoke({ token, tokensExpireBy: new Date(clock.now() + 1).toISOString() });
		await revoke({ subject: "dan" });
		expect((await api("GET", "/v1/revocations").then((answer) => answer.json())) as object).toMatchObject({
			items: [{ kind: "token" }, { value: "dan" }],
		});
		await revoke({ subject: "ana", tokensExpireBy: new Date(clock.now() + 30_000).toISOString() });
		await revoke({ subject: "ben" });
		await clock.advance(60_000);
		await revoke({ path: "a" });
		const document = JSON.parse(await (await store.get(ACCESS_KEY))!.text()) as { revocations: { value: string }[] };
		expect(document.revocations.map(({ value }) => value)).toEqual(["dan", "ben", "a"]);
	});

	it("that is damaged lets nobody in, and says what to do", async () => {
		const { make, watch, clock, store, api } = await watching();
		const { token } = await make();
		await store.put(ACCESS_KEY, "{");
		await clock.advance(BOUND_MS);
		expect(await watch(token)).toBe(502);
		expect(await (await api("GET", "/v1/paths")).json()).toMatchObject({ code: "store.refused" });
	});

	it("takes both of two entries that are written at the same time", async () => {
		const { api, revoke } = await watching();
		await Promise.all(["a", "b", "c"].map((subject) => revoke({ subject })));
		const { items } = (await (await api("GET", "/v1/revocations")).json()) as { items: { value: string }[] };
		expect(items.map(({ value }) => value).sort()).toEqual(["a", "b", "c"]);
	});

	it.each([
		{},
		{ subject: "a", path: "b" },
		{ subject: "" },
		{ subject: "a".repeat(257) },
		{ subject: "a", tokensExpireBy: "tomorrow" },
		{ subject: "a", tokensExpireBy: "2020-01-01T00:00:00Z" },
		{ tokenId: 1 },
	])("does not take %j", async (body) => {
		const { api } = await watching();
		expect((await api("POST", "/v1/tokens/revoke", body)).status).toBe(400);
	});

	it("does not take a token that is none of ours", async () => {
		const { api, tokenFor } = await watching();
		for (const token of ["x", await tokenFor("read", "site/cam0", { foreign: true })]) {
			expect((await api("POST", "/v1/tokens/revoke", { token })).status).toBe(401);
		}
	});
});

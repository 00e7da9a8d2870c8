import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { commitStream, functionsForTest } from "../../test/support/functions.ts";

const cam = parsePathName("cam");

async function limited(limits: object, form = "signed") {
	const test = await functionsForTest();
	await commitStream(test.store, test.clock, cam, 2);
	const made = await test.api("POST", "/v1/tokens", { path: cam, actions: ["read"], limits, form });
	expect(made.status).toBe(201);
	const { token } = (await made.json()) as { token: string };
	const watch = async (who: Partial<typeof test.viewer> = {}) => {
		Object.assign(test.viewer, { ip: "192.0.2.1", country: "DE", referrer: null, ...who });
		return (await test.get(`/${token}/cam/v0.m3u8`)).status;
	};
	return { ...test, token, watch };
}

describe("a token with limits", () => {
	it.each(["signed", "edge"])("of the form %s is for its addresses", async (form) => {
		const { watch } = await limited({ ips: ["192.0.2.1", "2001:db8::/32"] }, form);
		expect(await watch()).toBe(200);
		expect(await watch({ ip: "2001:db8::7" })).toBe(200);
		expect(await watch({ ip: "192.0.2.2" })).toBe(403);
		expect(await watch({ ip: null })).toBe(403);
	});

	it("is for its countries, and for nobody where none is known", async () => {
		const { watch } = await limited({ countries: ["DE", "AT"] });
		expect([await watch(), await watch({ country: "FR" }), await watch({ country: null })]).toEqual([200, 403, 403]);
	});

	it("is for the pages that may embed it", async () => {
		const { watch } = await limited({ referrers: ["*.example.com"] });
		expect(await watch({ referrer: "https://tv.example.com/" })).toBe(200);
		expect(await watch({ referrer: "https://example.org/" })).toBe(403);
		expect(await watch()).toBe(403);
	});

	it("is for so many addresses in half a minute", async () => {
		const { watch, clock } = await limited({ concurrency: 2 });
		expect([await watch({ ip: "10.0.0.1" }), await watch({ ip: "10.0.0.2" }), await watch({ ip: "10.0.0.3" })]).toEqual(
			[200, 200, 403],
		);
		await clock.advance(20_000);
		expect(await watch({ ip: "10.0.0.1" })).toBe(200);
		await clock.advance(10_000);
		expect([await watch({ ip: "10.0.0.3" }), await watch({ ip: "10.0.0.2" })]).toEqual([200, 403]);
	});

	it("says which limit does not hold", async () => {
		const { watch, get, token } = await limited({ countries: ["AT"] });
		await watch();
		const answer = await get(`/${token}/cam/index.m3u8`);
		expect(await answer.json()).toMatchObject({ code: "access.token_limit", limit: "countries" });
	});

	it("is not kept by caches that do not know whom it is for", async () => {
		const { watch, get, token } = await limited({ countries: ["DE"] });
		expect(await watch()).toBe(200);
		expect((await get(`/${token}/cam/v0.m3u8`)).headers.get("cache-control")).toBe("private, max-age=1");
		const segment = await get(`/${token}/cam/000000000001-000000000001-v0.m4s`);
		expect(segment.headers.get("cache-control")).toMatch(/^private, max-age=\d+, immutable$/);
	});

	it("opens nothing where its limits are not checked", async () => {
		const { deps, token } = await limited({ countries: ["DE"] });
		await expect(deps.verifier.verify(token)).rejects.toMatchObject({ code: "access.token_limit" });
	});

	it.each([
		{ limits: { ips: [] } },
		{ limits: { ips: ["10.0.0.0/33"] } },
		{ limits: { countries: ["de"] } },
		{ limits: { referrers: ["https://example.com"] } },
		{ limits: { concurrency: 0 } },
		{ limits: { other: 1 } },
		{ limits: { concurrency: 1 }, form: "edge" },
		{ actions: ["publish"], limits: { countries: ["DE"] } },
		{ actions: ["publish"], form: "edge" },
		{ form: "edge", expiresIn: "25h" },
		{ form: "other" },
	])("is not made of %j", async (body) => {
		const { api } = await functionsForTest();
		expect((await api("POST", "/v1/tokens", { path: cam, actions: ["read"], ...body })).status).toBe(400);
	});

	it.each([[{ action: "read" }], [{ action: "read", path: "~^a" }], [{ action: "api" }]])(
		"is not made for the edge with %j",
		async (permission) => {
			const { api } = await functionsForTest();
			expect((await api("POST", "/v1/tokens", { permissions: [permission], form: "edge" })).status).toBe(400);
		},
	);
});

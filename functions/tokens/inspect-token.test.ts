import { describe, expect, it } from "vitest";
import { functionsForTest } from "../../test/support/functions.ts";

async function inspecting() {
	const test = await functionsForTest();
	const inspect = async (token: string, path?: string) => {
		const answer = await test.api("POST", "/v1/tokens/inspect", { token, ...(path === undefined ? {} : { path }) });
		expect(answer.status).toBe(200);
		return (await answer.json()) as Record<string, unknown>;
	};
	const make = async (more: object = {}) => {
		const body = { path: "cam", actions: ["read"], subject: "ana", ...more };
		return ((await (await test.api("POST", "/v1/tokens", body)).json()) as { token: string }).token;
	};
	return { ...test, inspect, make };
}

const forged = (header: object) => `${Buffer.from(JSON.stringify(header)).toString("base64url")}.e30.AAAA`;

describe("the inspection of a token", () => {
	it.each(["signed", "edge"])("says what a good one of the form %s allows", async (form) => {
		const { inspect, make, clock } = await inspecting();
		expect(await inspect(await make({ form, limits: { countries: ["DE"] } }), "cam")).toEqual({
			valid: true,
			fault: null,
			detail: "",
			verified: true,
			subject: "ana",
			tokenId: expect.stringMatching(/^[0-9a-f-]{36}$/),
			issuedAt: new Date(clock.now()).toISOString(),
			expiresAt: new Date(clock.now() + 3_600_000).toISOString(),
			permissions: [{ action: "read", path: "cam" }],
			limits: { countries: ["DE"] },
		});
	});

	it.each(["signed", "edge"])("tells what is wrong with one of the form %s, each fault apart", async (form) => {
		const { inspect, make, clock, api } = await inspecting();
		const token = await make({ form });
		const dot = token.lastIndexOf(".");
		const changed = `${token.slice(0, dot + 5)}${token[dot + 5] === "A" ? "B" : "A"}${token.slice(dot + 6)}`;
		expect(await inspect(changed)).toMatchObject({ valid: false, fault: "signature", verified: false, subject: "ana" });
		expect(await inspect(token, "other")).toMatchObject({ valid: false, fault: "forbidden", verified: true });
		await api("POST", "/v1/tokens/revoke", { path: "cam" });
		expect(await inspect(token)).toMatchObject({ valid: true });
		expect(await inspect(token, "cam")).toMatchObject({ valid: false, fault: "revoked", verified: true });
		await clock.advance(3_600_000);
		expect(await inspect(token)).toMatchObject({
			valid: false,
			fault: "expired",
			detail: "The token has expired. Ask for a new one",
			expiresAt: new Date(clock.now()).toISOString(),
		});
	});

	it("knows keys that are not ours, and what is no token at all", async () => {
		const { inspect, tokenFor } = await inspecting();
		expect(await inspect(await tokenFor("read", "", { foreign: true }))).toMatchObject({ fault: "unknown_key" });
		const claims = Buffer.from(JSON.stringify({ k: "00000000", i: "", t: 0, x: 1, p: ["a"] })).toString("base64url");
		expect(await inspect(`e1.${claims}.${"A".repeat(43)}`)).toMatchObject({ fault: "unknown_key" });
		for (const text of [
			"",
			"x",
			"a.b.c",
			"e1.",
			"e1.a.b",
			"..",
			forged({ alg: "ES256" }),
			`e1.${"A".repeat(40)}.${"A".repeat(43)}`,
		]) {
			expect(await inspect(text), text).toMatchObject({ valid: false, fault: "malformed", verified: false });
		}
	});

	it("trusts no other algorithm under one of our key ids", async () => {
		const { inspect, deps } = await inspecting();
		const { kid } = deps.settings.signingKeys[0]!;
		for (const alg of ["none", "HS256", "RS256"]) {
			expect(await inspect(forged({ alg, kid }))).toMatchObject({ valid: false, fault: "claims", verified: false });
		}
	});

	it("does not fall over claims of any kind", async () => {
		const { inspect } = await inspecting();
		for (const exp of ["x", 1e300, -1e300, null, {}]) {
			const payload = Buffer.from(JSON.stringify({ exp, sub: 1, jti: {} })).toString("base64url");
			expect(await inspect(`${forged({ alg: "ES256", kid: "x" }).split(".")[0]}.${payload}.AAAA`)).toMatchObject({
				valid: false,
				expiresAt: null,
			});
		}
	});
});

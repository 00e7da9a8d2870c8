import { readFileSync } from "node:fs";
import http, { type RequestListener } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { AccessRequest } from "./access.ts";
import { createJwtAuth, type JwtAuthOptions } from "./jwt-auth.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");
const cert = readFileSync(path.join(TLS, "localhost.crt"));
const key = readFileSync(path.join(TLS, "localhost.key"));
/** By `openssl x509 -in localhost.crt -noout -fingerprint -sha256 | cut -d "=" -f2 | tr -d ':'`. */
const FINGERPRINT = "B44BC72C132C6071A861D46694B612B5CB75D964CC6E50B8BCF2A4211C428569";
const HOUR_MS = 3_600_000;

const NOTHING: AccessRequest = {
	action: "read",
	path: parsePathName("cam01"),
	protocol: "rtsp",
	ip: "10.1.2.3",
	user: "",
	password: "",
	token: "",
	id: "",
	query: "",
	userAgent: "",
};

type Signer = { readonly kid: string; readonly privateKey: CryptoKey; readonly jwk: JWK };
let first: Signer;
let second: Signer;

async function signer(kid: string): Promise<Signer> {
	const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
	return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

beforeAll(async () => {
	[first, second] = await Promise.all([signer("first"), signer("second")]);
});

function tokenOf(payload: Record<string, unknown>, { kid, privateKey }: Signer = first): Promise<string> {
	const permissions = [{ action: "read", path: "cam01" }];
	return new SignJWT({ mediamtx_permissions: permissions, ...payload })
		.setProtectedHeader({ alg: "ES256", kid })
		.sign(privateKey);
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An authenticator and the server of its keys, which answers with `jwks.keys`, or as `jwks.behave` says. */
async function setUp({ secure = false, ...changes }: Partial<JwtAuthOptions> & { secure?: boolean } = {}) {
	const jwks = { keys: [first.jwk], requests: 0, behave: null as RequestListener | null };
	const listener: RequestListener = (request, response) => {
		jwks.requests++;
		if (jwks.behave !== null) jwks.behave(request, response);
		else response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: jwks.keys }));
	};
	const server = secure ? https.createServer({ cert, key }, listener) : http.createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const clock = new FakeClock();
	const auth = createJwtAuth({
		jwks: `http${secure ? "s" : ""}://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
		fingerprint: "",
		claimKey: "mediamtx_permissions",
		exclude: [],
		issuer: "",
		audience: "",
		clock,
		...changes,
	});
	cleanUps.push(
		() => new Promise((resolve) => server.close(resolve)),
		() => server.closeAllConnections(),
		() => auth[Symbol.dispose](),
	);
	const ask = (shown: Partial<AccessRequest>) =>
		auth.authorize({ ...NOTHING, ...shown }).catch((error) => String(error.code));
	return { auth, ask, jwks, clock };
}

describe("tokens of an identity server", () => {
	it("let in until they expire, in their own field or as the password", async () => {
		const { ask, clock } = await setUp();
		const expiresMs = clock.now() + 60_000;
		const token = await tokenOf({ sub: "joe", exp: expiresMs / 1000 });
		for (const shown of [{ token }, { password: token }, { user: "anybody", password: token }]) {
			expect(await ask(shown)).toEqual({ subject: "joe", expiresMs });
		}
		await clock.advance(60_000);
		expect(await ask({ token })).toBe("access.token_expired");
	});

	it("need not expire, nor name anybody", async () => {
		const { ask } = await setUp();
		expect(await ask({ token: await tokenOf({}) })).toEqual({ subject: "jwt", expiresMs: null });
	});

	it("are for their actions and paths only", async () => {
		const { ask } = await setUp();
		const token = await tokenOf({});
		expect(await ask({ token, action: "publish" })).toBe("access.forbidden");
		expect(await ask({ token, path: parsePathName("cam02") })).toBe("access.forbidden");
		const api = await tokenOf({ mediamtx_permissions: [{ action: "api" }] });
		expect(await ask({ token: api, action: "api", path: "" })).toMatchObject({ subject: "jwt" });
		expect(await ask({ token: api, action: "metrics", path: "" })).toBe("access.forbidden");
	});

	it("are asked for, and nothing else will do", async () => {
		const { ask, jwks } = await setUp();
		expect(await ask({})).toBe("access.token_missing");
		expect(await ask({ user: "joe", password: "geheim" })).toBe("access.token_invalid");
		expect(await ask({ user: "joe" })).toBe("access.token_invalid");
		expect(await ask({ token: "x.y.z", password: await tokenOf({}) })).toBe("access.token_invalid");
		expect(jwks.requests).toBe(0);
	});

	it("are not needed for what is excluded", async () => {
		const { ask, jwks } = await setUp({ exclude: [{ action: "read", path: "~^cam" }] });
		expect(await ask({})).toEqual({ subject: "any", expiresMs: null });
		expect(await ask({ token: "x.y.z" })).toEqual({ subject: "any", expiresMs: null });
		expect(await ask({ action: "publish" })).toBe("access.token_missing");
		expect(jwks.requests).toBe(0);
	});

	it("must be by the issuer, for the audience and in the claim that are configured", async () => {
		const { ask } = await setUp({ issuer: "https://id", audience: "video", claimKey: "can" });
		const can = JSON.stringify([{ action: "read" }]);
		expect(await ask({ token: await tokenOf({ iss: "https://id", aud: "video", can }) })).toMatchObject({
			subject: "jwt",
		});
		expect(await ask({ token: await tokenOf({ iss: "https://id", aud: "audio", can }) })).toBe("access.token_invalid");
		expect(await ask({ token: await tokenOf({ iss: "https://ego", aud: "video", can }) })).toBe("access.token_invalid");
		expect(await ask({ token: await tokenOf({ iss: "https://id", aud: "video" }) })).toBe("access.token_invalid");
	});
});

describe("the keys of an identity server", () => {
	it("are read when the first token comes, once for many, and again after an hour", async () => {
		const { ask, jwks, clock } = await setUp();
		const token = await tokenOf({});
		expect(jwks.requests).toBe(0);
		await Promise.all(Array.from({ length: 10 }, () => ask({ token })));
		expect(jwks.requests).toBe(1);
		await clock.advance(HOUR_MS - 1);
		await ask({ token });
		expect(jwks.requests).toBe(1);
		await clock.advance(1);
		await ask({ token });
		expect(jwks.requests).toBe(2);
	});

	it("are read again for an unknown key, but not for each of many", async () => {
		const { ask, jwks, clock } = await setUp();
		await ask({ token: await tokenOf({}) });
		jwks.keys = [first.jwk, second.jwk];
		const token = await tokenOf({}, second);
		expect(await ask({ token })).toBe("access.token_invalid");
		expect(jwks.requests).toBe(1);
		await clock.advance(30_000);
		expect(await ask({ token })).toMatchObject({ subject: "jwt" });
		for (let i = 0; i < 10; i++) await ask({ token: await tokenOf({}, { ...second, kid: `k${i}` }) });
		expect(jwks.requests).toBe(2);
	});

	it("are read again when somebody says so, and stay when that fails", async () => {
		const { auth, ask, jwks } = await setUp();
		const old = await tokenOf({});
		const fresh = await tokenOf({}, second);
		expect(await ask({ token: old })).toMatchObject({ subject: "jwt" });
		jwks.behave = (_, response) => void response.writeHead(500).end();
		await expect(auth.refresh()).rejects.toMatchObject({ code: "store.unavailable" });
		expect(await ask({ token: old })).toMatchObject({ subject: "jwt" });
		jwks.behave = null;
		jwks.keys = [second.jwk];
		await auth.refresh();
		expect(await ask({ token: old })).toBe("access.token_invalid");
		expect(await ask({ token: fresh })).toMatchObject({ subject: "jwt" });
	});

	it.each<[string, RequestListener]>([
		["an error", (_, response) => void response.writeHead(404).end("{}")],
		["a redirect", (_, response) => void response.writeHead(302, { location: "/" }).end()],
		["no JSON", (_, response) => void response.end("<html>")],
		["something else", (_, response) => void response.end('{"keys":"none"}')],
		["too much", (_, response) => void response.end(`{"keys":[]}${" ".repeat(300 * 1024)}`)],
		["nothing", (request) => void request.socket.destroy()],
	])("cannot be read from %s, which is no fault of the token", async (_, behave) => {
		const { ask, jwks } = await setUp();
		jwks.behave = behave;
		const token = await tokenOf({});
		expect(await ask({ token })).toBe("store.unavailable");
		jwks.behave = null;
		expect(await ask({ token })).toMatchObject({ subject: "jwt" });
	});

	it("come from the server with the fingerprint", async () => {
		const token = await tokenOf({});
		const { ask } = await setUp({ secure: true, fingerprint: FINGERPRINT });
		expect(await ask({ token })).toMatchObject({ subject: "jwt" });
		for (const fingerprint of ["", FINGERPRINT.replace(/^../, "00")]) {
			const other = await setUp({ secure: true, fingerprint });
			expect(await other.ask({ token })).toBe("store.unavailable");
			expect(other.jwks.requests).toBe(0);
		}
	});

	it("must have an address", async () => {
		await expect(setUp({ jwks: "" })).rejects.toMatchObject({ code: "config.invalid" });
	});
});

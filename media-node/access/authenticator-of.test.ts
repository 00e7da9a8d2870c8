import { randomBytes } from "node:crypto";
import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { generateSigningKey, publicJwks } from "#shared/access/signing-key.ts";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { createTokenVerifier, issueToken } from "#shared/access/token.ts";
import { userSchema } from "#shared/config/user.ts";
import { parsePathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { Logger } from "../log.ts";
import type { AccessRequest, Grant } from "./access.ts";
import { type AuthenticatorOfOptions, type AuthMethod, createAuthenticatorOf } from "./authenticator-of.ts";
import { Failures, MAX_FAILURES } from "./failures.ts";

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
const SECRET = randomBytes(32).toString("base64url");

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listening(listener: RequestListener): Promise<string> {
	const server = http.createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	cleanUps.push(
		() => new Promise((resolve) => server.close(resolve)),
		() => server.closeAllConnections(),
	);
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function internal(): Promise<AuthMethod> {
	const user = userSchema.parse({ user: "joe", pass: "geheim", permissions: [{ action: "read" }] });
	return { method: "internal", users: [user] };
}

/** A server that lets joe in. `asked` counts its questions. */
async function byHttp(counted = { asked: 0 }): Promise<AuthMethod> {
	const address = await listening(async (request, response) => {
		counted.asked++;
		let text = "";
		for await (const chunk of request) text += chunk;
		response.writeHead(JSON.parse(text).user === "joe" ? 200 : 401).end();
	});
	const log = { info: () => undefined } as unknown as Logger;
	return { method: "http", address, fingerprint: "", exclude: [], timeoutMs: 10_000, log };
}

/** An identity server and a token of it. */
async function byJwt(counted = { asked: 0 }) {
	const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
	const keys = [{ ...(await exportJWK(publicKey)), kid: "foreign" }];
	const jwks = await listening((_, response) => {
		counted.asked++;
		response.end(JSON.stringify({ keys }));
	});
	const token = await new SignJWT({ can: [{ action: "read", path: "cam01" }], sub: "joe" })
		.setProtectedHeader({ alg: "ES256", kid: "foreign" })
		.sign(privateKey);
	const settings = { jwks, fingerprint: "", claimKey: "can", exclude: [], issuer: "", audience: "" };
	const auth: AuthMethod = { method: "jwt", ...settings };
	return { auth, token };
}

async function setUp(auth: AuthMethod, changes: Partial<AuthenticatorOfOptions> = {}) {
	const clock = new FakeClock();
	const key = await generateSigningKey();
	const authenticator = createAuthenticatorOf({
		auth,
		verifier: createTokenVerifier({ keys: publicJwks([key]), clock }),
		streamKeySecrets: [SECRET],
		clock,
		...changes,
	});
	cleanUps.push(() => authenticator[Symbol.dispose]());
	const expiresMs = clock.now() + 3_600_000;
	const permissions = [{ action: "read" as const, path: "cam01" }];
	const token = await issueToken([key], { permissions, subject: "viewer", expiresMs }, clock);
	const streamKey = await issueStreamKey([SECRET], { action: "read", path: "cam01" }, expiresMs);
	const ask = async (shown: Partial<AccessRequest> = {}): Promise<Grant | string> => {
		let answer: Grant | string | null = null;
		authenticator.authorize({ ...NOTHING, ...shown }).then(
			(grant) => (answer = grant),
			(error) => (answer = String(error.code)),
		);
		while (answer === null) {
			await new Promise((resolve) => setTimeout(resolve, 1));
			await clock.advance(5);
		}
		return answer;
	};
	return { authenticator, ask, token, streamKey, expiresMs, clock };
}

describe.each([
	["internal", internal],
	["http", () => byHttp()],
	["jwt", async () => (await byJwt()).auth],
] as const)("the authentication method %s", (_, methodOf) => {
	it("takes tokens and stream keys of our own, in both places, for what they allow and until they expire", async () => {
		const { ask, token, streamKey, expiresMs, clock } = await setUp(await methodOf());
		for (const shown of [{ token }, { password: token }, { user: "x", password: token }]) {
			expect(await ask(shown)).toEqual({ subject: "viewer", expiresMs });
			expect(await ask({ ...shown, action: "publish" })).toBe("access.forbidden");
		}
		for (const shown of [{ token: streamKey }, { password: streamKey }]) {
			expect(await ask(shown)).toEqual({ subject: "stream key", expiresMs });
			expect(await ask({ ...shown, action: "publish" })).toMatch(/^access\.(token_invalid|credentials)$/);
		}
		await clock.advance(3_600_000);
		for (const shown of [{ token }, { password: token }, { token: streamKey }]) {
			expect(await ask(shown)).toBe("access.token_expired");
		}
	});

	it("asks who shows nothing for something", async () => {
		expect(await (await setUp(await methodOf())).ask()).toBe("access.token_missing");
	});

	it("counts failures, also those before it was made", async () => {
		const failures = new Failures({ clock: new FakeClock() });
		for (let i = 0; i < MAX_FAILURES - 1; i++) failures.add(NOTHING.ip);
		const { ask, token } = await setUp(await methodOf(), { failures });
		expect(await ask({ token })).toMatchObject({ subject: "viewer" });
		expect(await ask({ user: "eve", password: "x" })).toMatch(/^access\.(token_invalid|credentials)$/);
		expect(await ask({ token })).toBe("access.credentials");
		expect(await ask({ token, ip: "10.1.2.4" })).toMatchObject({ subject: "viewer" });
	});

	it("can be told to refresh, and be closed", async () => {
		const { authenticator } = await setUp(await methodOf());
		await authenticator.refresh();
		authenticator[Symbol.dispose]();
	});
});

describe("what is not of our own", () => {
	it("is up to the users of the configuration", async () => {
		const { ask } = await setUp(await internal());
		expect(await ask({ user: "joe", password: "geheim" })).toEqual({ subject: "joe", expiresMs: null });
		expect(await ask({ user: "joe", password: "x" })).toBe("access.credentials");
	});

	it("is up to the HTTP server, which does not see our own", async () => {
		const counted = { asked: 0 };
		const { ask, token, streamKey } = await setUp(await byHttp(counted));
		await ask({ token });
		await ask({ password: streamKey });
		expect(counted.asked).toBe(0);
		for (const password of ["x", "a.b.c", `k${"0".repeat(29)}`]) {
			expect(await ask({ user: "joe", password })).toEqual({ subject: "joe", expiresMs: null });
			expect(await ask({ user: "eve", password })).toBe("access.credentials");
		}
		expect(counted.asked).toBe(6);
	});

	it("is up to the identity server, whose keys a refresh reads", async () => {
		const counted = { asked: 0 };
		const { auth, token } = await byJwt(counted);
		const { ask, authenticator } = await setUp(auth);
		expect(await ask({ token })).toEqual({ subject: "joe", expiresMs: null });
		expect(await ask({ user: "x", password: token })).toEqual({ subject: "joe", expiresMs: null });
		expect(await ask({ token, action: "publish" })).toBe("access.forbidden");
		expect(counted.asked).toBe(1);
		await authenticator.refresh();
		expect(counted.asked).toBe(2);
	});

	it("does not matter for what the settings exclude, and neither does what has expired of our own", async () => {
		const exclude = [{ action: "read" as const, path: "" }];
		for (const auth of [await byHttp(), (await byJwt()).auth]) {
			if (auth.method === "internal") throw new Error("not excluding");
			const { ask, token, clock } = await setUp({ ...auth, exclude });
			await clock.advance(3_600_000);
			expect(await ask({ token })).toEqual({ subject: "any", expiresMs: null });
			expect(await ask({ token, action: "publish" })).toBe("access.token_expired");
		}
	});

	it("does not wait for keys of our own that cannot be read", async () => {
		const { auth, token } = await byJwt();
		const verifier = { verify: () => Promise.reject(new StoreError("store.unavailable", "away")) };
		for (const changes of [{ verifier }, { verifier: null }]) {
			expect(await (await setUp(auth, changes)).ask({ token })).toEqual({ subject: "joe", expiresMs: null });
		}
	});
});

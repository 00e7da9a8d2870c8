import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { DeniedError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { generateSigningKey, publicJwks, type SigningKey, signingKeysSchema } from "./signing-key.ts";
import { createTokenVerifier, issueToken, MAX_TOKEN_LENGTH } from "./token.ts";

const permissions = [{ action: "read" as const, path: "cam01" }];
let key: SigningKey;
let other: SigningKey;

beforeAll(async () => {
	[key, other] = await Promise.all([generateSigningKey(), generateSigningKey()]);
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
	try {
		await promise;
		return "accepted";
	} catch (error) {
		if (error instanceof DeniedError) return error.code;
		throw error;
	}
}

function setUp() {
	const clock = new FakeClock();
	const verifier = createTokenVerifier({ keys: publicJwks([key]), clock });
	const issue = (lifeMs = 60_000) =>
		issueToken([key], { permissions, subject: "viewer", expiresMs: clock.now() + lifeMs }, clock);
	return { clock, verifier, issue };
}

describe("tokens", () => {
	it("say who may do what until when", async () => {
		const { clock, verifier, issue } = setUp();
		expect(await verifier.verify(await issue())).toEqual({
			subject: "viewer",
			permissions,
			expiresMs: clock.now() + 60_000,
			tokenId: expect.stringMatching(/^[0-9a-f-]{36}$/),
			issuedMs: clock.now(),
			limits: {},
		});
	});

	it("expire to the millisecond of their second, also when they were seen before", async () => {
		const { clock, verifier, issue } = setUp();
		const token = await issue();
		await clock.advance(59_999);
		await verifier.verify(token);
		await clock.advance(1);
		expect(await codeOf(verifier.verify(token))).toBe("access.token_expired");
		expect(await codeOf(createTokenVerifier({ keys: publicJwks([key]), clock }).verify(token))).toBe(
			"access.token_expired",
		);
	});

	it("are void with any one character changed", async () => {
		const { verifier, issue } = setUp();
		const token = await issue();
		const accepted: number[] = [];
		for (let i = 0; i < token.length; i++) {
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
			const changed =
				token.slice(0, i) + alphabet[(alphabet.indexOf(token[i] as string) + 1) % alphabet.length] + token.slice(i + 1);
			if ((await codeOf(verifier.verify(changed))) === "accepted") accepted.push(i);
		}
		// The last character of a base64url text of 64 bytes has four bits that mean nothing.
		expect(accepted.filter((i) => i !== token.length - 1)).toEqual([]);
	});

	it("are verified by every key of the set, and signed by the first", async () => {
		const { clock } = setUp();
		const verifier = createTokenVerifier({ keys: publicJwks([other, key]), clock });
		const grant = { permissions, subject: "", expiresMs: clock.now() + 1000 };
		await verifier.verify(await issueToken([key, other], grant, clock));
		await verifier.verify(await issueToken([other, key], grant, clock));
		expect(JSON.stringify(publicJwks([key]))).not.toContain(key.d);
		expect(signingKeysSchema.parse(JSON.parse(JSON.stringify([key, other])))).toEqual([key, other]);
	});

	it.each(["", " ", "x", "a.b", "a.b.c", "a.b.c.d", "....", `${"a".repeat(MAX_TOKEN_LENGTH)}.b.c`, "ä.b.c", "a.b.c\n"])(
		"refuse %.20j",
		async (token) => {
			const { verifier } = setUp();
			expect(await codeOf(verifier.verify(token))).toBe(token === "" ? "access.token_missing" : "access.token_invalid");
		},
	);

	it("never trust none, a shared secret, a missing key id, a foreign key, or a missing expiry", async () => {
		const { clock, verifier } = setUp();
		const claims = { mediamtx_permissions: permissions, exp: clock.now() / 1000 + 60 };
		const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
		const publicKeyAsSecret = Buffer.from(JSON.stringify(publicJwks([key]).keys[0]));
		const { privateKey } = await generateKeyPair("ES256", { extractable: true });
		const sign = (header: { alg: string; kid?: string }, payload: object, by: Parameters<SignJWT["sign"]>[0]) =>
			new SignJWT({ ...payload }).setProtectedHeader(header).sign(by);
		const tokens = {
			none: `${part({ alg: "none", kid: key.kid })}.${part(claims)}.AA`,
			sharedSecret: await sign({ alg: "HS256", kid: key.kid }, claims, publicKeyAsSecret),
			noKeyId: await sign({ alg: "ES256" }, claims, privateKey),
			foreignKey: await sign({ alg: "ES256", kid: key.kid }, claims, privateKey),
			unknownKeyId: await sign({ alg: "ES256", kid: "nobody" }, claims, privateKey),
		};
		for (const [what, token] of Object.entries(tokens))
			expect(await codeOf(verifier.verify(token)), what).toBe("access.token_invalid");
		const { d: _, ...publicKey } = { ...(await exportJWK(privateKey)), kid: "k", alg: "ES256" };
		const trusting = createTokenVerifier({ keys: { keys: [publicKey] }, clock });
		const header = { alg: "ES256", kid: "k" };
		expect(await codeOf(trusting.verify(await sign(header, claims, privateKey)))).toBe("accepted");
		for (const payload of [
			{ mediamtx_permissions: permissions },
			{ exp: claims.exp },
			{ ...claims, mediamtx_permissions: [{ action: "everything", path: "" }] },
			{ ...claims, mediamtx_permissions: "not json" },
			{ ...claims, nbf: claims.exp + 600 },
		]) {
			expect(await codeOf(trusting.verify(await sign(header, payload, privateKey))), JSON.stringify(payload)).toBe(
				"access.token_invalid",
			);
		}
	});

	it("may carry the permissions as JSON text, as MediaMTX allows", async () => {
		const { clock } = setUp();
		const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
		const jwk = { ...(await exportJWK(publicKey)), kid: "ed" };
		const verifier = createTokenVerifier({ keys: { keys: [jwk] }, clock });
		const token = await new SignJWT({ mediamtx_permissions: JSON.stringify(permissions), exp: clock.now() / 1000 + 5 })
			.setProtectedHeader({ alg: "EdDSA", kid: "ed" })
			.sign(privateKey);
		expect((await verifier.verify(token)).permissions).toEqual(permissions);
	});
});

import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import {
	createForeignTokenCheck,
	type ForeignClaims,
	type ForeignTokenOptions,
	MAX_FOREIGN_TOKEN_LENGTH,
} from "./foreign-token.ts";

const START_S = Date.UTC(2026, 0, 1) / 1000;
const PERMISSIONS = [
	{ action: "publish", path: "" },
	{ action: "read", path: "~^cam" },
];

type Pair = { readonly privateKey: CryptoKey; readonly jwk: Record<string, unknown> & { kty: string } };

async function pairOf(alg: string, kid?: string): Promise<Pair> {
	const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
	const jwk = await exportJWK(publicKey);
	return { privateKey, jwk: { ...jwk, kty: jwk.kty ?? "", alg, ...(kid === undefined ? {} : { kid }) } };
}

let rsa: Pair;
let ec: Pair;
beforeAll(async () => {
	[rsa, ec] = await Promise.all([pairOf("RS256", "rsa"), pairOf("ES384", "ec")]);
});

function sign(
	payload: Record<string, unknown>,
	{
		alg = "RS256",
		kid,
		by = rsa.privateKey,
	}: { alg?: string; kid?: string | undefined; by?: CryptoKey | Uint8Array } = {},
): Promise<string> {
	const header = kid === undefined ? { alg } : { alg, kid };
	return new SignJWT({ mediamtx_permissions: PERMISSIONS, ...payload }).setProtectedHeader(header).sign(by);
}

/** What becomes of a token: its claims, or the code of the refusal. */
function check(token: string, changes: Partial<ForeignTokenOptions> = {}): Promise<ForeignClaims | string> {
	const verify = createForeignTokenCheck({
		keys: { keys: [rsa.jwk, ec.jwk] },
		claimKey: "mediamtx_permissions",
		issuer: "",
		audience: "",
		clock: new FakeClock(START_S * 1000),
		...changes,
	});
	return verify(token).catch((error) => {
		if (error.code === undefined) throw error;
		return String(error.code);
	});
}

describe("a foreign token", () => {
	it("says who may do what, until when or for ever", async () => {
		const token = await sign({ sub: "joe", exp: START_S + 60 }, { kid: "rsa" });
		expect(await check(token)).toEqual({
			subject: "joe",
			permissions: PERMISSIONS,
			expiresMs: (START_S + 60) * 1000,
		});
		expect(await check(await sign({}, { kid: "rsa" }))).toMatchObject({ subject: "", expiresMs: null });
		expect(await check(await sign({}, { alg: "ES384", kid: "ec", by: ec.privateKey }))).toMatchObject({
			expiresMs: null,
		});
	});

	it("expires to the second, and may start a little later than now", async () => {
		const options = { kid: "rsa" };
		expect(await check(await sign({ exp: START_S + 1 }, options))).toMatchObject({ expiresMs: (START_S + 1) * 1000 });
		expect(await check(await sign({ exp: START_S }, options))).toBe("access.token_expired");
		expect(await check(await sign({ exp: START_S - 3600 }, options))).toBe("access.token_expired");
		expect(await check(await sign({ nbf: START_S + 30 }, options))).toMatchObject({ expiresMs: null });
		expect(await check(await sign({ nbf: START_S + 3600 }, options))).toBe("access.token_invalid");
		expect(await check(await sign({ exp: "soon" }, options))).toBe("access.token_invalid");
	});

	it("has its permissions in the claim of that name, as a list or as the JSON text of one", async () => {
		const claimKey = "https://example.com/permissions";
		const text = JSON.stringify(PERMISSIONS);
		for (const value of [PERMISSIONS, text]) {
			const token = await sign({ mediamtx_permissions: [], [claimKey]: value }, { kid: "rsa" });
			expect(await check(token, { claimKey })).toMatchObject({ permissions: PERMISSIONS });
			expect(await check(token)).toMatchObject({ permissions: [] });
		}
		for (const value of [
			undefined,
			null,
			{},
			"",
			"[",
			"{}",
			[{}],
			[{ action: "everything" }],
			[{ action: "read", path: "~(" }],
			Array(1025).fill({ action: "read" }),
		]) {
			expect(await check(await sign({ mediamtx_permissions: value }, { kid: "rsa" }))).toBe("access.token_invalid");
		}
	});

	it("is for the audience and from the issuer that are configured", async () => {
		const token = await sign({ iss: "https://id.example", aud: ["web", "video"] }, { kid: "rsa" });
		expect(await check(token)).toMatchObject({ subject: "" });
		expect(await check(token, { issuer: "https://id.example", audience: "video" })).toMatchObject({ subject: "" });
		expect(await check(token, { issuer: "https://id.example/" })).toBe("access.token_invalid");
		expect(await check(token, { audience: "vide" })).toBe("access.token_invalid");
		const bare = await sign({}, { kid: "rsa" });
		expect(await check(bare, { issuer: "https://id.example" })).toBe("access.token_invalid");
		expect(await check(bare, { audience: "video" })).toBe("access.token_invalid");
	});

	it("needs a key pair of the set: no secret, no `none`, no other key, no other algorithm", async () => {
		const secret = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
		const oct = { kty: "oct", kid: "secret", alg: "HS256", k: Buffer.from(secret).toString("base64url") };
		const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
		const other = await pairOf("RS256");
		const tokens = {
			secret: await sign({}, { alg: "HS256", kid: "secret", by: secret }),
			none: `${part({ alg: "none", kid: "rsa" })}.${part({ mediamtx_permissions: PERMISSIONS })}.`,
			noneWithSignature: `${part({ alg: "none", kid: "rsa" })}.${part({ mediamtx_permissions: PERMISSIONS })}.AA`,
			other: await sign({}, { kid: "rsa", by: other.privateKey }),
			otherKind: await sign({}, { alg: "ES384", kid: "rsa", by: ec.privateKey }),
			unknown: await sign({}, { kid: "nobody", by: rsa.privateKey }),
		};
		for (const [what, token] of Object.entries(tokens)) {
			expect(await check(token, { keys: { keys: [rsa.jwk, ec.jwk, oct] } }), what).toBe("access.token_invalid");
		}
	});

	it.each(["", "a", "a.b", "a.b.c", "a.b.c.d.e", `${"a".repeat(MAX_FOREIGN_TOKEN_LENGTH)}.b.c`])(
		"is not %.20j",
		async (token) => {
			expect(await check(token)).toBe("access.token_invalid");
		},
	);

	it("is void cut anywhere", async () => {
		const token = await sign({}, { alg: "ES384", kid: "ec", by: ec.privateKey });
		for (let length = 0; length < token.length; length++) {
			expect(await check(token.slice(0, length)), `${length}`).toBe("access.token_invalid");
		}
	});

	it("without a key id is good when one key of its kind is there", async () => {
		expect(await check(await sign({}))).toMatchObject({ subject: "" });
		const second = await pairOf("RS256");
		const keys = {
			keys: [
				{ ...rsa.jwk, kid: "1" },
				{ ...second.jwk, kid: "2" },
			],
		};
		expect(await check(await sign({}), { keys })).toBe("access.token_invalid");
	});
});

describe("the key set of foreign tokens", () => {
	/** A source that has `before` until it is asked to look again. */
	function source(before: JSONWebKeySet, after: JSONWebKeySet) {
		const asked: boolean[] = [];
		const keys = async (refresh: boolean) => {
			asked.push(refresh);
			return asked.includes(true) ? after : before;
		};
		return { asked, keys };
	}

	it("is asked for again for a key that it does not have", async () => {
		const { asked, keys } = source({ keys: [ec.jwk] }, { keys: [ec.jwk, rsa.jwk] });
		expect(await check(await sign({}, { kid: "rsa" }), { keys })).toMatchObject({ subject: "" });
		expect(asked).toEqual([false, true]);
	});

	it("is asked for again for a token without a key id that the keys do not fit, as they may have changed", async () => {
		const former = await pairOf("RS256");
		const { keys } = source({ keys: [former.jwk] }, { keys: [rsa.jwk] });
		expect(await check(await sign({}), { keys })).toMatchObject({ subject: "" });
	});

	it("is not asked for again for a token that is just wrong", async () => {
		const { asked, keys } = source({ keys: [rsa.jwk] }, { keys: [] });
		const other = await pairOf("RS256");
		expect(await check(await sign({}, { kid: "rsa", by: other.privateKey }), { keys })).toBe("access.token_invalid");
		expect(await check(await sign({ exp: 1 }, { kid: "rsa" }), { keys })).toBe("access.token_expired");
		expect(asked).toEqual([false, false]);
	});

	it("that cannot be read is no fault of the token", async () => {
		const keys = () => Promise.reject(new RangeError("away"));
		await expect(check(await sign({}), { keys })).rejects.toThrow("away");
	});
});

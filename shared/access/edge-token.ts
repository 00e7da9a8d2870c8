/**
 * Edge tokens: tokens to read, for a CDN whose functions know no asymmetric keys (CloudFront Functions have HMAC alone).
 *
 * `e1.` · base64url of the claims as JSON · `.` · base64url of HMAC-SHA256 over all that stands before the last dot. The
 * Worker, the other functions and `infra/edge/verify-token.js` verify them by `test/vectors/edge-token.json`.
 */

import { base64url } from "jose";
import * as z from "zod";
import { equalBytes } from "#shared/access/constant-time.ts";
import type { TokenLimits } from "#shared/access/token-limits.ts";
import type { Clock } from "#shared/clock.ts";
import { DeniedError } from "#shared/problem.ts";

const PREFIX = "e1.";
/** One with twenty long paths and all limits stays below; URLs of 8,192 bytes are CloudFront's own limit. */
const MAX_EDGE_TOKEN_CHARS = 4096;
export const MAX_EDGE_PATHS = 20;
/** A function at the edge may not know what was revoked: what it verifies must end by itself soon. */
export const MAX_EDGE_LIFE_MS = 24 * 3_600_000;
const SHAPE = /^e1\.([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/;
/** The year 9999; dates cannot be much later. */
const MAX_SECONDS = 253_402_300_799;
const KEY_PURPOSE = "sluice edge token, v1";
const KEY_ID_CHARS = 8;

/** `secret`: 64 hexadecimal digits, whose characters are the HMAC key: some runtimes take keys as text only. */
export type EdgeKey = { readonly kid: string; readonly secret: string };

export type EdgeClaims = {
	readonly tokenId: string;
	readonly subject: string;
	/** Milliseconds since the Unix epoch, both. */
	readonly issuedMs: number;
	readonly expiresMs: number;
	/** Path names. */
	readonly paths: readonly string[];
	/** A function at the edge cannot count viewers. */
	readonly limits: Omit<TokenLimits, "concurrency">;
};

const strings = z.array(z.string().max(255)).min(1);
const payloadSchema = z.object({
	k: z.string(),
	i: z.string().max(256),
	s: z.string().max(256).default(""),
	/** Issued, in milliseconds; expiry, in whole seconds. */
	t: z.number(),
	x: z.int().max(MAX_SECONDS),
	p: strings.max(MAX_EDGE_PATHS),
	a: strings.max(20).optional(),
	c: strings.max(20).optional(),
	r: strings.max(20).optional(),
});

/** The keys of edge tokens, each derived from a secret of stream keys (base64url): the first signs, all verify. */
export async function edgeKeysOf(streamKeySecrets: readonly string[]): Promise<readonly EdgeKey[]> {
	return Promise.all(
		streamKeySecrets.map(async (root) => {
			const secret = hex(await hmac(Uint8Array.from(base64url.decode(root)), KEY_PURPOSE));
			return { kid: hex(await crypto.subtle.digest("SHA-256", utf8(secret))).slice(0, KEY_ID_CHARS), secret };
		}),
	);
}

/** Says whether `token` has the form of an edge token. Never throws. */
export function isEdgeToken(token: string): boolean {
	return token.startsWith(PREFIX);
}

/** Makes an edge token with the first of `keys`. Its expiry is rounded down to a second. */
export async function issueEdgeToken(keys: readonly EdgeKey[], claims: EdgeClaims): Promise<string> {
	const [key] = keys;
	if (key === undefined) throw new TypeError("Cannot issue edge token: there is no secret");
	const { tokenId, subject, issuedMs, expiresMs, paths, limits } = claims;
	const payload = {
		k: key.kid,
		i: tokenId,
		s: subject,
		t: issuedMs,
		x: Math.floor(expiresMs / 1000),
		p: paths,
		...(limits.ips === undefined ? {} : { a: limits.ips }),
		...(limits.countries === undefined ? {} : { c: limits.countries }),
		...(limits.referrers === undefined ? {} : { r: limits.referrers }),
	};
	const signed = PREFIX + base64url.encode(JSON.stringify(payloadSchema.parse(payload)));
	const token = `${signed}.${base64url.encode(new Uint8Array(await hmac(utf8(key.secret), signed)))}`;
	if (token.length > MAX_EDGE_TOKEN_CHARS)
		throw new RangeError(`Cannot issue edge token: it has ${token.length} characters`);
	return token;
}

/** @throws DeniedError `access.token_invalid`, `access.token_expired` */
export async function verifyEdgeToken(keys: readonly EdgeKey[], token: string, clock: Clock): Promise<EdgeClaims> {
	const [, text = "", mac = ""] = SHAPE.exec(token) ?? [];
	const payload = payloadOf(text);
	const key = keys.find(({ kid }) => kid === payload?.k);
	if (payload === null || key === undefined) throw invalid();
	const made = base64url.encode(new Uint8Array(await hmac(utf8(key.secret), PREFIX + text)));
	if (!equalBytes(utf8(mac), utf8(made))) throw invalid();
	if (payload.x * 1000 <= clock.now())
		throw new DeniedError("access.token_expired", "The token has expired. Ask for a new one");
	return {
		tokenId: payload.i,
		subject: payload.s,
		issuedMs: payload.t,
		expiresMs: payload.x * 1000,
		paths: payload.p,
		limits: {
			...(payload.a === undefined ? {} : { ips: payload.a }),
			...(payload.c === undefined ? {} : { countries: payload.c }),
			...(payload.r === undefined ? {} : { referrers: payload.r }),
		},
	};
}

/**
 * What a function at the edge puts into `x-sluice-edge` when it has verified a token and taken it out of the address: the
 * origin serves `/edge/…` to nobody else. `pathname`: as the origin gets it.
 */
export async function edgeProof(key: EdgeKey, pathname: string): Promise<string> {
	return base64url.encode(new Uint8Array(await hmac(utf8(key.secret), `proof ${pathname}`)));
}

/** Says whether one of `keys` made `proof` for `pathname`. Never throws. */
export async function isEdgeProof(keys: readonly EdgeKey[], pathname: string, proof: string): Promise<boolean> {
	let isGood = false;
	for (const key of keys) if (equalBytes(utf8(proof), utf8(await edgeProof(key, pathname)))) isGood = true;
	return isGood;
}

/** What an edge token says of itself, whoever wrote it; `null` for what is none. Never throws. */
export function edgePayload(token: string): z.output<typeof payloadSchema> | null {
	return payloadOf(SHAPE.exec(token)?.[1] ?? "");
}

function payloadOf(text: string): z.output<typeof payloadSchema> | null {
	try {
		return payloadSchema.parse(JSON.parse(new TextDecoder().decode(base64url.decode(text))));
	} catch {
		// Neither of the three has another way to say no; the caller answers all alike.
		return null;
	}
}

function invalid(): DeniedError {
	return new DeniedError(
		"access.token_invalid",
		"The token is not valid: it was changed, or signed with a key that is not trusted here. Ask for a new one",
	);
}

const imported = new Map<string, CryptoKey>();

async function hmac(secret: Uint8Array<ArrayBuffer>, text: string): Promise<ArrayBuffer> {
	const name = hex(secret);
	let key = imported.get(name);
	if (key === undefined) {
		key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
		imported.set(name, key);
	}
	return crypto.subtle.sign("HMAC", key, utf8(text));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
	return new TextEncoder().encode(text);
}

function hex(bytes: ArrayBuffer | Uint8Array): string {
	return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Tokens: JSON Web Tokens (RFC 7519) whose claim `mediamtx_permissions` says what their bearer may do. Ours are signed
 * with ES256; those of a foreign key set may also use EdDSA or RS256, and never a shared secret or `none`.
 */

import {
	createLocalJWKSet,
	decodeProtectedHeader,
	errors,
	importJWK,
	type JSONWebKeySet,
	jwtVerify,
	SignJWT,
} from "jose";
import { z } from "zod";
import { type Permission, permissionSchema } from "#shared/access/permission.ts";
import type { SigningKey } from "#shared/access/signing-key.ts";
import type { Clock } from "#shared/clock.ts";
import { DeniedError } from "#shared/problem.ts";

/** Ours have some 350 characters. */
export const MAX_TOKEN_LENGTH = 4096;
/** How far the clocks of issuer and verifier may differ. Expiry is exact: nobody watches after it. */
export const CLOCK_TOLERANCE_S = 60;

const ISSUER = "sluice";
const PERMISSIONS_CLAIM = "mediamtx_permissions";
const ALGORITHMS = ["ES256", "EdDSA", "RS256"];
const MAX_PERMISSIONS = 100;
const MAX_CACHED_TOKENS = 10_000;
const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** What a token says of its bearer. */
export type Claims = {
	/** Who it is for; shown in logs. */
	readonly subject: string;
	readonly permissions: readonly Permission[];
	/** Milliseconds since the Unix epoch. */
	readonly expiresMs: number;
	/** Empty when the issuer gave none. */
	readonly tokenId: string;
};

export type TokenGrant = Pick<Claims, "permissions" | "subject" | "expiresMs">;

/** Makes a token with the first of `keys`. */
export async function issueToken(keys: readonly SigningKey[], grant: TokenGrant, clock: Clock): Promise<string> {
	const [key] = keys;
	if (key === undefined) throw new TypeError("Cannot issue token: there is no signing key");
	return new SignJWT({ [PERMISSIONS_CLAIM]: grant.permissions })
		.setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT" })
		.setIssuer(ISSUER)
		.setSubject(grant.subject)
		.setIssuedAt(Math.floor(clock.now() / 1000))
		.setExpirationTime(grant.expiresMs / 1000)
		.setJti(crypto.randomUUID())
		.sign(await importJWK(key, key.alg));
}

export interface TokenVerifier {
	/** @throws DeniedError `access.token_missing`, `access.token_invalid`, `access.token_expired` */
	verify(token: string): Promise<Claims>;
}

/** A key set, or where to ask for one. `refresh`: a token named a key that the set does not have. */
export type KeySource = JSONWebKeySet | ((refresh: boolean) => Promise<JSONWebKeySet>);

/**
 * Verifies tokens by a key set. A token that was verified once is remembered, so that the requests of one viewer cost
 * one signature; its expiry is checked each time.
 */
export function createTokenVerifier({ keys, clock }: { keys: KeySource; clock: Clock }): TokenVerifier {
	const verified = new Map<string, Claims>();
	return {
		async verify(token) {
			const known = verified.get(token);
			if (known !== undefined) return unexpired(known, clock);
			const claims = await verifyToken(token, keys, clock);
			if (verified.size >= MAX_CACHED_TOKENS) verified.delete(verified.keys().next().value as string);
			verified.set(token, claims);
			return claims;
		},
	};
}

async function verifyToken(token: string, keys: KeySource, clock: Clock): Promise<Claims> {
	if (token === "")
		throw new DeniedError("access.token_missing", "This needs a token; ask whoever gave you the address");
	if (token.length > MAX_TOKEN_LENGTH || !SHAPE.test(token)) throw invalid("it is not a token of ours");
	let payload: Record<string, unknown>;
	try {
		const { kid } = decodeProtectedHeader(token);
		if (typeof kid !== "string" || kid === "") throw invalid("it names no key");
		payload = await verifySignature(token, kid, keys, clock);
	} catch (error) {
		if (error instanceof errors.JWTExpired) throw expired();
		if (error instanceof errors.JOSEError)
			throw invalid("it was changed, or signed with a key that is not trusted here", error);
		// decodeProtectedHeader says no with a TypeError.
		if (error instanceof TypeError) throw invalid("it is not a token of ours", error);
		throw error;
	}
	return unexpired(claimsOf(payload), clock);
}

async function verifySignature(
	token: string,
	kid: string,
	keys: KeySource,
	clock: Clock,
): Promise<Record<string, unknown>> {
	let set = typeof keys === "function" ? await keys(false) : keys;
	if (typeof keys === "function" && !set.keys.some((key) => key.kid === kid)) set = await keys(true);
	const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
		algorithms: ALGORITHMS,
		currentDate: new Date(clock.now()),
		clockTolerance: CLOCK_TOLERANCE_S,
		requiredClaims: ["exp"],
	});
	return payload;
}

/** MediaMTX takes the permissions as a list, and as the JSON text of one. */
const permissionsSchema = z
	.preprocess(
		(value) => (typeof value === "string" ? parsedOrNull(value) : value),
		z.array(permissionSchema).max(MAX_PERMISSIONS),
	)
	.readonly();

function claimsOf(payload: Record<string, unknown>): Claims {
	const permissions = permissionsSchema.safeParse(payload[PERMISSIONS_CLAIM]);
	if (!permissions.success) throw invalid(`its claim ${PERMISSIONS_CLAIM} is not a list of actions and paths`);
	return {
		subject: typeof payload["sub"] === "string" ? payload["sub"].slice(0, 256) : "",
		permissions: permissions.data,
		expiresMs: Number(payload["exp"]) * 1000,
		tokenId: typeof payload["jti"] === "string" ? payload["jti"].slice(0, 256) : "",
	};
}

function parsedOrNull(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// JSON.parse has no other way to say no; null is not a list, so the schema refuses it.
		return null;
	}
}

function unexpired(claims: Claims, clock: Clock): Claims {
	if (claims.expiresMs <= clock.now()) throw expired();
	return claims;
}

function invalid(why: string, cause?: unknown): DeniedError {
	return new DeniedError("access.token_invalid", `The token is not valid: ${why}. Ask for a new one`, { cause });
}

function expired(): DeniedError {
	return new DeniedError("access.token_expired", "The token has expired. Ask for a new one");
}

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
import * as z from "zod";
import { type Permission, permissionSchema } from "#shared/access/permission.ts";
import type { SigningKey } from "#shared/access/signing-key.ts";
import { type TokenLimits, tokenLimitsSchema } from "#shared/access/token-limits.ts";
import type { Clock } from "#shared/clock.ts";
import { jsonOrNull } from "#shared/json.ts";
import { DeniedError } from "#shared/problem.ts";

/** Ours have some 350 characters. */
export const MAX_TOKEN_LENGTH = 4096;
/** How far the clocks of issuer and verifier may differ. Expiry is exact: nobody watches after it. */
export const CLOCK_TOLERANCE_S = 60;

const ISSUER = "sluice";
const PERMISSIONS_CLAIM = "mediamtx_permissions";
const LIMITS_CLAIM = "sluice_limits";
const ALGORITHMS = ["ES256", "EdDSA", "RS256"];
const MAX_PERMISSIONS = 100;
/** Some 25 MiB. With more viewers than this at once, each of their requests would cost a signature. */
const MAX_CACHED_TOKENS = 20_000;
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
	/** Milliseconds since the Unix epoch; 0, as when it is left out, when the issuer gave none. */
	readonly issuedMs?: number;
	/** Who may use it besides; left out or empty for whoever has it. */
	readonly limits?: TokenLimits;
};

export type TokenGrant = Pick<Claims, "permissions" | "subject" | "expiresMs"> & {
	readonly limits?: TokenLimits | undefined;
	/** A new one unless given. */
	readonly tokenId?: string | undefined;
};

/** Makes a token with the first of `keys`. */
export async function issueToken(keys: readonly SigningKey[], grant: TokenGrant, clock: Clock): Promise<string> {
	const [key] = keys;
	if (key === undefined) throw new TypeError("Cannot issue token: there is no signing key");
	const limits = Object.keys(grant.limits ?? {}).length === 0 ? {} : { [LIMITS_CLAIM]: grant.limits };
	return (
		new SignJWT({ [PERMISSIONS_CLAIM]: grant.permissions, ...limits })
			.setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT" })
			.setIssuer(ISSUER)
			.setSubject(grant.subject)
			// RFC 7519 §2 allows fractions: what is made after a revocation in the same second is not meant by it.
			.setIssuedAt(clock.now() / 1000)
			.setExpirationTime(grant.expiresMs / 1000)
			.setJti(grant.tokenId ?? crypto.randomUUID())
			.sign(await importJWK(key, key.alg))
	);
}

export interface TokenVerifier {
	/** @throws DeniedError `access.token_missing`, `access.token_invalid`, `access.token_expired` */
	verify(token: string): Promise<Claims>;
}

/** A key set, or where to ask for one. `refresh`: a token named a key that the set does not have. */
export type KeySource = JSONWebKeySet | ((refresh: boolean) => Promise<JSONWebKeySet>);

export type TokenVerifierOptions = {
	readonly keys: KeySource;
	readonly clock: Clock;
	/** The caller checks {@link Claims.limits}. Without it tokens that have some are refused: nobody would keep them. */
	readonly checksLimits?: boolean;
};

/**
 * Verifies tokens by a key set. A token that was verified once is remembered, so that the requests of one viewer cost
 * one signature; its expiry is checked each time, and that its key is still in the set.
 */
export function createTokenVerifier({ keys, clock, checksLimits = false }: TokenVerifierOptions): TokenVerifier {
	const verified = new Map<string, Verified>();
	const isTrusted = async (kid: string) =>
		typeof keys !== "function" || (await keys(false)).keys.some((key) => key.kid === kid);
	return {
		async verify(token) {
			const known = verified.get(token);
			if (known !== undefined && (await isTrusted(known.kid))) return unexpired(known.claims, clock);
			verified.delete(token);
			const result = await verifyToken(token, keys, clock);
			if (!checksLimits && Object.keys(result.claims.limits ?? {}).length > 0)
				throw invalid("it has limits that can be checked by the functions alone");
			if (verified.size >= MAX_CACHED_TOKENS) verified.delete(verified.keys().next().value as string);
			verified.set(token, result);
			return result.claims;
		},
	};
}

type Verified = { readonly kid: string; readonly claims: Claims };

async function verifyToken(token: string, keys: KeySource, clock: Clock): Promise<Verified> {
	if (token === "")
		throw new DeniedError("access.token_missing", "This needs a token; ask whoever gave you the address");
	if (token.length > MAX_TOKEN_LENGTH || !SHAPE.test(token)) throw invalid("it is not a token of ours");
	let payload: Record<string, unknown>;
	let kid: string | undefined;
	try {
		kid = decodeProtectedHeader(token).kid;
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
	return { kid, claims: unexpired(claimsOf(payload), clock) };
}

async function verifySignature(
	token: string,
	kid: string,
	keys: KeySource,
	clock: Clock,
): Promise<Record<string, unknown>> {
	let set = typeof keys === "function" ? await keys(false) : keys;
	if (typeof keys === "function" && !set.keys.some((key) => key.kid === kid)) set = await keys(true);
	const { payload } = await jwtVerify(token, localSetOf(set), {
		algorithms: ALGORITHMS,
		currentDate: new Date(clock.now()),
		clockTolerance: CLOCK_TOLERANCE_S,
		requiredClaims: ["exp"],
	});
	return payload;
}

const localSets = new WeakMap<JSONWebKeySet, ReturnType<typeof createLocalJWKSet>>();

/** A key set imports each of its keys once; so it is made once of each set, too. */
function localSetOf(set: JSONWebKeySet): ReturnType<typeof createLocalJWKSet> {
	const known = localSets.get(set);
	if (known !== undefined) return known;
	const made = createLocalJWKSet(set);
	localSets.set(set, made);
	return made;
}

/** MediaMTX takes the permissions as a list, and as the JSON text of one. */
const permissionsSchema = z
	.preprocess(
		(value) => (typeof value === "string" ? jsonOrNull(value) : value),
		z.array(permissionSchema).max(MAX_PERMISSIONS),
	)
	.readonly();

function claimsOf(payload: Record<string, unknown>): Claims {
	const permissions = permissionsSchema.safeParse(payload[PERMISSIONS_CLAIM]);
	if (!permissions.success) throw invalid(`its claim ${PERMISSIONS_CLAIM} is not a list of actions and paths`);
	// One that cannot be read must not be left out.
	const limits = tokenLimitsSchema.safeParse(payload[LIMITS_CLAIM] ?? {});
	if (!limits.success) throw invalid(`its claim ${LIMITS_CLAIM} is not known here`);
	const issuedMs = Number(payload["iat"] ?? 0) * 1000;
	return {
		subject: typeof payload["sub"] === "string" ? payload["sub"].slice(0, 256) : "",
		permissions: permissions.data,
		expiresMs: Number(payload["exp"]) * 1000,
		tokenId: typeof payload["jti"] === "string" ? payload["jti"].slice(0, 256) : "",
		issuedMs: Number.isFinite(issuedMs) ? Math.round(issuedMs) : 0,
		limits: limits.data,
	};
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

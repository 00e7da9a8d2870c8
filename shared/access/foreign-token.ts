/** Tokens of an identity server that is not ours: JSON Web Tokens (RFC 7519) with a claim that lists permissions. */

import {
	createLocalJWKSet,
	decodeProtectedHeader,
	errors,
	type JSONWebKeySet,
	type JWTPayload,
	type JWTVerifyOptions,
	jwtVerify,
} from "jose";
import * as z from "zod";
import { type Permission, permissionSchema } from "#shared/access/permission.ts";
import { CLOCK_TOLERANCE_S, type KeySource } from "#shared/access/token.ts";
import type { Clock } from "#shared/clock.ts";
import { jsonOrNull } from "#shared/json.ts";
import { DeniedError } from "#shared/problem.ts";

/** Theirs carry groups and roles as well, and are longer than ours. */
export const MAX_FOREIGN_TOKEN_LENGTH = 8192;

const MAX_PERMISSIONS = 1024;
const MAX_SUBJECT_CHARS = 256;
/** Signatures of key pairs alone: a key set is public, so a secret in it is none. */
const ALGORITHMS = [
	"RS256",
	"RS384",
	"RS512",
	"PS256",
	"PS384",
	"PS512",
	"ES256",
	"ES384",
	"ES512",
	"EdDSA",
	"Ed25519",
];

export type ForeignTokenOptions = {
	readonly keys: KeySource;
	/** The claim whose value is a list of `{action, path}`, or the JSON text of one. */
	readonly claimKey: string;
	/** What the claim `iss` must be; empty: anything. */
	readonly issuer: string;
	/** What the claim `aud` must be or contain; empty: anything. */
	readonly audience: string;
	readonly clock: Clock;
};

export type ForeignClaims = {
	/** Who it is for; shown in logs. */
	readonly subject: string;
	readonly permissions: readonly Permission[];
	/** Milliseconds since the Unix epoch; `null` when the token says nothing, as MediaMTX allows. */
	readonly expiresMs: number | null;
};

/** Checks one token. Rejects with DeniedError `access.token_invalid` or `access.token_expired`, or as the keys do. */
export type ForeignTokenCheck = (token: string) => Promise<ForeignClaims>;

/** Checks tokens of a foreign key set. */
export function createForeignTokenCheck(options: ForeignTokenOptions): ForeignTokenCheck {
	const { claimKey, issuer, audience, clock } = options;
	const permissionsOf = permissionsIn(claimKey);
	return async (token) => {
		if (token.length > MAX_FOREIGN_TOKEN_LENGTH) throw invalid("it is too long");
		let payload: JWTPayload;
		try {
			payload = await verified(token, options.keys, {
				algorithms: ALGORITHMS,
				currentDate: new Date(clock.now()),
				clockTolerance: CLOCK_TOLERANCE_S,
				...(issuer === "" ? {} : { issuer }),
				...(audience === "" ? {} : { audience }),
			});
		} catch (error) {
			throw refusalOf(error);
		}
		const expiresMs = payload.exp === undefined ? null : payload.exp * 1000;
		// Others' clocks are forgiven for the start, not for the end: nobody watches after it.
		if (expiresMs !== null && expiresMs <= clock.now()) throw expired();
		return {
			subject: typeof payload.sub === "string" ? payload.sub.slice(0, MAX_SUBJECT_CHARS) : "",
			permissions: permissionsOf(payload),
			expiresMs,
		};
	};
}

/** A key that the set does not have may be a new one: the set is asked for again, as often as its source lets us. */
async function verified(token: string, keys: KeySource, options: JWTVerifyOptions): Promise<JWTPayload> {
	const isNamed = typeof decodeProtectedHeader(token).kid === "string";
	const set = typeof keys === "function" ? await keys(false) : keys;
	try {
		return await verifiedBy(set, token, options);
	} catch (error) {
		const isUnknown =
			error instanceof errors.JWKSNoMatchingKey || (!isNamed && error instanceof errors.JWSSignatureVerificationFailed);
		if (!isUnknown || typeof keys !== "function") throw error;
		const again = await keys(true);
		if (again === set) throw error;
		return await verifiedBy(again, token, options);
	}
}

async function verifiedBy(set: JSONWebKeySet, token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
	return (await jwtVerify(token, createLocalJWKSet(set), options)).payload;
}

function permissionsIn(claimKey: string): (payload: JWTPayload) => readonly Permission[] {
	const schema = z.preprocess(
		(value) => (typeof value === "string" ? jsonOrNull(value) : value),
		z.array(permissionSchema).max(MAX_PERMISSIONS),
	);
	return (payload) => {
		const permissions = schema.safeParse(payload[claimKey]);
		if (permissions.success) return permissions.data;
		throw invalid(`its claim ${claimKey} is not a list of actions and paths`);
	};
}

function refusalOf(error: unknown): unknown {
	if (error instanceof errors.JWTExpired) return expired();
	if (error instanceof errors.JWTClaimValidationFailed) return invalid(`its claim ${error.claim} is not as it must be`);
	if (error instanceof errors.JOSEError)
		return invalid("it was changed, or signed with a key that is not trusted here");
	// decodeProtectedHeader says no with a TypeError.
	if (error instanceof TypeError) return invalid("it is not a JSON Web Token");
	return error;
}

function invalid(why: string): DeniedError {
	return new DeniedError("access.token_invalid", `The token is not valid: ${why}. Ask for a new one`);
}

function expired(): DeniedError {
	return new DeniedError("access.token_expired", "The token has expired. Ask for a new one");
}

import { decodeJwt, decodeProtectedHeader, errors } from "jose";
import { edgePayload, isEdgeToken } from "#shared/access/edge-token.ts";
import { allows } from "#shared/access/permission.ts";
import type { Claims } from "#shared/access/token.ts";
import { DeniedError } from "#shared/problem.ts";
import type { TokenAccess } from "./token-access.ts";

/** Why a token is worth nothing; `null` for one that is good. */
export const TOKEN_FAULTS = [
	"malformed",
	"unknown_key",
	"signature",
	"claims",
	"expired",
	"revoked",
	"forbidden",
] as const;
export type TokenFault = (typeof TOKEN_FAULTS)[number];

export type TokenInspection = {
	readonly fault: TokenFault | null;
	/** A sentence for a person; empty for a good one. */
	readonly detail: string;
	/** What its signature vouches for. */
	readonly claims: Claims | null;
	/** What it says of itself, whoever wrote that. */
	readonly said: { readonly subject: string; readonly tokenId: string; readonly expiresMs: number | null };
};

/** Says what a token is worth now, and for watching `path` if one is given. @throws StoreError */
export async function inspectToken(tokens: TokenAccess, token: string, path: string | null): Promise<TokenInspection> {
	const said = saidBy(token);
	let claims: Claims | null = null;
	try {
		claims = await tokens.claims(token);
		await tokens.assertNotRevoked(claims, path);
		if (path !== null && !allows(claims.permissions, "read", path))
			throw new DeniedError("access.forbidden", `The token does not allow to read ${path}`);
		return { fault: null, detail: "", claims, said };
	} catch (error) {
		if (!(error instanceof DeniedError)) throw error;
		return { fault: await faultOf(tokens, token, error), detail: error.message, claims, said };
	}
}

async function faultOf(tokens: TokenAccess, token: string, error: DeniedError): Promise<TokenFault> {
	if (error.code === "access.token_expired") return "expired";
	if (error.code === "access.token_revoked") return "revoked";
	if (error.code === "access.forbidden") return "forbidden";
	if (isEdgeToken(token)) {
		const kid = edgePayload(token)?.k;
		if (kid === undefined) return "malformed";
		return (await tokens.edgeKeys()).some((key) => key.kid === kid) ? "signature" : "unknown_key";
	}
	const kid = kidOf(token);
	if (kid === null) return "malformed";
	const { keys } = await tokens.ring.publicSet(false);
	if (!keys.some((key) => key.kid === kid)) return "unknown_key";
	return error.cause instanceof errors.JWSSignatureVerificationFailed ? "signature" : "claims";
}

function kidOf(token: string): string | null {
	try {
		return decodeProtectedHeader(token).kid ?? null;
	} catch {
		// jose has no other way to say that this is no header.
		return null;
	}
}

function saidBy(token: string): TokenInspection["said"] {
	if (isEdgeToken(token)) {
		const payload = edgePayload(token);
		return {
			subject: payload?.s ?? "",
			tokenId: payload?.i ?? "",
			expiresMs: payload === null ? null : payload.x * 1000,
		};
	}
	try {
		const { sub, jti, exp } = decodeJwt(token);
		const expiresMs = typeof exp === "number" && Math.abs(exp) < 8.64e12 ? exp * 1000 : null;
		return { subject: textOf(sub), tokenId: textOf(jti), expiresMs };
	} catch {
		// jose has no other way to say that this is no token.
		return { subject: "", tokenId: "", expiresMs: null };
	}
}

function textOf(value: unknown): string {
	return typeof value === "string" ? value.slice(0, 256) : "";
}

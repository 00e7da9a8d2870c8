/** The keys that sign tokens: P-256 private keys as JSON Web Keys (RFC 7517). */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JSONWebKeySet } from "jose";
import * as z from "zod";

export const signingKeySchema = z.object({
	kty: z.literal("EC"),
	crv: z.literal("P-256"),
	alg: z.literal("ES256").default("ES256"),
	/** The RFC 7638 thumbprint, unless somebody chose another name. */
	kid: z.string().min(1).max(128),
	x: z.base64url(),
	y: z.base64url(),
	d: z.base64url(),
});
export type SigningKey = z.infer<typeof signingKeySchema>;

/** The first signs, all verify: put a new key first, and take the old one out when its last token has expired. */
export const signingKeysSchema = z.array(signingKeySchema).min(1).max(16);

/** Makes a new signing key. */
export async function generateSigningKey(): Promise<SigningKey> {
	const { privateKey } = await generateKeyPair("ES256", { extractable: true });
	const jwk = await exportJWK(privateKey);
	return signingKeySchema.parse({ ...jwk, alg: "ES256", kid: await calculateJwkThumbprint(jwk) });
}

/** The public halves: what `/.well-known/jwks.json` shows. */
export function publicJwks(keys: readonly SigningKey[]): JSONWebKeySet {
	return { keys: keys.map(({ kty, crv, alg, kid, x, y }) => ({ kty, crv, alg, kid, x, y, use: "sig" })) };
}

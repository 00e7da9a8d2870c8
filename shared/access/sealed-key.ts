/**
 * Private keys in the bucket: AES-256-GCM under a key that HKDF-SHA256 (RFC 5869) derives from a signing key of the
 * environment, so that who can read the bucket alone cannot sign. The key id is authenticated with the ciphertext: a
 * sealed key cannot be put in another one's place.
 */

import { base64url } from "jose";
import * as z from "zod";
import { type SigningKey, signingKeySchema } from "#shared/access/signing-key.ts";
import { StoreError } from "#shared/problem.ts";

/** NIST SP 800-38D §8.2.2: a random nonce of 96 bits. */
const NONCE_BYTES = 12;
/** A sealed P-256 key has some 400 characters. */
const MAX_SEALED_CHARS = 4096;
const PURPOSE = "sluice signing key in the bucket, v1";

export const sealedKeySchema = z.object({
	/** The environment's key whose secret the sealing key is derived from. */
	sealedBy: z.string().min(1).max(128),
	/** Nonce and ciphertext. */
	sealed: z.base64url().max(MAX_SEALED_CHARS),
});
export type SealedKey = z.infer<typeof sealedKeySchema>;

/** Seals `key` with the first of `roots`. */
export async function sealKey(key: SigningKey, roots: readonly SigningKey[]): Promise<SealedKey> {
	const [root] = roots;
	if (root === undefined) throw new TypeError("Cannot seal key: the environment has no signing key");
	const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
	const plain = new TextEncoder().encode(JSON.stringify(key));
	const sealed = await crypto.subtle.encrypt(gcm(nonce, key.kid), await sealingKey(root), plain);
	const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength);
	bytes.set(nonce);
	bytes.set(new Uint8Array(sealed), NONCE_BYTES);
	return { sealedBy: root.kid, sealed: base64url.encode(bytes) };
}

/** Opens the sealed key that is called `kid`. @throws StoreError `store.refused` when no root fits, or it was changed */
export async function openKey(
	kid: string,
	{ sealedBy, sealed }: SealedKey,
	roots: readonly SigningKey[],
): Promise<SigningKey> {
	const root = roots.find((candidate) => candidate.kid === sealedBy);
	if (root === undefined) {
		throw new StoreError(
			"store.refused",
			`The signing key ${kid} in the bucket was sealed with the key ${sealedBy}, which SLUICE_SIGNING_KEYS lacks. Put that back at the end of the list, or remove ${kid}`,
		);
	}
	const bytes = base64url.decode(sealed);
	try {
		const plain = await crypto.subtle.decrypt(
			gcm(bytes.slice(0, NONCE_BYTES), kid),
			await sealingKey(root),
			bytes.slice(NONCE_BYTES),
		);
		return signingKeySchema.parse(JSON.parse(new TextDecoder().decode(plain)));
	} catch (cause) {
		throw new StoreError("store.refused", `The signing key ${kid} in the bucket was changed: remove it, and rotate`, {
			cause,
		});
	}
}

function gcm(iv: Uint8Array<ArrayBuffer>, kid: string) {
	return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(kid) };
}

async function sealingKey(root: SigningKey): Promise<CryptoKey> {
	const secret = await crypto.subtle.importKey("raw", Uint8Array.from(base64url.decode(root.d)), "HKDF", false, [
		"deriveKey",
	]);
	const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(PURPOSE) };
	return crypto.subtle.deriveKey(hkdf, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

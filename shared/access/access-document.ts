/**
 * `config/access.json`: the signing keys that were made beside the environment's, and what was revoked. One object, so
 * that an instance learns of both by one conditional read.
 */

import type { JSONWebKeySet } from "jose";
import * as z from "zod";
import { sealedKeySchema } from "#shared/access/sealed-key.ts";
import { publicJwks, type SigningKey, signingKeySchema } from "#shared/access/signing-key.ts";
import { DeniedError, StoreError } from "#shared/problem.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";

/** In the bucket, beside those of the environment. */
export const MAX_STORED_KEYS = 16;
/** Some 1.5 MiB of JSON at worst; it is read again only when it has changed. */
export const MAX_REVOCATIONS = 10_000;
export const MAX_REVOKED_CHARS = 256;

const storedKeySchema = z.object({
	public: signingKeySchema.omit({ d: true }),
	private: sealedKeySchema,
	createdMs: z.number(),
});
export type StoredKey = z.infer<typeof storedKeySchema>;

export const REVOCATION_KINDS = ["token", "subject", "path"] as const;

export const revocationSchema = z.object({
	kind: z.enum(REVOCATION_KINDS),
	/** A token's id, whom tokens are for, or the path that they were used for. */
	value: z.string().min(1).max(MAX_REVOKED_CHARS),
	/** Milliseconds since the epoch. Tokens that were made later are not meant. */
	atMs: z.number(),
	/** When the last token that is meant has expired, and the entry can go. */
	expiresMs: z.number(),
});
export type Revocation = z.infer<typeof revocationSchema>;

export const accessDocumentSchema = z.object({
	/** The first signs. */
	keys: z.array(storedKeySchema).max(MAX_STORED_KEYS).default([]),
	/** Keys of the environment that are not trusted any more, by their ids. */
	distrusted: z.array(z.string().max(128)).max(MAX_STORED_KEYS).default([]),
	revocations: z.array(revocationSchema).max(MAX_REVOCATIONS).default([]),
});
export type AccessDocument = z.infer<typeof accessDocumentSchema>;

export const EMPTY_ACCESS: AccessDocument = { keys: [], distrusted: [], revocations: [] };

/** @throws StoreError `store.refused` when it is damaged */
export function parseAccessDocument(text: string): AccessDocument {
	try {
		return accessDocumentSchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new StoreError(
			"store.refused",
			`The document ${ACCESS_KEY} is damaged, so it is not known what was revoked. Write an older version back, or delete it and change SLUICE_SIGNING_KEYS`,
			{ cause },
		);
	}
}

/** What a token says of itself that a revocation can mean. */
export type Revocable = { readonly tokenId: string; readonly subject: string; readonly issuedMs: number };

/** Answers, for one document, whether a token was revoked. */
export type Revocations = {
	/** The entry that stops this token, wherever it is used; with a `path`, also for that path. */
	find(token: Revocable, path: string | null): Revocation | null;
};

export function revocationsOf({ revocations }: Pick<AccessDocument, "revocations">): Revocations {
	const entries = new Map(revocations.map((entry) => [`${entry.kind} ${entry.value}`, entry]));
	const find = (kind: Revocation["kind"], value: string, issuedMs: number): Revocation | null => {
		const entry = value === "" ? undefined : entries.get(`${kind} ${value}`);
		return entry !== undefined && issuedMs <= entry.atMs ? entry : null;
	};
	return {
		find({ tokenId, subject, issuedMs }, path) {
			// An id is used once: whatever its clock said, that token is meant.
			return (
				find("token", tokenId, Number.NEGATIVE_INFINITY) ??
				find("subject", subject, issuedMs) ??
				(path === null ? null : find("path", path, issuedMs))
			);
		},
	};
}

/** The document with one entry more, without those whose tokens have expired. */
export function withRevocation(document: AccessDocument, entry: Revocation, nowMs: number): AccessDocument {
	const same = document.revocations.find(({ kind, value }) => kind === entry.kind && value === entry.value);
	const merged = same === undefined ? entry : { ...entry, expiresMs: Math.max(same.expiresMs, entry.expiresMs) };
	const others = document.revocations.filter((other) => other !== same && other.expiresMs > nowMs);
	return { ...document, revocations: [...others, merged] };
}

/** The keys of the environment that are still trusted, in their order. */
export function trustedRoots(roots: readonly SigningKey[], { distrusted }: AccessDocument): readonly SigningKey[] {
	return roots.filter(({ kid }) => !distrusted.includes(kid));
}

/** The public keys that are trusted: those of the bucket, then those of the environment. */
export function publicKeysOf(roots: readonly SigningKey[], document: AccessDocument): JSONWebKeySet {
	const stored = document.keys.map(({ public: { kty, crv, alg, kid, x, y } }) => ({
		kty,
		crv,
		alg,
		kid,
		x,
		y,
		use: "sig",
	}));
	return { keys: [...stored, ...publicJwks(trustedRoots(roots, document)).keys] };
}

/** Says to its bearer that a token was revoked. */
export function revokedError({ kind, atMs }: Revocation): DeniedError {
	const what = {
		token: "The token was",
		subject: "All tokens of its bearer were",
		path: "All tokens of this path were",
	};
	return new DeniedError(
		"access.token_revoked",
		`${what[kind]} revoked at ${new Date(atMs).toISOString()}. Ask for a new one`,
		{ data: { revokedBy: kind } },
	);
}

import type { JSONWebKeySet } from "jose";
import {
	type AccessDocument,
	MAX_STORED_KEYS,
	publicKeysOf,
	type StoredKey,
	trustedRoots,
} from "#shared/access/access-document.ts";
import type { AccessState } from "#shared/access/access-state.ts";
import { openKey, sealKey } from "#shared/access/sealed-key.ts";
import { generateSigningKey, type SigningKey } from "#shared/access/signing-key.ts";
import type { Clock } from "#shared/clock.ts";
import { GoneError, InputError } from "#shared/problem.ts";

/** Tokens whose key is not known have the bucket asked at once, but not more often than this in this time. */
const MAX_REFRESHES = 10;
const REFRESH_WINDOW_MS = 10_000;

/** One key, without what is secret. */
export type KeyInfo = {
	readonly kid: string;
	/** `environment`: of SLUICE_SIGNING_KEYS. `bucket`: made by a rotation. */
	readonly origin: "environment" | "bucket";
	readonly signs: boolean;
	readonly createdMs: number | null;
};

/** The signing keys: those of the bucket, newest first, then those of the environment, which are their root. */
export class KeyRing {
	readonly #roots: readonly SigningKey[];
	readonly #state: AccessState;
	readonly #clock: Clock;
	#refreshes = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };
	#opened: { readonly of: StoredKey; readonly key: SigningKey } | null = null;
	#shown: { readonly of: AccessDocument; readonly set: JSONWebKeySet } | null = null;

	constructor({ roots, state, clock }: { roots: readonly SigningKey[]; state: AccessState; clock: Clock }) {
		this.#roots = roots;
		this.#state = state;
		this.#clock = clock;
	}

	/** The key that signs, alone in a list. @throws StoreError */
	async signing(): Promise<readonly SigningKey[]> {
		const { document } = await this.#state.get();
		const [stored] = document.keys;
		if (stored === undefined) return trustedRoots(this.#roots, document).slice(0, 1);
		if (this.#opened?.of.public.kid !== stored.public.kid) {
			this.#opened = { of: stored, key: await openKey(stored.public.kid, stored.private, this.#roots) };
		}
		return [this.#opened.key];
	}

	/** The public keys that are trusted now. `refresh`: a token names one that is not known yet. @throws StoreError */
	async publicSet(refresh: boolean): Promise<JSONWebKeySet> {
		const { document } = refresh && this.#mayRefresh() ? await this.#state.refresh() : await this.#state.get();
		if (this.#shown?.of !== document) this.#shown = { of: document, set: publicKeysOf(this.#roots, document) };
		return this.#shown.set;
	}

	#mayRefresh(): boolean {
		const nowMs = this.#clock.monotonic();
		if (nowMs - this.#refreshes.sinceMs >= REFRESH_WINDOW_MS) this.#refreshes = { sinceMs: nowMs, count: 0 };
		return ++this.#refreshes.count <= MAX_REFRESHES;
	}

	/** The keys in their order, without what is secret. */
	list(document: AccessDocument): readonly KeyInfo[] {
		const stored = document.keys.map(({ public: { kid }, createdMs }) => ({
			kid,
			origin: "bucket" as const,
			createdMs,
		}));
		const roots = trustedRoots(this.#roots, document).map(({ kid }) => ({
			kid,
			origin: "environment" as const,
			createdMs: null,
		}));
		return [...stored, ...roots].map((key, i) => ({ ...key, signs: i === 0 }));
	}

	/** The document with a new key that signs. @throws InputError when there are too many keys */
	async rotated(document: AccessDocument): Promise<AccessDocument> {
		if (document.keys.length >= MAX_STORED_KEYS) {
			throw new InputError("input.invalid", `There are ${MAX_STORED_KEYS} keys in the bucket; remove the oldest first`);
		}
		const key = await generateSigningKey();
		const { d: _, ...shown } = key;
		const entry = { public: shown, private: await sealKey(key, this.#roots), createdMs: this.#clock.now() };
		return { ...document, keys: [entry, ...document.keys] };
	}

	/** The document without a key. @throws GoneError when there is none, InputError when it is the one that signs */
	without(document: AccessDocument, kid: string): AccessDocument {
		const [signing, ...others] = this.list(document);
		if (signing?.kid === kid) {
			throw new InputError(
				"input.invalid",
				"This key signs: rotate first, and remove it when its last token has expired",
			);
		}
		const key = others.find((other) => other.kid === kid);
		if (key === undefined) throw new GoneError("http.not_found", "There is no such signing key");
		if (key.origin === "bucket")
			return { ...document, keys: document.keys.filter((other) => other.public.kid !== kid) };
		const current = document.distrusted.filter((other) => this.#roots.some((root) => root.kid === other));
		return { ...document, distrusted: [...current, kid] };
	}
}

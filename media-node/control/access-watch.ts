import {
	type AccessDocument,
	EMPTY_ACCESS,
	parseAccessDocument,
	publicKeysOf,
	type Revocations,
	revocationsOf,
	revokedError,
} from "#shared/access/access-document.ts";
import type { SigningKey } from "#shared/access/signing-key.ts";
import type { Claims } from "#shared/access/token.ts";
import type { Clock } from "#shared/clock.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Logger } from "../log.ts";
import { BucketPoll } from "./bucket-poll.ts";

/** What was revoked is refused within this time and the time of a read. */
export const ACCESS_POLL_MS = 5_000;
const READ_TIMEOUT_MS = 4_000;

type KeySet = ReturnType<typeof publicKeysOf>;

export type AccessWatchOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	/** Called when the document has changed since it was opened. Must not throw. */
	readonly onChange: () => void;
};

/**
 * Follows `config/access.json`: the signing keys that the functions have made, and what was revoked. Unlike the functions, a
 * node goes on with what it knows when the bucket is away: streams do not stop for that.
 */
export class AccessWatch implements AsyncDisposable {
	readonly #options: AccessWatchOptions;
	#document: AccessDocument = EMPTY_ACCESS;
	#revocations: Revocations = revocationsOf(EMPTY_ACCESS);
	/** Key ids, which are never used again. At most a rotation's worth for each removal by a person. */
	readonly #removed = new Set<string>();
	#etag = "";
	#poll: BucketPoll | null = null;
	#shown: { readonly roots: readonly SigningKey[]; readonly of: AccessDocument; readonly set: KeySet } | null = null;

	private constructor(options: AccessWatchOptions) {
		this.#options = options;
	}

	/** Reads the document once, if the bucket answers, and follows it from then on. */
	static async open(options: AccessWatchOptions, signal: AbortSignal): Promise<AccessWatch> {
		const watch = new AccessWatch(options);
		const { clock, log } = options;
		const what = { name: "The signing keys and revocations in the bucket", isMany: true };
		const times = { intervalMs: ACCESS_POLL_MS, timeoutMs: READ_TIMEOUT_MS };
		const read = (reading: AbortSignal) => watch.#read(reading);
		watch.#poll = await BucketPoll.open({ clock, log, what, ...times, read }, signal);
		return watch;
	}

	/** The public keys that are trusted now; `roots`: those of this node's secrets. */
	publicKeys(roots: readonly SigningKey[]): KeySet {
		if (this.#shown?.of !== this.#document || this.#shown.roots !== roots)
			this.#shown = { roots, of: this.#document, set: publicKeysOf(roots, this.#document) };
		return this.#shown.set;
	}

	/** The keys of a set from elsewhere without those that the bucket says, or was seen to say, are trusted no more. */
	trusted({ keys }: KeySet): KeySet {
		return { keys: keys.filter(({ kid = "" }) => !this.#removed.has(kid) && !this.#document.distrusted.includes(kid)) };
	}

	/** @throws DeniedError `access.token_revoked`, for a token or all of its subject */
	assertNotRevoked({ tokenId, subject, issuedMs = 0 }: Claims): void {
		const entry = this.#revocations.find({ tokenId, subject, issuedMs }, null);
		if (entry !== null) throw revokedError(entry);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#poll?.[Symbol.asyncDispose]();
	}

	async #read(signal: AbortSignal): Promise<void> {
		const { store, onChange } = this.#options;
		const object =
			this.#etag === ""
				? await store.get(ACCESS_KEY, { signal })
				: await store.getIfChanged(ACCESS_KEY, this.#etag, { signal });
		if (object === "unchanged") return;
		const document = object === null ? EMPTY_ACCESS : parseAccessDocument(await object.text());
		const current = new Set(document.keys.map((key) => key.public.kid));
		for (const { public: before } of this.#document.keys) if (!current.has(before.kid)) this.#removed.add(before.kid);
		const isNew = document !== this.#document;
		this.#etag = object?.etag ?? "";
		this.#document = document;
		this.#revocations = revocationsOf(document);
		if (isNew && this.#poll !== null) onChange();
	}
}

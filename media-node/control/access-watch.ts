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
import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { SluiceError } from "#shared/problem.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Logger } from "../log.ts";

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
	readonly #stop = new AbortController();
	#document: AccessDocument = EMPTY_ACCESS;
	#revocations: Revocations = revocationsOf(EMPTY_ACCESS);
	/** Key ids, which are never used again. At most a rotation's worth for each removal by a person. */
	readonly #removed = new Set<string>();
	#etag = "";
	#isAway = false;
	#run: Promise<void> = Promise.resolve();
	#shown: { readonly roots: readonly SigningKey[]; readonly of: AccessDocument; readonly set: KeySet } | null = null;

	private constructor(options: AccessWatchOptions) {
		this.#options = options;
	}

	/** Reads the document once, if the bucket answers, and follows it from then on. */
	static async open(options: AccessWatchOptions, signal: AbortSignal): Promise<AccessWatch> {
		const watch = new AccessWatch(options);
		await watch.#poll(AbortSignal.any([signal, watch.#stop.signal]));
		throwIfAborted(signal);
		watch.#run = watch.#follow();
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
		this.#stop.abort();
		await this.#run;
	}

	async #follow(): Promise<void> {
		const { signal } = this.#stop;
		while (!signal.aborted) {
			// Ends the wait, not the loop's owner: the signal is the only reason for it to fail.
			await this.#options.clock.sleep(ACCESS_POLL_MS, signal).catch(() => undefined);
			const before = this.#document;
			if (!signal.aborted) await this.#poll(signal);
			if (this.#document !== before && !signal.aborted) this.#options.onChange();
		}
	}

	/** Reads what is new. Never fails: what runs goes on with what it has. */
	async #poll(stop: AbortSignal): Promise<void> {
		const { clock, log } = this.#options;
		const timeout = new AbortController();
		using _timer = clock.after(READ_TIMEOUT_MS, () => timeout.abort());
		try {
			await this.#read(AbortSignal.any([stop, timeout.signal]));
			if (this.#isAway) log.info("The signing keys and revocations in the bucket can be read again");
			this.#isAway = false;
		} catch (error) {
			if (stop.aborted) return;
			if (!(error instanceof SluiceError)) throw error;
			if (!this.#isAway)
				log.warn(
					{ code: error.code, err: error },
					"The signing keys and revocations in the bucket cannot be read: the last ones stay",
				);
			this.#isAway = true;
		}
	}

	async #read(signal: AbortSignal): Promise<void> {
		const { store } = this.#options;
		const object =
			this.#etag === ""
				? await store.get(ACCESS_KEY, { signal })
				: await store.getIfChanged(ACCESS_KEY, this.#etag, { signal });
		if (object === "unchanged") return;
		const document = object === null ? EMPTY_ACCESS : parseAccessDocument(await object.text());
		const current = new Set(document.keys.map((key) => key.public.kid));
		for (const { public: before } of this.#document.keys) if (!current.has(before.kid)) this.#removed.add(before.kid);
		this.#etag = object?.etag ?? "";
		this.#document = document;
		this.#revocations = revocationsOf(document);
	}
}

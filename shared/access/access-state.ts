import {
	type AccessDocument,
	EMPTY_ACCESS,
	parseAccessDocument,
	type Revocations,
	revocationsOf,
} from "#shared/access/access-document.ts";
import type { Clock } from "#shared/clock.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

/** How old what is known may be before the bucket is asked again. */
export const ACCESS_FRESH_MS = 5_000;
/** While one request asks, others go on with what is known until it is this old. Then nobody is let in without it. */
export const ACCESS_STALE_MS = 9_000;
/** A read that has not come back by then may have ended with its request: another one asks. */
const READING_MS = 2_000;
/** Below it a read has counted from before the document, so all of it is within ten seconds. */
export const ACCESS_BOUND_MS = 10_000;

export type AccessSnapshot = { readonly document: AccessDocument; readonly revocations: Revocations };

type Known = AccessSnapshot & { readonly etag: string | null; readonly atMs: number };

/**
 * What one instance knows of `config/access.json`. It asks the bucket at most every {@link ACCESS_FRESH_MS}, on demand,
 * and by etag; an instance that nobody uses asks nothing. What was written is obeyed within {@link ACCESS_BOUND_MS}.
 */
export class AccessState {
	readonly #store: ObjectStore;
	readonly #clock: Clock;
	readonly #sharesReads: boolean;
	#known: Known | null = null;
	#readingSinceMs = Number.NEGATIVE_INFINITY;
	#reading: Promise<AccessSnapshot> | null = null;

	/** `sharesReads`: whether one request may wait for what another one reads. Not on Workers, where reads end with theirs. */
	constructor({ store, clock, sharesReads }: { store: ObjectStore; clock: Clock; sharesReads: boolean }) {
		this.#store = store;
		this.#clock = clock;
		this.#sharesReads = sharesReads;
	}

	/** @throws StoreError when what is known is too old and the bucket does not answer */
	async get(): Promise<AccessSnapshot> {
		const nowMs = this.#clock.monotonic();
		const known = this.#known;
		if (known !== null) {
			const ageMs = nowMs - known.atMs;
			if (ageMs < ACCESS_FRESH_MS) return known;
			if (ageMs < ACCESS_STALE_MS && nowMs - this.#readingSinceMs < READING_MS) return known;
		}
		try {
			return await this.#shared();
		} catch (error) {
			// A bucket that hiccups stops nobody yet.
			const latest = this.#known;
			if (latest !== null && this.#clock.monotonic() - latest.atMs < ACCESS_STALE_MS) return latest;
			throw error;
		}
	}

	/** Asks the bucket now, such as after a write of one's own. @throws StoreError */
	async refresh(): Promise<AccessSnapshot> {
		// The age counts from before the read: what is written meanwhile is not missed for longer.
		const atMs = this.#clock.monotonic();
		this.#readingSinceMs = atMs;
		const before = this.#known;
		const next = await this.#read(before);
		if (this.#known === null || this.#known.atMs <= atMs) this.#known = { ...next, atMs };
		return this.#known;
	}

	#shared(): Promise<AccessSnapshot> {
		if (!this.#sharesReads) return this.refresh();
		this.#reading ??= this.refresh().finally(() => {
			this.#reading = null;
		});
		return this.#reading;
	}

	async #read(before: Known | null): Promise<Omit<Known, "atMs">> {
		const object =
			before?.etag == null
				? await this.#store.get(ACCESS_KEY)
				: await this.#store.getIfChanged(ACCESS_KEY, before.etag);
		if (object === "unchanged" && before !== null) return before;
		if (object === null || object === "unchanged") {
			return { document: EMPTY_ACCESS, revocations: revocationsOf(EMPTY_ACCESS), etag: null };
		}
		const document = parseAccessDocument(await object.text());
		return { document, revocations: revocationsOf(document), etag: object.etag };
	}
}

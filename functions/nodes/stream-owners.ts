import type { PathName } from "#shared/path-name.ts";
import { isLapsing, LEASE_MS, readLease } from "#shared/timeline/lease.ts";
import type { Deps } from "../deps.ts";

/** How long it is believed who has a stream, or that nobody has: a thousand viewers cost no more reads than one. */
const OWNER_AGE_MS = 1_000;
const MAX_PATHS = 10_000;

type Entry = { readonly owner: string | null; readonly expiresMs: number; readonly readMs: number };

export type StreamOwner = {
	readonly id: string;
	/** It has not renewed its lease in time: it may be dead. */
	readonly isLapsing: boolean;
};

/** Which node has the stream of a path, by the lease of its timeline. */
export class StreamOwners {
	readonly #deps: Pick<Deps, "store" | "clock">;
	readonly #entries = new Map<PathName, Entry>();

	constructor(deps: Pick<Deps, "store" | "clock">) {
		this.#deps = deps;
	}

	/** `null` when no node has the path. @throws StoreError */
	async get(path: PathName): Promise<StreamOwner | null> {
		const { clock } = this.#deps;
		const known = this.#entries.get(path);
		const isFresh = known !== undefined && clock.monotonic() - known.readMs < OWNER_AGE_MS;
		const entry = isFresh ? known : await this.#read(path);
		const { owner } = entry;
		if (owner === null || entry.expiresMs <= clock.now()) return null;
		return { id: owner, isLapsing: isLapsing(entry, LEASE_MS, clock.now()) };
	}

	async #read(path: PathName): Promise<Entry> {
		const readMs = this.#deps.clock.monotonic();
		const held = await readLease(this.#deps.store, path);
		const entry = { owner: held?.lease.owner ?? null, expiresMs: held?.lease.expiresMs ?? 0, readMs };
		if (!this.#entries.has(path) && this.#entries.size >= MAX_PATHS) {
			this.#entries.delete(this.#entries.keys().next().value as PathName);
		}
		this.#entries.set(path, entry);
		return entry;
	}
}

import { hashApiKey } from "#shared/access/api-key.ts";
import { SluiceError } from "#shared/problem.ts";
import type { Deps } from "../deps.ts";
import { type ApiKey, type KeyDocument, NO_KEYS, readKeys } from "./key-document.ts";
import { markUsed } from "./key-use.ts";

/** How old what is known may be before the bucket is asked again. */
const FRESH_MS = 5_000;
/** How long it may be believed while the bucket does not answer. A key that was disabled stops by then. */
export const KEYS_BOUND_MS = 10_000;
/** A key that nobody knows may be one that another instance has just made: the bucket is asked, this often at most. */
const UNKNOWN_MS = 1_000;
/** How exactly it is kept when a key was last used. */
export const USE_STEP_MS = 3_600_000;

type KnownDeps = Pick<Deps, "store" | "clock" | "log">;

/**
 * The API keys as one instance knows them. It asks the bucket on demand, at most every {@link FRESH_MS} and by etag; what
 * was written is obeyed within {@link KEYS_BOUND_MS}, and at once by the instance that wrote it.
 */
export class KnownKeys {
	readonly #deps: KnownDeps;
	#document: KeyDocument = NO_KEYS;
	#byHash: ReadonlyMap<string, ApiKey> = new Map();
	#readMs = Number.NEGATIVE_INFINITY;
	/** By id: when this instance last made sure that a use was noted. */
	readonly #noted = new Map<string, number>();

	constructor(deps: KnownDeps) {
		this.#deps = deps;
	}

	/** The key that `text` is; `null` when there is none. Says nothing of whether it is disabled or expired. @throws StoreError */
	async find(text: string): Promise<ApiKey | null> {
		// SHA-256 of 256 random bits: the time that the map takes tells nothing of any key.
		const hash = await hashApiKey(text);
		await this.#refresh(FRESH_MS);
		const key = this.#byHash.get(hash);
		if (key !== undefined) return key;
		await this.#refresh(UNKNOWN_MS);
		return this.#byHash.get(hash) ?? null;
	}

	/** Takes over what this instance has written. */
	wrote(document: KeyDocument): void {
		this.#take(document, this.#deps.clock.monotonic());
	}

	/** Notes that a key was used, if that was not noted within {@link USE_STEP_MS}. Never fails. */
	async used({ id }: ApiKey): Promise<void> {
		const { clock, log } = this.#deps;
		if (clock.monotonic() - (this.#noted.get(id) ?? Number.NEGATIVE_INFINITY) < USE_STEP_MS) return;
		this.#noted.set(id, clock.monotonic());
		try {
			const known = this.#document.keys.map((key) => key.id);
			await markUsed(this.#deps, id, known, USE_STEP_MS);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			log.error({ code: error.code, key: id }, "It could not be noted that an API key was used");
		}
	}

	async #refresh(maxAgeMs: number): Promise<void> {
		// The age counts from before the read: what is written meanwhile is not missed for longer.
		const beganMs = this.#deps.clock.monotonic();
		if (beganMs - this.#readMs < maxAgeMs) return;
		try {
			this.#take(await readKeys(this.#deps.store, this.#document), beganMs);
		} catch (error) {
			const ageMs = this.#deps.clock.monotonic() - this.#readMs;
			if (!(error instanceof SluiceError) || ageMs >= KEYS_BOUND_MS) throw error;
		}
	}

	#take(document: KeyDocument, readMs: number): void {
		// Two requests can read at the same time, and the older answer come last.
		if (readMs < this.#readMs) return;
		this.#readMs = readMs;
		if (document === this.#document) return;
		this.#document = document;
		this.#byHash = new Map(document.keys.map((key) => [key.hash, key]));
		for (const id of this.#noted.keys()) if (!document.keys.some((key) => key.id === id)) this.#noted.delete(id);
	}
}

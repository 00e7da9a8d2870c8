import type { PathOverrides } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import type { Deps } from "./deps.ts";
import { readPathOverrides } from "./path-documents.ts";

/** How old what is known of a path's configuration may be. */
const FRESH_MS = 5_000;
const MAX_PATHS = 10_000;

type Entry = { readonly readMs: number; readonly overrides: Promise<PathOverrides> };

/** What the API set of each path, read at most every five seconds, however many viewers ask. */
export class RecentOverrides {
	readonly #deps: Pick<Deps, "store" | "clock" | "sharesReads">;
	readonly #entries = new Map<PathName, Entry>();

	constructor(deps: Pick<Deps, "store" | "clock" | "sharesReads">) {
		this.#deps = deps;
	}

	/** Empty for a path of which nothing was set. @throws StoreError */
	async get(path: PathName): Promise<PathOverrides> {
		const { store, clock, sharesReads } = this.#deps;
		const readMs = clock.monotonic();
		const known = this.#entries.get(path);
		if (known !== undefined && readMs - known.readMs < FRESH_MS) return known.overrides;
		const reading = readPathOverrides(store, path).then((found) => found?.overrides ?? {});
		// Where a read ends with its request, others wait for none of it, but use what it brought.
		const overrides = sharesReads ? reading : Promise.resolve(await reading);
		const entry = { readMs, overrides };
		this.#keep(path, entry);
		// A read that failed tells nothing: the next request asks again.
		overrides.catch(() => this.#forget(path, entry));
		return overrides;
	}

	#keep(path: PathName, entry: Entry): void {
		this.#entries.delete(path);
		if (this.#entries.size >= MAX_PATHS) this.#entries.delete(this.#entries.keys().next().value as PathName);
		this.#entries.set(path, entry);
	}

	#forget(path: PathName, entry: Entry): void {
		if (this.#entries.get(path) === entry) this.#entries.delete(path);
	}
}

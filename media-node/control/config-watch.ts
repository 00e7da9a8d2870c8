/**
 * Follows the path configurations that the functions keep in the bucket. One small object changes with every write of a
 * configuration: a conditional read of it, every few seconds, is all that a quiet bucket costs. Everything is read
 * again once a minute all the same, since a function can die between its two writes.
 */

import type { Clock } from "#shared/clock.ts";
import { type PathOverrides, pathOverridesSchema } from "#shared/config/path-config.ts";
import { jsonOrNull } from "#shared/json.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import { CONFIG_VERSION_KEY, keyToPath, PATH_CONFIGS_PREFIX } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Logger } from "../log.ts";
import { BucketPoll } from "./bucket-poll.ts";

export const POLL_INTERVAL_MS = 3_000;
export const FULL_READ_INTERVAL_MS = 60_000;
const READ_TIMEOUT_MS = 15_000;
/** More documents than this are left out, in the order of their names. */
export const MAX_PATH_CONFIGS = 100_000;
const MAX_CONFIG_BYTES = 64 * 1024;
const PARALLEL_READS = 16;

export type PathConfigs = ReadonlyMap<PathName, PathOverrides>;

export type ConfigWatchOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	/** Called with all documents whenever one of them has changed. Must not throw. */
	readonly onChange: (configs: PathConfigs) => void;
};

type Known = { readonly etag: string; readonly overrides: PathOverrides | null };

export class ConfigWatch implements AsyncDisposable {
	readonly #options: ConfigWatchOptions;
	/** By path: what was read last, also of documents that were not right (`null`, or the last good one). */
	#known = new Map<PathName, Known>();
	#versionEtag = "";
	#lastFullMs = Number.NEGATIVE_INFINITY;
	#poll: BucketPoll | null = null;

	private constructor(options: ConfigWatchOptions) {
		this.#options = options;
	}

	/** Reads the documents once, if the bucket answers, and follows them from then on. */
	static async open(options: ConfigWatchOptions, signal: AbortSignal): Promise<ConfigWatch> {
		const watch = new ConfigWatch(options);
		const { clock, log } = options;
		const what = { name: "The configuration in the bucket", isMany: false };
		const times = { intervalMs: POLL_INTERVAL_MS, timeoutMs: READ_TIMEOUT_MS };
		const read = (reading: AbortSignal) => watch.#read(reading);
		watch.#poll = await BucketPoll.open({ clock, log, what, ...times, read }, signal);
		return watch;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#poll?.[Symbol.asyncDispose]();
	}

	async #read(signal: AbortSignal): Promise<void> {
		if (await this.#isDue(signal)) await this.#readAll(signal);
	}

	async #isDue(signal: AbortSignal): Promise<boolean> {
		const version = await this.#options.store.getIfChanged(CONFIG_VERSION_KEY, this.#versionEtag, { signal });
		const nowMs = this.#options.clock.monotonic();
		const isNew = version !== "unchanged" && version !== null;
		if (!isNew && nowMs - this.#lastFullMs < FULL_READ_INTERVAL_MS) return false;
		if (isNew) {
			// Remembered before the documents are read: a write that comes between is read twice rather than never.
			this.#versionEtag = version.etag;
			await version.bytes();
		}
		return true;
	}

	async #readAll(signal: AbortSignal): Promise<void> {
		const { clock, log, store, onChange } = this.#options;
		const etags = new Map<PathName, { key: string; etag: string }>();
		for (let next: string | null = ""; next !== null && etags.size < MAX_PATH_CONFIGS; ) {
			const page = await store.list(PATH_CONFIGS_PREFIX, { signal, ...(next === "" ? {} : { startAfter: next }) });
			for (const { key, etag } of page.objects) {
				const name = keyToPath(key.slice(PATH_CONFIGS_PREFIX.length).replace(/\.json$/, ""));
				if (isPathName(name)) etags.set(name, { key, etag });
			}
			next = page.next;
		}
		const stale = [...etags].filter(([name, { etag }]) => this.#known.get(name)?.etag !== etag);
		const fresh = new Map<PathName, Known | null>();
		for (let i = 0; i < stale.length; i += PARALLEL_READS) {
			await Promise.all(
				stale.slice(i, i + PARALLEL_READS).map(async ([name, { key }]) => {
					fresh.set(name, await this.#readOne(name, key, signal));
				}),
			);
		}
		const before = this.#known;
		const known = new Map<PathName, Known>();
		for (const name of etags.keys()) {
			const entry = fresh.has(name) ? fresh.get(name) : before.get(name);
			if (entry != null) known.set(name, entry);
		}
		this.#known = known;
		this.#lastFullMs = clock.monotonic();
		const removed = [...before.keys()].filter((name) => !known.has(name));
		if (fresh.size === 0 && removed.length === 0) return;
		log.info(
			{ changed: [...fresh.keys()].slice(0, 20), removed: removed.slice(0, 20) },
			"The configuration in the bucket has changed",
		);
		onChange(
			new Map([...known].flatMap(([name, { overrides }]) => (overrides === null ? [] : [[name, overrides] as const]))),
		);
	}

	/** Reads one document; `null` when it is gone. One that is not right counts as its last good version. */
	async #readOne(name: PathName, key: string, signal: AbortSignal): Promise<Known | null> {
		const object = await this.#options.store.get(key, { signal });
		if (object === null) return null;
		const lastGood = this.#known.get(name)?.overrides ?? null;
		const fault = (why: string): Known => {
			this.#options.log.error(
				{ path: name, key },
				`The configuration ${key} is not right, the last good one stays: ${why}`,
			);
			return { etag: object.etag, overrides: lastGood };
		};
		if (object.size > MAX_CONFIG_BYTES) return fault(`it is larger than ${MAX_CONFIG_BYTES} bytes`);
		const parsed = parse(await object.text());
		if (parsed === null) return fault("it is not JSON");
		const result = pathOverridesSchema.safeParse(parsed);
		if (!result.success)
			return fault(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
		return { etag: object.etag, overrides: result.data };
	}
}

function parse(text: string): object | null {
	const value = jsonOrNull(text);
	return typeof value === "object" ? value : null;
}

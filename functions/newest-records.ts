import type { PathName } from "#shared/path-name.ts";
import { readNewest, readNewestAfter } from "#shared/timeline/reader.ts";
import type { TimelineRecord } from "#shared/timeline/record.ts";
import type { Deps } from "./deps.ts";

/** How long it is believed that a path has no stream. */
const NOTHING_AGE_MS = 500;
/** In target durations: how old a record may be for a viewer; and for a cache, which keeps what it gets for that long. */
const MAX_AGE = 1 / 2;
export const MAX_AGE_FOR_CACHE = 1 / 8;
const MAX_PATHS = 10_000;
/** In target durations: so long the next number is asked for, which is one read. Then the head is, which is behind less. */
const FOLLOW_FOR = 4;

type Entry = {
	record: TimelineRecord | null;
	readMs: number;
	wallMs: number;
	reading: Promise<TimelineRecord | null> | null;
};

/**
 * The newest record of each path, read at most every half target duration: a thousand viewers of a stream cost the
 * bucket no more than one. An instance never gives a record older than one that it gave before.
 */
export class NewestRecords {
	readonly #deps: Pick<Deps, "store" | "clock" | "sharesReads">;
	readonly #entries = new Map<PathName, Entry>();

	constructor(deps: Pick<Deps, "store" | "clock" | "sharesReads">) {
		this.#deps = deps;
	}

	/** `null` when the path never had a stream. `maxAge`: in target durations. @throws StoreError */
	async get(path: PathName, maxAge: number = MAX_AGE): Promise<TimelineRecord | null> {
		const { clock } = this.#deps;
		const entry = this.#entryOf(path);
		const maxAgeMs = entry.record === null ? NOTHING_AGE_MS : entry.record.targetDuration * 1000 * maxAge;
		if (clock.monotonic() - entry.readMs < maxAgeMs) return entry.record;
		if (!this.#deps.sharesReads) return this.#read(path, entry);
		entry.reading ??= this.#read(path, entry).finally(() => {
			entry.reading = null;
		});
		return entry.reading;
	}

	async #read(path: PathName, entry: Entry): Promise<TimelineRecord | null> {
		// The age counts from before the read: what is committed meanwhile is not missed for longer.
		const { store, clock } = this.#deps;
		const [beganMs, wallMs] = [clock.monotonic(), clock.now()];
		const known = entry.record;
		// The monotonic clock may stand still while an instance is frozen.
		const ageMs = Math.max(beganMs - entry.readMs, wallMs - entry.wallMs);
		const follows = known !== null && ageMs < known.targetDuration * 1000 * FOLLOW_FOR;
		const record = await (follows ? readNewestAfter(store, path, known) : readNewest(store, path));
		if (entry.record === null || (record !== null && record.n >= entry.record.n)) entry.record = record;
		entry.readMs = beganMs;
		entry.wallMs = wallMs;
		return entry.record;
	}

	#entryOf(path: PathName): Entry {
		let entry = this.#entries.get(path);
		if (entry === undefined) {
			if (this.#entries.size >= MAX_PATHS) this.#entries.delete(this.#entries.keys().next().value as PathName);
			entry = { record: null, readMs: Number.NEGATIVE_INFINITY, wallMs: 0, reading: null };
			this.#entries.set(path, entry);
		}
		return entry;
	}
}

import * as z from "zod";
import { parsedJson } from "#shared/json.ts";
import type { PathName } from "#shared/path-name.ts";
import { eventKey, eventsPrefix } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

const MAX_PATHS = 10_000;
/** Of all paths: events never change. */
const MAX_KEPT = 2_000;
const PARALLEL_READS = 16;
/** Events are small; what is larger is not one of ours. */
const MAX_EVENT_BYTES = 256 * 1024;

const eventSchema = z
	.object({
		id: z.string(),
		type: z.string(),
		timestamp: z.string(),
		data: z.record(z.string(), z.unknown()),
	})
	.meta({ id: "StreamEventBody" });

/** An event as it is shown, whatever its type. */
export const shownEventSchema = z
	.object({
		id: z.string(),
		sequence: z.int().describe("Counts the events of a path from 0, without a gap"),
		type: z.string().describe("Such as stream.online"),
		timestamp: z.string(),
		data: z.record(z.string(), z.unknown()),
	})
	.meta({ id: "StreamEvent" });
export type ShownEvent = z.infer<typeof shownEventSchema>;

type Range = { readonly oldest: number; newest: number };

/**
 * The events of paths, newest first. Their numbers have no gap, so the newest is found by halving, in some twenty HEADs
 * however many there are, and after that by asking for it and
 * the next one: an instance remembers where it was.
 */
export class StreamEvents {
	readonly #store: ObjectStore;
	readonly #ranges = new Map<PathName, Range>();
	readonly #kept = new Map<string, ShownEvent>();

	constructor(store: ObjectStore) {
		this.#store = store;
	}

	/** Up to `limit` events before number `before`; `null`: from the newest on. @throws StoreError */
	async page(
		path: PathName,
		before: number | null,
		limit: number,
	): Promise<{ readonly items: ShownEvent[]; readonly next: number | null }> {
		const range = await this.#rangeOf(path);
		if (range === null) return { items: [], next: null };
		const first = Math.min(range.newest, (before ?? Number.POSITIVE_INFINITY) - 1);
		const last = Math.max(range.oldest, first - limit + 1);
		const items: ShownEvent[] = [];
		for (let at = first; at >= last; at -= PARALLEL_READS) {
			const numbers = Array.from({ length: Math.min(PARALLEL_READS, at - last + 1) }, (_, i) => at - i);
			const some = await Promise.all(numbers.map((number) => this.#read(path, number)));
			items.push(...some.filter((event) => event !== null));
		}
		return { items, next: last > range.oldest ? last : null };
	}

	/** `null`: there is no event. */
	async #rangeOf(path: PathName): Promise<Range | null> {
		const known = this.#ranges.get(path);
		if (known !== undefined && (await this.#has(path, known.newest))) {
			known.newest = await this.#newestFrom(path, known.newest);
			return known;
		}
		// The bucket may have a rule by which old ones go.
		const { objects } = await this.#store.list(eventsPrefix(path), { limit: 1 });
		const oldest = numberOf(objects[0]?.key, path);
		if (oldest === null) return null;
		const range = { oldest, newest: await this.#newestFrom(path, oldest) };
		if (!this.#ranges.has(path) && this.#ranges.size >= MAX_PATHS) {
			this.#ranges.delete(this.#ranges.keys().next().value as PathName);
		}
		this.#ranges.set(path, range);
		return range;
	}

	/** The last number in a row that begins with `there`, which is there. */
	async #newestFrom(path: PathName, there: number): Promise<number> {
		let low = there;
		let step = 1;
		while (await this.#has(path, low + step)) {
			low += step;
			step *= 2;
		}
		// `low` is there, and `low + step` is not.
		for (let high = low + step; high - low > 1; ) {
			const middle = Math.floor((low + high) / 2);
			if (await this.#has(path, middle)) low = middle;
			else high = middle;
		}
		return low;
	}

	async #has(path: PathName, number: number): Promise<boolean> {
		return (await this.#store.head(eventKey(path, number))) !== null;
	}

	/** `null`: it is gone, or damaged. */
	async #read(path: PathName, sequence: number): Promise<ShownEvent | null> {
		const key = eventKey(path, sequence);
		const kept = this.#kept.get(key);
		if (kept !== undefined) return kept;
		const object = await this.#store.get(key);
		if (object === null) return null;
		if (object.size > MAX_EVENT_BYTES) {
			await object.stream().cancel();
			return null;
		}
		const event = parsed(await object.text(), sequence);
		if (event === null) return null;
		if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
		this.#kept.set(key, event);
		return event;
	}
}

function numberOf(key: string | undefined, path: PathName): number | null {
	const digits = /^(\d{12})\.json$/.exec(key?.slice(eventsPrefix(path).length) ?? "")?.[1];
	return digits === undefined ? null : Number(digits);
}

function parsed(text: string, sequence: number): ShownEvent | null {
	const event = parsedJson(eventSchema, text);
	return event === null ? null : { ...event, sequence };
}

import { compareKeys } from "#shared/store/object-key.ts";
import { type ListOptions, MAX_DELETE_KEYS, MAX_LIST_LIMIT } from "#shared/store/object-store.ts";

/** Sorts after every character of a key. */
const LAST_CHARACTER = "\u{10ffff}";

/** Gathers one page of a listing from keys that come in UTF-8 byte order. */
export class ListPager {
	readonly keys: string[] = [];
	readonly prefixes: string[] = [];
	readonly #prefix: string;
	readonly #startAfter: string;
	readonly #delimiter: string;
	readonly #limit: number;
	#last = "";
	#group: string | null = null;
	#isFull = false;

	constructor(prefix: string, options: ListOptions = {}) {
		this.#prefix = prefix;
		this.#startAfter = options.startAfter ?? "";
		this.#delimiter = options.delimiter ?? "";
		this.#limit = listLimit(options);
	}

	/** Takes the next key. Says whether the page wants more. */
	add(key: string): boolean {
		if (!key.startsWith(this.#prefix) || compareKeys(key, this.#startAfter) <= 0) return true;
		if (this.#group !== null && key.startsWith(this.#group)) return true;
		if (this.keys.length + this.prefixes.length === this.#limit) {
			this.#isFull = true;
			return false;
		}
		const at = this.#delimiter === "" ? -1 : key.indexOf(this.#delimiter, this.#prefix.length);
		if (at === -1) {
			this.keys.push(key);
			this.#last = key;
		} else {
			this.#group = key.slice(0, at + this.#delimiter.length);
			this.prefixes.push(this.#group);
			this.#last = afterPrefix(this.#group);
		}
		return true;
	}

	/** Says whether no key that begins with `start` can be on the page. */
	skips(start: string): boolean {
		if (this.#group !== null && start.startsWith(this.#group)) return true;
		return compareKeys(start, this.#startAfter) < 0 && !this.#startAfter.startsWith(start);
	}

	get next(): string | null {
		return this.#isFull ? this.#last : null;
	}
}

/** The `next` of a page that a bucket made and said was not the last. */
export function nextOfPage(keys: readonly string[], prefixes: readonly string[]): string | null {
	const key = keys.at(-1) ?? "";
	const prefix = prefixes.at(-1);
	const last = prefix === undefined || compareKeys(prefix, key) < 0 ? key : afterPrefix(prefix);
	return last === "" ? null : last;
}

/** A bucket starts after a key, not after a group of keys: this is after all of them. */
function afterPrefix(prefix: string): string {
	return prefix + LAST_CHARACTER;
}

/**
 * How many keys and prefixes a page has at most.
 * @throws RangeError
 */
export function listLimit(options: ListOptions): number {
	const limit = options.limit ?? MAX_LIST_LIMIT;
	if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST_LIMIT) {
		throw new RangeError(`Cannot list: limit must be 1 to ${MAX_LIST_LIMIT}, and is ${limit}`);
	}
	return limit;
}

/** @throws RangeError */
export function assertDeleteCount(keys: readonly string[]): void {
	if (keys.length > MAX_DELETE_KEYS) {
		throw new RangeError(`Cannot delete: at most ${MAX_DELETE_KEYS} keys at a time, and there are ${keys.length}`);
	}
}

import { abortedError, type Clock, systemClock, throwIfAborted } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";
import { resolveRange } from "#shared/store/byte-range.ts";
import {
	type Fault,
	type FaultCode,
	type FaultPlan,
	NO_FAULTS,
	type StoreMethod,
	type StoreOperation,
} from "#shared/store/fault-plan.ts";
import { assertDeleteCount, ListPager } from "#shared/store/list-pager.ts";
import { bodyOfBytes, bytesOf } from "#shared/store/object-body.ts";
import { assertObjectKey, compareKeys, isKeyPrefix } from "#shared/store/object-key.ts";
import type {
	Body,
	CallOptions,
	GetOptions,
	ListOptions,
	ListPage,
	ObjectInfo,
	ObjectStore,
	PutOptions,
	PutResult,
	StoredObject,
} from "#shared/store/object-store.ts";

type Entry = { readonly info: ObjectInfo; readonly bytes: Uint8Array };

/** Of fewer new keys, each is put where it belongs; of more, all keys are sorted anew. */
const MAX_TOUCHED_KEYS = 1000;

/** A bucket in memory, with the semantics of a real one and faults as planned. It ends with the process. */
export class MemoryStore implements ObjectStore, AsyncDisposable {
	/** While true, every operation that would take effect fails as `store.unavailable`. */
	away = false;
	/** How many operations were begun, by method: what a real bucket would bill. */
	readonly operations: Record<StoreMethod, number> = {
		get: 0,
		getIfChanged: 0,
		head: 0,
		put: 0,
		putIfAbsent: 0,
		putIfMatch: 0,
		delete: 0,
		list: 0,
	};
	readonly #clock: Clock;
	readonly #faults: FaultPlan;
	readonly #entries = new Map<string, Entry>();
	/** All keys in order as of the last listing, and what was made or deleted since then. */
	readonly #sortedKeys: string[] = [];
	readonly #touchedKeys = new Set<string>();
	#writes = 0;

	constructor({ clock = systemClock, faults = NO_FAULTS }: { clock?: Clock; faults?: FaultPlan } = {}) {
		this.#clock = clock;
		this.#faults = faults;
	}

	get(key: string, options: GetOptions = {}): Promise<StoredObject | null> {
		return this.#operate({ method: "get", key }, options, () => {
			const entry = this.#entries.get(key);
			return entry === undefined ? null : read(entry, options);
		});
	}

	getIfChanged(key: string, etag: string, options: CallOptions = {}): Promise<StoredObject | "unchanged" | null> {
		return this.#operate({ method: "getIfChanged", key }, options, () => {
			const entry = this.#entries.get(key);
			if (entry === undefined) return null;
			return entry.info.etag === etag ? "unchanged" : read(entry);
		});
	}

	head(key: string, options: CallOptions = {}): Promise<ObjectInfo | null> {
		return this.#operate({ method: "head", key }, options, () => this.#entries.get(key)?.info ?? null);
	}

	put(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
		return this.#operate({ method: "put", key }, options, () => this.#write(key, body, options));
	}

	putIfAbsent(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
		return this.#operate({ method: "putIfAbsent", key }, options, () => {
			if (this.#entries.has(key)) throw new StoreError("store.precondition", `There is an object at ${key} already`);
			return this.#write(key, body, options);
		});
	}

	putIfMatch(key: string, body: Body, etag: string, options: PutOptions = {}): Promise<PutResult> {
		return this.#operate({ method: "putIfMatch", key }, options, () => {
			if (this.#entries.get(key)?.info.etag !== etag) {
				throw new StoreError("store.precondition", `The object at ${key} has changed or is gone`);
			}
			return this.#write(key, body, options);
		});
	}

	async delete(keys: readonly string[], options: CallOptions = {}): Promise<void> {
		assertDeleteCount(keys);
		for (const key of keys) assertObjectKey(key);
		if (keys[0] === undefined) return;
		await this.#operate({ method: "delete", key: keys[0] }, options, () => {
			for (const key of keys) if (this.#entries.delete(key)) this.#touchedKeys.add(key);
		});
	}

	async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
		const pager = new ListPager(prefix, options);
		if (!isKeyPrefix(prefix)) return { objects: [], prefixes: [], next: null };
		return this.#operate({ method: "list", key: prefix }, options, () => {
			this.#sort();
			const from = compareKeys(prefix, options.startAfter ?? "") > 0 ? prefix : (options.startAfter ?? "");
			for (let i = lowerBound(this.#sortedKeys, from); i < this.#sortedKeys.length; i++) {
				const key = this.#sortedKeys[i];
				if (key === undefined || !key.startsWith(prefix) || !pager.add(key)) break;
			}
			const objects = pager.keys.flatMap((key) => {
				const info = this.#entries.get(key)?.info;
				return info === undefined ? [] : [{ ...info, contentType: null }];
			});
			return { objects, prefixes: pager.prefixes, next: pager.next };
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#entries.clear();
		this.#sortedKeys.length = 0;
		this.#touchedKeys.clear();
	}

	/** Walks an operation's way: the request travels, takes effect, and its answer travels back; or does not. */
	async #operate<T>(operation: StoreOperation, { signal }: CallOptions, effect: () => T): Promise<T> {
		if (operation.method !== "list") assertObjectKey(operation.key);
		throwIfAborted(signal);
		this.operations[operation.method]++;
		const { beforeMs = 0, afterMs = 0, fails, tookEffect = false }: Fault = this.#faults.next(operation);
		if (beforeMs > 0) await this.#clock.sleep(beforeMs, signal);
		let outcome: { value: T } | { error: unknown };
		try {
			if (this.away) throw new StoreError("store.unavailable", "The bucket is away");
			if (fails !== undefined && !tookEffect) throw faultError(fails, operation);
			outcome = { value: effect() };
		} catch (error) {
			outcome = { error };
		}
		if (afterMs > 0) await this.#clock.sleep(afterMs, signal);
		if (fails !== undefined && tookEffect) throw faultError(fails, operation);
		if ("error" in outcome) throw outcome.error;
		return outcome.value;
	}

	#sort(): void {
		if (this.#touchedKeys.size > MAX_TOUCHED_KEYS) {
			const sorted = [...this.#entries.keys()].sort(compareKeys);
			this.#sortedKeys.length = 0;
			for (const key of sorted) this.#sortedKeys.push(key);
		} else {
			for (const key of this.#touchedKeys) {
				const at = lowerBound(this.#sortedKeys, key);
				const isThere = this.#sortedKeys[at] === key;
				if (isThere !== this.#entries.has(key)) this.#sortedKeys.splice(at, isThere ? 1 : 0, ...(isThere ? [] : [key]));
			}
		}
		this.#touchedKeys.clear();
	}

	#write(key: string, body: Body, options: PutOptions): PutResult {
		// A copy: the caller may use its buffer for the next segment at once.
		const bytes = bytesOf(body).slice();
		const etag = (++this.#writes).toString(36);
		if (!this.#entries.has(key)) this.#touchedKeys.add(key);
		this.#entries.set(key, {
			bytes,
			info: {
				key,
				etag,
				size: bytes.length,
				contentType: options.contentType ?? null,
				modifiedMs: this.#clock.now(),
			},
		});
		return { etag };
	}
}

function read(entry: Entry, options: GetOptions = {}): StoredObject {
	const range = resolveRange(options.range, entry.bytes.length);
	return { ...entry.info, range, ...bodyOfBytes(entry.bytes.subarray(range.start, range.end + 1)) };
}

function faultError(code: FaultCode, { method, key }: StoreOperation): Error {
	if (code === "aborted") return abortedError();
	return new StoreError(code, `A fault was planned for this ${method} of ${key}`);
}

/** The index of the first key that is not before `from`. */
function lowerBound(keys: readonly string[], from: string): number {
	let low = 0;
	let high = keys.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (compareKeys(keys[middle] ?? "", from) < 0) low = middle + 1;
		else high = middle;
	}
	return low;
}

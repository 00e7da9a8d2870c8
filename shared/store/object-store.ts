/**
 * The bucket, as everything in this project sees it. One contract test suite (`test/contract/object-store.contract.ts`)
 * runs against every implementation.
 *
 * Failures are `StoreError`s with these codes:
 * - `store.precondition`: the condition did not hold (HTTP 412): somebody else was first.
 * - `store.conflict`: another conditional write was in flight (409): try again.
 * - `store.throttled` (429, 503 SlowDown): try again later.
 * - `store.unavailable`: no answer, a 5xx or a time-out. **A write may have taken effect.**
 * - `store.refused`: credentials, policy, bad request, or a key that breaks the rule of `object-key.ts`: trying again
 *   will not help.
 * An aborted `signal` gives `aborted`; **a write may have taken effect** then too. A range without bytes gives
 * `input.range`. No store retries: whoever calls it knows whether that is right.
 */
export interface ObjectStore {
	/** Reads an object. `null` when there is none. */
	get(key: string, options?: GetOptions): Promise<StoredObject | null>;
	/** Reads an object unless it still has `etag`: `"unchanged"` then, `null` when there is none. */
	getIfChanged(key: string, etag: string, options?: CallOptions): Promise<StoredObject | "unchanged" | null>;
	/** Reads an object's metadata. `null` when there is none. */
	head(key: string, options?: CallOptions): Promise<ObjectInfo | null>;
	/** Writes an object, whatever was there. */
	put(key: string, body: Body, options?: PutOptions): Promise<PutResult>;
	/** Writes an object only if there is none; `store.precondition` if there is. */
	putIfAbsent(key: string, body: Body, options?: PutOptions): Promise<PutResult>;
	/** Writes an object only if it has `etag` now; `store.precondition` if it has not, or is not there. */
	putIfMatch(key: string, body: Body, etag: string, options?: PutOptions): Promise<PutResult>;
	/** Deletes objects; those that are not there count as deleted. At most {@link MAX_DELETE_KEYS} keys. */
	delete(keys: readonly string[], options?: CallOptions): Promise<void>;
	/** Lists objects whose key starts with `prefix`, in UTF-8 byte order of the keys. One page. */
	list(prefix: string, options?: ListOptions): Promise<ListPage>;
}

export type Body = Uint8Array | string;

export type CallOptions = { readonly signal?: AbortSignal | undefined };

export type GetOptions = CallOptions & {
	/** First and last byte, both inclusive; `end` may be left out. As HTTP `Range: bytes=start-end`. */
	readonly range?:
		| { readonly start: number; readonly end?: number | undefined }
		| { readonly suffix: number }
		| undefined;
};

export type PutOptions = CallOptions & {
	readonly contentType?: string | undefined;
	readonly cacheControl?: string | undefined;
};

export type ListOptions = CallOptions & {
	/** Keys up to and including this one are left out. */
	readonly startAfter?: string | undefined;
	/** 1 to {@link MAX_LIST_LIMIT}, which is the default. Keys and prefixes count alike. */
	readonly limit?: number | undefined;
	/** Groups keys that share the text up to the next delimiter into `prefixes`. */
	readonly delimiter?: string | undefined;
};

export type ObjectInfo = {
	readonly key: string;
	/** Opaque and strong, without quotes. */
	readonly etag: string;
	/** Of the whole object, in bytes. */
	readonly size: number;
	/** As it was written; a store in a folder tells it from the key. `null` if unknown, and in listings. */
	readonly contentType: string | null;
	/** Milliseconds since the Unix epoch. */
	readonly modifiedMs: number;
};

export type StoredObject = ObjectInfo & {
	/** What part of the object the body is: the whole, unless a range was asked for. `end` is inclusive; -1 if empty. */
	readonly range: { readonly start: number; readonly end: number };
	/** The body. It must be read (or its stream cancelled), once, by one of these: it may hold a file or a connection. */
	bytes(): Promise<Uint8Array>;
	text(): Promise<string>;
	stream(): ReadableStream<Uint8Array>;
};

export type PutResult = { readonly etag: string };

export type ListPage = {
	readonly objects: readonly ObjectInfo[];
	/** Common prefixes, when a delimiter was given. */
	readonly prefixes: readonly string[];
	/** Give it as `startAfter` to read on; `null` on the last page. */
	readonly next: string | null;
};

export const MAX_DELETE_KEYS = 1000;
export const MAX_LIST_LIMIT = 1000;

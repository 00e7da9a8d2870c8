import { abortedError, throwIfAborted } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";
import { assertRange, resolveRange, unsatisfiable } from "#shared/store/byte-range.ts";
import { assertDeleteCount, listLimit, nextOfPage } from "#shared/store/list-pager.ts";
import { objectBody } from "#shared/store/object-body.ts";
import { assertObjectKey, isKeyPrefix } from "#shared/store/object-key.ts";
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
import type { R2Bucket, R2Condition, R2GetOptions, R2Object, R2ObjectBody, R2Range } from "./r2-bucket.ts";
import { r2Error } from "./r2-error.ts";

/** A bucket of R2 by its binding in a Worker. */
export class R2Store implements ObjectStore {
	readonly #bucket: R2Bucket;

	constructor(bucket: R2Bucket) {
		this.#bucket = bucket;
	}

	async get(key: string, options: GetOptions = {}): Promise<StoredObject | null> {
		const object = await this.#get(key, options, {});
		return object === null || !hasBody(object) ? null : stored(object, options);
	}

	async getIfChanged(key: string, etag: string, options: CallOptions = {}): Promise<StoredObject | "unchanged" | null> {
		const object = await this.#get(key, options, { onlyIf: { etagDoesNotMatch: etag } });
		if (object === null) return null;
		return hasBody(object) ? stored(object, {}) : "unchanged";
	}

	async head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | null> {
		assertObjectKey(key);
		const object = await ask(() => this.#bucket.head(key), `read ${key} from the bucket`, signal);
		return object === null ? null : infoOf(object);
	}

	async put(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
		return this.#put(key, body, options);
	}

	async putIfAbsent(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
		return this.#put(key, body, options, { etagDoesNotMatch: "*" });
	}

	async putIfMatch(key: string, body: Body, etag: string, options: PutOptions = {}): Promise<PutResult> {
		return this.#put(key, body, options, { etagMatches: etag });
	}

	async delete(keys: readonly string[], { signal }: CallOptions = {}): Promise<void> {
		assertDeleteCount(keys);
		for (const key of keys) assertObjectKey(key);
		if (keys.length === 0) return;
		const more = keys.length > 1 ? ` and ${keys.length - 1} more` : "";
		await ask(() => this.#bucket.delete([...keys]), `delete ${keys[0]}${more} from the bucket`, signal);
	}

	async list(prefix: string, { signal, startAfter, delimiter, limit }: ListOptions = {}): Promise<ListPage> {
		const options = {
			prefix,
			limit: listLimit({ limit }),
			...(startAfter ? { startAfter } : {}),
			...(delimiter ? { delimiter } : {}),
		};
		throwIfAborted(signal);
		if (!isKeyPrefix(prefix)) return { objects: [], prefixes: [], next: null };
		const page = await ask(() => this.#bucket.list(options), `list ${JSON.stringify(prefix)} in the bucket`, signal);
		const objects = page.objects.map((object) => ({ ...infoOf(object), contentType: null }));
		const keys = objects.map(({ key }) => key);
		const next = page.truncated ? nextOfPage(keys, page.delimitedPrefixes) : null;
		return { objects, prefixes: page.delimitedPrefixes, next };
	}

	async #get(
		key: string,
		{ range, signal }: GetOptions,
		options: R2GetOptions,
	): Promise<R2ObjectBody | R2Object | null> {
		assertObjectKey(key);
		const asked = range === undefined ? {} : { range: toR2Range(range) };
		return ask(() => this.#bucket.get(key, { ...options, ...asked }), `read ${key} from the bucket`, signal);
	}

	async #put(key: string, body: Body, options: PutOptions, onlyIf?: R2Condition): Promise<PutResult> {
		assertObjectKey(key);
		const { contentType, cacheControl, signal } = options;
		const r2Options = {
			...(onlyIf === undefined ? {} : { onlyIf }),
			httpMetadata: {
				...(contentType === undefined ? {} : { contentType }),
				...(cacheControl === undefined ? {} : { cacheControl }),
			},
		};
		const object = await ask(() => this.#bucket.put(key, body, r2Options), `write ${key} to the bucket`, signal);
		if (object !== null) return { etag: object.etag };
		throw new StoreError("store.precondition", `The object at ${key} is not as the write wants it: somebody was first`);
	}
}

/** Calls the binding, which knows no signals: the answer of an aborted call is not waited for. */
async function ask<T>(call: () => Promise<T>, what: string, signal: AbortSignal | undefined): Promise<T> {
	throwIfAborted(signal);
	const { promise: aborted, reject } = Promise.withResolvers<never>();
	const onAbort = () => reject(abortedError(signal));
	signal?.addEventListener("abort", onAbort, { once: true });
	try {
		return await Promise.race([call(), aborted]);
	} catch (error) {
		throw r2Error(error, what);
	} finally {
		signal?.removeEventListener("abort", onAbort);
	}
}

function stored(object: R2ObjectBody, { range: asked }: GetOptions): StoredObject {
	if (asked !== undefined && object.size === 0) throw unsatisfiable(asked, object.size);
	const translate = (error: unknown) => r2Error(error, `read ${object.key} from the bucket`);
	const body = objectBody({
		async bytes() {
			try {
				return new Uint8Array(await object.arrayBuffer());
			} catch (error) {
				throw translate(error);
			}
		},
		// As it is: the runtime passes its own streams on without their bytes going through JavaScript.
		stream: () => object.body,
	});
	return { ...infoOf(object), range: resolveRange(asked, object.size), ...body };
}

function toR2Range(range: NonNullable<GetOptions["range"]>): R2Range {
	assertRange(range);
	if ("suffix" in range) return { suffix: range.suffix };
	const { start, end } = range;
	return end === undefined ? { offset: start } : { offset: start, length: end - start + 1 };
}

function hasBody(object: R2Object | R2ObjectBody): object is R2ObjectBody {
	// Not by `body`: the bindings that wrangler lends to other processes begin to read a body that is looked at.
	return "arrayBuffer" in object;
}

function infoOf(object: R2Object): ObjectInfo {
	return {
		key: object.key,
		etag: object.etag,
		size: object.size,
		contentType: object.httpMetadata?.contentType ?? null,
		modifiedMs: object.uploaded.getTime(),
	};
}

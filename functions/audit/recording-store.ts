import type { ObjectStore, PutResult } from "#shared/store/object-store.ts";

/** An object that a request wrote or deleted. */
export type WrittenObject = {
	readonly key: string;
	/** The etag that it had; `null` when there was none, or the request did not ask. */
	readonly before: string | null;
	/** The etag that it has; `null` when it was deleted. */
	readonly after: string | null;
};

/** More than any request of an administrator writes; what is beyond it is not recorded. */
const MAX_OBJECTS = 20;

/** The same store, which tells `objects` of every write that succeeded: so the audit log cannot be told less. */
export function recordingStore(store: ObjectStore, objects: WrittenObject[]): ObjectStore {
	const record = (key: string, before: string | null, after: string | null) => {
		if (objects.length < MAX_OBJECTS) objects.push({ key, before, after });
	};
	const recorded = async (key: string, before: string | null, put: Promise<PutResult>) => {
		const result = await put;
		record(key, before, result.etag);
		return result;
	};
	const recording: ObjectStore = {
		get: (key, options) => store.get(key, options),
		getIfChanged: (key, etag, options) => store.getIfChanged(key, etag, options),
		head: (key, options) => store.head(key, options),
		list: (prefix, options) => store.list(prefix, options),
		put: (key, body, options) => recorded(key, null, store.put(key, body, options)),
		putIfAbsent: (key, body, options) => recorded(key, null, store.putIfAbsent(key, body, options)),
		putIfMatch: (key, body, etag, options) => recorded(key, etag, store.putIfMatch(key, body, etag, options)),
		async delete(keys, options) {
			await store.delete(keys, options);
			for (const key of keys) record(key, null, null);
		},
	};
	behind.set(recording, store);
	return recording;
}

const behind = new WeakMap<ObjectStore, ObjectStore>();

/** The store itself: what is kept for longer than a request hangs on that. */
export function storeBehind(store: ObjectStore): ObjectStore {
	return behind.get(store) ?? store;
}

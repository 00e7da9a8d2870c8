import { isPathName, type PathName } from "../path-name.ts";
import { keyToPath } from "../store/key.ts";
import type { Body, ObjectStore } from "../store/object-store.ts";
import { SHARED } from "./hour-document.ts";
import type { UsageMeter } from "./usage-meter.ts";

/** The folders of which each path has one of its own. */
const OF_PATHS: ReadonlySet<string> = new Set(["streams", "events", "outbox"]);

/** The path that a key is of; {@link SHARED} when it is of none. */
export function pathOfKey(key: string): PathName | typeof SHARED {
	const [folder = "", segment = ""] = key.split("/", 2);
	if (!OF_PATHS.has(folder)) return SHARED;
	const path = keyToPath(segment);
	return isPathName(path) ? path : SHARED;
}

/**
 * The same store, which counts what is asked of it as buckets bill it: PUT and LIST are writes (class A), GET and HEAD
 * are reads (class B), and deleting is free. Requests that failed count: they are billed too, most of them.
 */
export function countedStore(store: ObjectStore, meter: Pick<UsageMeter, "add">): ObjectStore {
	const read = (key: string) => meter.add(pathOfKey(key), { gets: 1 });
	const written = (key: string, body: Body) => {
		const bytes = body.length;
		const isMedia = key.startsWith("streams/") && key.split("/", 3)[2] === "media";
		meter.add(pathOfKey(key), { puts: 1, bytesIn: bytes, ...(isMedia ? { bytesKept: bytes } : {}) });
	};
	return {
		get(key, options) {
			read(key);
			return store.get(key, options);
		},
		getIfChanged(key, etag, options) {
			read(key);
			return store.getIfChanged(key, etag, options);
		},
		head(key, options) {
			read(key);
			return store.head(key, options);
		},
		put(key, body, options) {
			written(key, body);
			return store.put(key, body, options);
		},
		putIfAbsent(key, body, options) {
			written(key, body);
			return store.putIfAbsent(key, body, options);
		},
		putIfMatch(key, body, etag, options) {
			written(key, body);
			return store.putIfMatch(key, body, etag, options);
		},
		delete: (keys, options) => store.delete(keys, options),
		list(prefix, options) {
			meter.add(pathOfKey(prefix), { puts: 1 });
			return store.list(prefix, options);
		},
	};
}

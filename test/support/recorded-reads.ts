import type { ObjectStore } from "#shared/store/object-store.ts";

const METHODS = ["get", "getIfChanged", "head", "list"] as const;

/** What a bucket was asked for. `key` is the prefix of a listing. */
export type RecordedRead = { readonly method: (typeof METHODS)[number]; readonly key: string };

/** Every read of a bucket from now on, in their order; how many there are is what requests cost. */
export function recordReads(store: ObjectStore): readonly RecordedRead[] {
	const reads: RecordedRead[] = [];
	for (const method of METHODS) {
		const original = store[method].bind(store) as (...given: unknown[]) => unknown;
		const recorded = (...given: unknown[]) => {
			reads.push({ method, key: String(given[0]) });
			return original(...given);
		};
		Object.assign(store, { [method]: recorded });
	}
	return reads;
}

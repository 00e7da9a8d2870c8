import { hasCode } from "#shared/problem.ts";
import type { ObjectStore, StoredObject } from "#shared/store/object-store.ts";

/** Others may write the same object at the same time; this often is more than they can be faster by chance. */
const MAX_ATTEMPTS = 8;

/**
 * Changes a JSON object by what it is now, however often others change it meanwhile. `read` makes of the object, or of
 * `null` where there is none, what `change` gets; when `change` gives the same back, nothing is written.
 *
 * @throws StoreError `store.precondition` or `store.conflict` when others are faster every time; and what `read` and
 * `change` throw
 */
export async function changeObject<T>(
	store: ObjectStore,
	key: string,
	read: (object: StoredObject | null) => T | Promise<T>,
	change: (now: T) => T | Promise<T>,
): Promise<{ readonly value: T; readonly etag: string | null; readonly isNew: boolean }> {
	for (let attempt = 1; ; attempt++) {
		const object = await store.get(key);
		const now = await read(object);
		const value = await change(now);
		if (value === now) return { value, etag: object?.etag ?? null, isNew: false };
		const body = JSON.stringify(value);
		const options = { contentType: "application/json" };
		try {
			const { etag } =
				object === null
					? await store.putIfAbsent(key, body, options)
					: await store.putIfMatch(key, body, object.etag, options);
			return { value, etag, isNew: object === null };
		} catch (error) {
			if (!hasCode(error, "store.precondition", "store.conflict") || attempt === MAX_ATTEMPTS) throw error;
		}
	}
}

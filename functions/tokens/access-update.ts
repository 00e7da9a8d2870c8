import {
	type AccessDocument,
	EMPTY_ACCESS,
	MAX_REVOCATIONS,
	parseAccessDocument,
	type Revocation,
	withRevocation,
} from "#shared/access/access-document.ts";
import { hasCode, InputError } from "#shared/problem.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

const MAX_ATTEMPTS = 5;

/** Changes `config/access.json` by a conditional write, again when somebody else was first. @throws StoreError */
export async function updateAccess(
	store: ObjectStore,
	change: (document: AccessDocument) => AccessDocument | Promise<AccessDocument>,
): Promise<AccessDocument> {
	for (let attempt = 1; ; attempt++) {
		const object = await store.get(ACCESS_KEY);
		const next = await change(object === null ? EMPTY_ACCESS : parseAccessDocument(await object.text()));
		const text = JSON.stringify(next);
		const options = { contentType: "application/json" };
		try {
			if (object === null) await store.putIfAbsent(ACCESS_KEY, text, options);
			else await store.putIfMatch(ACCESS_KEY, text, object.etag, options);
			return next;
		} catch (error) {
			if (!hasCode(error, "store.precondition", "store.conflict") || attempt === MAX_ATTEMPTS) throw error;
		}
	}
}

/** Adds a revocation, and drops those whose tokens have expired. @throws InputError when there are too many, StoreError */
export async function revoke(store: ObjectStore, entry: Revocation, nowMs: number): Promise<void> {
	await updateAccess(store, (document) => {
		const next = withRevocation(document, entry, nowMs);
		if (next.revocations.length <= MAX_REVOCATIONS) return next;
		throw new InputError(
			"input.invalid",
			`There are ${MAX_REVOCATIONS} revocations whose tokens have not expired yet. Revoke by subject or path, or take the signing key away`,
		);
	});
}

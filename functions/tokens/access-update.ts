import {
	type AccessDocument,
	EMPTY_ACCESS,
	MAX_REVOCATIONS,
	parseAccessDocument,
	type Revocation,
	withRevocation,
} from "#shared/access/access-document.ts";
import { InputError } from "#shared/problem.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import type { ObjectStore, StoredObject } from "#shared/store/object-store.ts";
import { changeObject } from "../store/change-object.ts";

/** Changes `config/access.json` as it is now. @throws StoreError */
export async function updateAccess(
	store: ObjectStore,
	change: (document: AccessDocument) => AccessDocument | Promise<AccessDocument>,
): Promise<AccessDocument> {
	const read = async (object: StoredObject | null) =>
		object === null ? EMPTY_ACCESS : parseAccessDocument(await object.text());
	return (await changeObject(store, ACCESS_KEY, read, change)).value;
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

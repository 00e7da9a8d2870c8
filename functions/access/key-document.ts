/**
 * `config/api-keys.json`: all API keys, in one object. A page of them is one read, a key of nobody costs none, and an
 * instance learns of every change by one conditional read.
 */

import * as z from "zod";
import { ROLES } from "#shared/access/api-key.ts";
import { permissionSchema } from "#shared/access/permission.ts";
import { hasCode, StoreError } from "#shared/problem.ts";
import { API_KEYS_KEY } from "#shared/store/key.ts";
import type { ObjectStore, StoredObject } from "#shared/store/object-store.ts";
import { changeObject } from "../store/change-object.ts";

/** Some 400 KiB of JSON with a few paths each; it is read again only when it has changed. */
export const MAX_API_KEYS = 1000;
export const MAX_KEY_PATHS = 20;
export const MAX_KEY_NAME_LENGTH = 100;

export const keyIdSchema = z.string().regex(/^key_[0-9a-f]{32}$/);

export const apiKeySchema = z.object({
	id: keyIdSchema,
	/** Whose it is: a person or a machine. */
	name: z.string().max(MAX_KEY_NAME_LENGTH),
	/** As of `hashApiKey`. */
	hash: z.string().regex(/^[0-9a-f]{64}$/),
	role: z.enum(ROLES),
	/** As in a permission; empty: every path. */
	paths: z.array(permissionSchema.shape.path).max(MAX_KEY_PATHS),
	disabled: z.boolean(),
	createdMs: z.number(),
	/** The id of who made it. */
	createdBy: z.string(),
	expiresMs: z.number().nullable(),
	/** Counts its changes: its etag. */
	revision: z.int(),
});
export type ApiKey = z.infer<typeof apiKeySchema>;

/** In the order in which they were made. */
const documentSchema = z.object({ keys: z.array(apiKeySchema).max(MAX_API_KEYS) });

export type KeyDocument = { readonly keys: readonly ApiKey[]; readonly etag: string | null };

export const NO_KEYS: KeyDocument = { keys: [], etag: null };

/** Reads the keys, unless `known` is what is there still. @throws StoreError `store.refused` when the object is damaged */
export async function readKeys(store: ObjectStore, known: KeyDocument = NO_KEYS): Promise<KeyDocument> {
	const object =
		known.etag === null ? await store.get(API_KEYS_KEY) : await store.getIfChanged(API_KEYS_KEY, known.etag);
	if (object === null) return NO_KEYS;
	if (object === "unchanged") return known;
	return { keys: await parseKeys(object), etag: object.etag };
}

async function parseKeys(object: StoredObject): Promise<readonly ApiKey[]> {
	try {
		return documentSchema.parse(JSON.parse(await object.text())).keys;
	} catch (cause) {
		if (hasCode(cause, "store.unavailable", "aborted")) throw cause;
		throw new StoreError(
			"store.refused",
			`The object ${API_KEYS_KEY} is damaged. Put an earlier version of it back, or delete it and make keys again with an admin token`,
			{ cause },
		);
	}
}

/**
 * Changes the keys as they are now, however often others change them meanwhile. What `change` throws ends it.
 * @throws StoreError
 */
export async function changeKeys(
	store: ObjectStore,
	change: (keys: readonly ApiKey[]) => readonly ApiKey[],
): Promise<KeyDocument> {
	const read = async (object: StoredObject | null) => ({ keys: object === null ? [] : await parseKeys(object) });
	const { value, etag } = await changeObject(store, API_KEYS_KEY, read, ({ keys }) => ({ keys: change(keys) }));
	return { ...value, etag };
}

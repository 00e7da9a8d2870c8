/** What the functions keep of a node: who it is, by its public key, and whether it is to take new streams. */

import * as z from "zod";
import { parsedJson } from "#shared/json.ts";
import { nodeRegistrationKey } from "#shared/store/key.ts";
import type { ObjectStore, StoredObject } from "#shared/store/object-store.ts";
import { nodeIdSchema } from "./node-id.ts";
import { nodePublicKeySchema } from "./node-key.ts";

export const registrationSchema = z.object({
	v: z.literal(1),
	id: nodeIdSchema,
	key: nodePublicKeySchema,
	/** Milliseconds since the Unix epoch. */
	joinedMs: z.int().min(0),
	/** Somebody asked it to take no new streams. */
	draining: z.boolean(),
});
export type Registration = z.infer<typeof registrationSchema>;

const MAX_BYTES = 8 * 1024;

/** Reads a registration; `null` when there is none, or what is there is not one. @throws StoreError */
export async function readRegistration(
	store: ObjectStore,
	id: string,
	signal?: AbortSignal,
): Promise<{ registration: Registration; etag: string } | null> {
	const object = await store.get(nodeRegistrationKey(id), { signal });
	const registration = object === null ? null : await parseRegistration(object);
	return object === null || registration === null ? null : { registration, etag: object.etag };
}

/** `null` for what is not a registration. */
export async function parseRegistration(object: StoredObject): Promise<Registration | null> {
	if (object.size > MAX_BYTES) {
		await object.stream().cancel();
		return null;
	}
	return parsedJson(registrationSchema, await object.text());
}

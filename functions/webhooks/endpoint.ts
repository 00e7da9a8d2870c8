/** Endpoints: where events go. One document each in the bucket. */

import * as z from "zod";
import { STREAM_EVENT_TYPES } from "#shared/events/event.ts";
import { hasCode } from "#shared/problem.ts";
import { WEBHOOKS_PREFIX, webhookKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

export const MAX_ENDPOINTS = 100;
/** How long the old secret signs as well after a rotation, so that receivers can follow. */
export const ROTATION_MS = 24 * 3_600_000;

export const endpointIdSchema = z.string().regex(/^wh_[0-9a-z]{8,40}$/);

export const endpointSchema = z.object({
	id: endpointIdSchema,
	url: z.string(),
	description: z.string(),
	/** Empty: all. */
	events: z.array(z.enum(STREAM_EVENT_TYPES)),
	/** Newest first. */
	secrets: z.array(z.object({ secret: z.string(), expiresMs: z.number().nullable() })).min(1),
	disabled: z.object({ reason: z.string(), sinceMs: z.number() }).nullable(),
	createdMs: z.number(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

export type StoredEndpoint = { readonly endpoint: Endpoint; readonly etag: string };

/** Reads an endpoint; `null` when there is none. */
export async function readEndpoint(store: ObjectStore, id: string): Promise<StoredEndpoint | null> {
	const object = await store.get(webhookKey(id));
	return object === null
		? null
		: { endpoint: endpointSchema.parse(JSON.parse(await object.text())), etag: object.etag };
}

export async function listEndpoints(store: ObjectStore): Promise<Endpoint[]> {
	const { objects } = await store.list(WEBHOOKS_PREFIX, { limit: MAX_ENDPOINTS });
	const found = await Promise.all(
		objects.map(({ key }) => readEndpoint(store, key.slice(WEBHOOKS_PREFIX.length, -".json".length))),
	);
	return found.flatMap((stored) => (stored === null ? [] : [stored.endpoint]));
}

const MAX_ATTEMPTS = 5;

/** Changes an endpoint as it is now, however often others change it meanwhile; `null` when it is gone. */
export async function updateEndpoint(
	store: ObjectStore,
	id: string,
	change: (endpoint: Endpoint) => Endpoint,
): Promise<Endpoint | null> {
	for (let attempt = 1; ; attempt++) {
		const stored = await readEndpoint(store, id);
		if (stored === null) return null;
		const next = change(stored.endpoint);
		try {
			await store.putIfMatch(webhookKey(id), JSON.stringify(next), stored.etag, { contentType: "application/json" });
			return next;
		} catch (error) {
			if (!hasCode(error, "store.precondition", "store.conflict") || attempt === MAX_ATTEMPTS) throw error;
		}
	}
}

/** The secrets that sign now. */
export function activeSecrets({ secrets }: Endpoint, nowMs: number): string[] {
	return secrets.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs).map(({ secret }) => secret);
}

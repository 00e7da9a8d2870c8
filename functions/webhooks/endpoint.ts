/** Endpoints: where events go. One document each in the bucket. */

import * as z from "zod";
import { fitsPath, permissionSchema } from "#shared/access/permission.ts";
import { STREAM_EVENT_TYPES } from "#shared/events/event-type.ts";
import { parsedJson } from "#shared/json.ts";
import { InputError } from "#shared/problem.ts";
import { WEBHOOKS_PREFIX, webhookKey } from "#shared/store/key.ts";
import type { ObjectStore, StoredObject } from "#shared/store/object-store.ts";
import { changeObject } from "../store/change-object.ts";

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
	/** Of which paths: names, or `~` and a regular expression. Empty: all. */
	paths: z.array(permissionSchema.shape.path).default([]),
	/** Newest first. */
	secrets: z.array(z.object({ secret: z.string(), expiresMs: z.number().nullable() })).min(1),
	disabled: z.object({ reason: z.string(), sinceMs: z.number() }).nullable(),
	createdMs: z.number(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

export type StoredEndpoint = { readonly endpoint: Endpoint; readonly etag: string };

/** Reads an endpoint; `null` when there is none. One that is damaged is as if it were deleted: others must not wait for it. */
export async function readEndpoint(store: ObjectStore, id: string): Promise<StoredEndpoint | null> {
	return parsedEndpoint(await store.get(webhookKey(id)));
}

async function parsedEndpoint(object: StoredObject | null): Promise<StoredEndpoint | null> {
	if (object === null) return null;
	const endpoint = parsedJson(endpointSchema, await object.text());
	return endpoint === null ? null : { endpoint, etag: object.etag };
}

/** `onLeftOut` is told the keys of those that were damaged, or deleted just now. */
export async function listStoredEndpoints(
	store: ObjectStore,
	onLeftOut: (key: string) => void = () => undefined,
): Promise<StoredEndpoint[]> {
	const { objects } = await store.list(WEBHOOKS_PREFIX, { limit: MAX_ENDPOINTS });
	const found = await Promise.all(
		objects.map(async ({ key }) => {
			const stored = await readEndpoint(store, key.slice(WEBHOOKS_PREFIX.length, -".json".length));
			if (stored === null) onLeftOut(key);
			return stored;
		}),
	);
	return found.filter((stored) => stored !== null);
}

export async function listEndpoints(store: ObjectStore, onLeftOut?: (key: string) => void): Promise<Endpoint[]> {
	return (await listStoredEndpoints(store, onLeftOut)).map(({ endpoint }) => endpoint);
}

/** @throws InputError `input.precondition` */
export function expectEtag({ etag }: StoredEndpoint, condition: string | null): void {
	if (condition === null || condition === etag) return;
	throw new InputError("input.precondition", "The endpoint is not the one that If-Match names; read it again");
}

/**
 * Changes an endpoint as it is now, however often others change it meanwhile; or, with `condition`, the one that has this
 * etag. `null` when it is gone.
 * @throws InputError `input.precondition`
 */
export async function updateEndpoint(
	store: ObjectStore,
	id: string,
	change: (endpoint: Endpoint) => Endpoint,
	condition: string | null = null,
): Promise<StoredEndpoint | null> {
	const read = async (object: StoredObject | null) => {
		const stored = await parsedEndpoint(object);
		if (stored !== null) expectEtag(stored, condition);
		return stored?.endpoint ?? null;
	};
	// One that is gone stays as it is: nothing is written.
	const { value, etag } = await changeObject(store, webhookKey(id), read, (now) => (now === null ? null : change(now)));
	return value === null || etag === null ? null : { endpoint: value, etag };
}

/** Says whether an event is for an endpoint. */
export function wantsEvent({ events, paths, disabled }: Endpoint, type: string, path: string): boolean {
	if (disabled !== null) return false;
	if (events.length > 0 && !(events as readonly string[]).includes(type)) return false;
	return paths.length === 0 || paths.some((pattern) => fitsPath(pattern, path));
}

/** The secrets that sign now. */
export function activeSecrets({ secrets }: Endpoint, nowMs: number): string[] {
	return secrets.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs).map(({ secret }) => secret);
}

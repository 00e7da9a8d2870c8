/** Deliveries: one event on its way to one endpoint. One object each, which moves from pending to done or dead. */

import * as z from "zod";
import { pendingDeliveryKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { endpointIdSchema } from "./endpoint.ts";

/** What is delivered: an event of a stream, or a test. */
export const payloadSchema = z.looseObject({
	id: z.string().min(1).max(128),
	type: z.string().min(1).max(128),
	timestamp: z.string(),
	data: z.looseObject({}),
});
export type Payload = z.infer<typeof payloadSchema>;

export const deliverySchema = z
	.object({
		/** The same for all attempts: of the event and the endpoint. */
		id: z.string(),
		endpointId: endpointIdSchema,
		event: payloadSchema,
		/** How many attempts there were. */
		attempts: z.int().min(0),
		/** When the next one is due, milliseconds since the Unix epoch. */
		dueMs: z.number(),
		/** What the last attempt came to: an HTTP status, or why there was none. */
		lastOutcome: z.string().nullable(),
		lastMs: z.number().nullable(),
	})
	.meta({ id: "Delivery" });
export type Delivery = z.infer<typeof deliverySchema>;

/** The first delivery of an event. With the event's own time as `dueMs`, planning it twice makes one object. */
export function newDelivery(event: Payload, endpointId: string, dueMs: number): Delivery {
	return { id: `${event.id}.${endpointId}`, endpointId, event, attempts: 0, dueMs, lastOutcome: null, lastMs: null };
}

export async function putPending(store: ObjectStore, delivery: Delivery): Promise<void> {
	await store.put(pendingDeliveryKey(delivery.dueMs, delivery.id), JSON.stringify(delivery), {
		contentType: "application/json",
	});
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Waits before each attempt after the first, as Standard Webhooks proposes: three days in all. */
export const RETRY_DELAYS_MS: readonly number[] = [
	5_000,
	5 * MINUTE_MS,
	30 * MINUTE_MS,
	2 * HOUR_MS,
	5 * HOUR_MS,
	10 * HOUR_MS,
	14 * HOUR_MS,
	20 * HOUR_MS,
	24 * HOUR_MS,
];
/** Waits vary by this much either way, so that the many that failed together do not come together again. */
export const JITTER = 0.1;
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/**
 * How long to wait after `attempts` attempts have failed; `null`: not any more. An endpoint may ask for a longer wait.
 * `random` is from 0 up to 1.
 */
export function retryDelayMs(attempts: number, retryAfterS: number | null, random: number): number | null {
	const planned = RETRY_DELAYS_MS[attempts - 1];
	if (planned === undefined) return null;
	const jittered = planned * (1 + JITTER * (2 * random - 1));
	return Math.max(jittered, Math.min(MAX_RETRY_AFTER_MS, (retryAfterS ?? 0) * 1000));
}

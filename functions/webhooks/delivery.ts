/** Deliveries: one event on its way to one endpoint. One object each, which moves from pending to done or dead. */

import * as z from "zod";
import { isPathName } from "#shared/path-name.ts";
import type { DeliveryState } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { isOutcome, keyOf, type Outcome } from "./delivery-name.ts";
import { endpointIdSchema } from "./endpoint.ts";

/** What is delivered: an event of a stream, or a test. */
export const payloadSchema = z.looseObject({
	id: z.string().regex(/^evt_[0-9A-Za-z]{8,64}$/),
	type: z.string().regex(/^[a-z]{1,32}(\.[a-z]{1,32}){0,2}$/),
	timestamp: z.string(),
	sequence: z.int().min(0).max(999_999_999_999).nullable().optional(),
	data: z.looseObject({ path: z.string().optional() }),
});
export type Payload = z.infer<typeof payloadSchema>;

/** How much is kept of what an endpoint answered, in characters. */
export const MAX_ANSWER_CHARS = 500;

export const attemptSchema = z.object({
	atMs: z.number(),
	durationMs: z.number(),
	outcome: z.custom<Outcome>((value) => typeof value === "string" && isOutcome(value)),
	/** The beginning of the answer, or what the network said. */
	answer: z.string().max(MAX_ANSWER_CHARS),
});
export type Attempt = z.infer<typeof attemptSchema>;

export const deliverySchema = z.object({
	/** The same for all attempts: of the event and the endpoint. */
	id: z.string(),
	endpointId: endpointIdSchema,
	event: payloadSchema,
	attempts: z.array(attemptSchema).max(99),
	/** When it is due, came through, or was given up: milliseconds since the Unix epoch. */
	atMs: z.number(),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** The first delivery of an event. With the event's own time as `dueMs`, planning it twice makes one object. */
export function newDelivery(event: Payload, endpointId: string, dueMs: number): Delivery {
	return { id: `${event.id}.${endpointId}`, endpointId, event, attempts: [], atMs: dueMs };
}

/** Writes a delivery, and says where. */
export async function putDelivery(store: ObjectStore, state: DeliveryState, delivery: Delivery): Promise<string> {
	const { endpointId, event, attempts, atMs } = delivery;
	const { path = "" } = event.data;
	const key = keyOf({
		state,
		atMs,
		sequence: event.sequence ?? 0,
		path: isPathName(path) ? path : null,
		eventId: event.id,
		endpointId,
		attempts: attempts.length,
		outcome: attempts.at(-1)?.outcome ?? "none",
		type: event.type,
	});
	await store.put(key, JSON.stringify(delivery), { contentType: "application/json" });
	return key;
}

/** Reads a delivery; `null` when there is none, or what is there is damaged. */
export async function readDelivery(store: ObjectStore, key: string): Promise<Delivery | "damaged" | null> {
	const object = await store.get(key);
	if (object === null) return null;
	try {
		const result = deliverySchema.safeParse(JSON.parse(await object.text()));
		return result.success ? result.data : "damaged";
	} catch (error) {
		if (error instanceof SyntaxError) return "damaged";
		throw error;
	}
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
	return Math.max(jittered, retryAfterMs(retryAfterS));
}

/** The wait that an endpoint asked for, within bounds. */
export function retryAfterMs(retryAfterS: number | null): number {
	return Math.min(MAX_RETRY_AFTER_MS, (retryAfterS ?? 0) * 1000);
}

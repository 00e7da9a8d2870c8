/**
 * Brings events out of the outbox to their endpoints. Every step leaves the event in at least one object, so that a
 * function may end anywhere: at worst an attempt is made twice, with the same id.
 */

import { signWebhook } from "#shared/events/standard-webhooks.ts";
import {
	DELIVERIES_DONE_PREFIX,
	DELIVERIES_PENDING_PREFIX,
	deadDeliveryKey,
	doneDeliveryKey,
	OUTBOX_PREFIX,
} from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";
import {
	type Delivery,
	deliverySchema,
	newDelivery,
	type Payload,
	payloadSchema,
	putPending,
	retryDelayMs,
} from "./delivery.ts";
import { DeliveryLease } from "./delivery-lease.ts";
import { activeSecrets, type Endpoint, listEndpoints, readEndpoint, updateEndpoint } from "./endpoint.ts";
import { assertWebhookUrl } from "./url-guard.ts";

/** Standard Webhooks: 15 to 30 seconds. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
/** One run takes no new delivery after this; a cloud function has not much longer. */
const RUN_MS = 20_000;
const MAX_PLANNED = 500;
const MAX_ATTEMPTED = 500;
const PARALLEL_ENDPOINTS = 8;
/** How long it is remembered what was delivered. */
export const DONE_KEEP_MS = 7 * 24 * 3_600_000;
const MAX_PRUNED = 500;

export type DrainDeps = Pick<Deps, "store" | "clock" | "webhooks" | "log"> & {
	readonly settings: Pick<Deps["settings"], "webhookAllowInsecure">;
};

export type DrainResult = {
	readonly planned: number;
	readonly delivered: number;
	readonly failed: number;
	/** Another function is at it. */
	readonly busy: boolean;
	/** When to come again at the latest, milliseconds since the Unix epoch; `null` when nothing waits. */
	readonly nextDueMs: number | null;
};

/** Plans what is new, and attempts what is due. */
export async function drainOutbox(deps: DrainDeps): Promise<DrainResult> {
	const { store, clock } = deps;
	const untilMs = clock.now() + RUN_MS;
	await using lease = await DeliveryLease.take(deps);
	if (lease === null) return { planned: 0, delivered: 0, failed: 0, busy: true, nextDueMs: clock.now() + 1000 };
	const planned = await plan(deps);
	const { delivered, failed } = await attemptDue(deps, () => lease.isLost || clock.now() >= untilMs);
	await prune(store, clock.now());
	const { objects } = await store.list(DELIVERIES_PENDING_PREFIX, { limit: 1 });
	const nextDueMs = planned === MAX_PLANNED ? clock.now() : dueOf(objects[0]?.key);
	return { planned, delivered, failed, busy: false, nextDueMs };
}

/** Makes one delivery of each event for each endpoint that wants it. */
async function plan({ store, clock, log }: DrainDeps): Promise<number> {
	const { objects } = await store.list(OUTBOX_PREFIX, { limit: MAX_PLANNED });
	if (objects.length === 0) return 0;
	const endpoints = await listEndpoints(store);
	for (const { key } of objects) {
		const object = await store.get(key);
		if (object === null) continue;
		const event = parsed(await object.text());
		if (event === null) log.error({ key }, "An event in the outbox cannot be read: left out");
		else {
			const wanted = endpoints.filter((endpoint) => endpoint.disabled === null && wants(endpoint, event));
			for (const { id } of wanted)
				await putPending(store, newDelivery(event, id, Date.parse(event.timestamp) || clock.now()));
		}
		await store.delete([key]);
	}
	return objects.length;
}

function wants({ events }: Endpoint, { type }: Payload): boolean {
	return events.length === 0 || (events as readonly string[]).includes(type);
}

function parsed(text: string): Payload | null {
	try {
		const result = payloadSchema.safeParse(JSON.parse(text));
		return result.success ? result.data : null;
	} catch {
		// JSON.parse has no other way to say no.
		return null;
	}
}

/** Attempts what is due: the deliveries of one endpoint one after the other, in the order of their events. */
async function attemptDue(deps: DrainDeps, isOver: () => boolean): Promise<{ delivered: number; failed: number }> {
	const { store, clock } = deps;
	const { objects } = await store.list(DELIVERIES_PENDING_PREFIX, { limit: MAX_ATTEMPTED });
	const due = objects.map(({ key }) => key).filter((key) => (dueOf(key) ?? 0) <= clock.now());
	const queues = [...Map.groupBy(due, (key) => /\.(wh_[0-9a-z]+)\.json$/.exec(key)?.[1] ?? "").values()];
	let delivered = 0;
	let failed = 0;
	await Promise.all(
		Array.from({ length: PARALLEL_ENDPOINTS }, async () => {
			for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) {
				for (const key of queue) {
					if (isOver()) return;
					if (await attempt(deps, key)) delivered++;
					else failed++;
				}
			}
		}),
	);
	return { delivered, failed };
}

function dueOf(key: string | undefined): number | null {
	const match = /^(\d{15})-/.exec(key?.slice(DELIVERIES_PENDING_PREFIX.length) ?? "");
	return match === null ? null : Number(match[1]);
}

/** Attempts one delivery, and puts it where it belongs then. Says whether it came through. */
async function attempt(deps: DrainDeps, key: string): Promise<boolean> {
	const { store, clock, log } = deps;
	const object = await store.get(key);
	if (object === null) return false;
	const result = deliverySchema.safeParse(JSON.parse(await object.text()));
	if (!result.success) {
		log.error({ key }, "A delivery cannot be read: left out");
		await store.delete([key]);
		return false;
	}
	const before = result.data;
	const endpoint = (await readEndpoint(store, before.endpointId))?.endpoint ?? null;
	const gone =
		endpoint === null ? "the endpoint was deleted" : endpoint.disabled !== null ? "the endpoint is disabled" : null;
	const outcome =
		endpoint === null || gone !== null
			? { text: gone ?? "", status: 0, retryAfterS: null }
			: await send(deps, endpoint, before.event);
	const nowMs = clock.now();
	const after: Delivery = { ...before, attempts: before.attempts + 1, lastOutcome: outcome.text, lastMs: nowMs };
	const isDelivered = outcome.status >= 200 && outcome.status < 300;
	const delayMs =
		isDelivered || gone !== null || outcome.status === 410
			? null
			: retryDelayMs(after.attempts, outcome.retryAfterS, Math.random());

	// First where it goes, then from where it was: it is never nowhere.
	if (isDelivered)
		await store.put(doneDeliveryKey(nowMs, after.id), JSON.stringify(after), { contentType: "application/json" });
	else if (delayMs !== null) await putPending(store, { ...after, dueMs: Math.ceil(nowMs + delayMs) });
	else await store.put(deadDeliveryKey(nowMs, after.id), JSON.stringify(after), { contentType: "application/json" });
	await store.delete([key]);
	if (!isDelivered)
		log.info({ delivery: after.id, attempts: after.attempts, outcome: outcome.text }, "A webhook was not taken");
	if (!isDelivered && delayMs === null && gone === null) await disable(deps, before.endpointId, outcome.status);
	return isDelivered;
}

/** Standard Webhooks: an endpoint that says 410, or that failed through the whole schedule, is not called any more. */
async function disable({ store, clock, log }: DrainDeps, endpointId: string, status: number): Promise<void> {
	const reason = status === 410 ? "It answered 410 Gone" : "It took no delivery for three days";
	await updateEndpoint(store, endpointId, (endpoint) => ({ ...endpoint, disabled: { reason, sinceMs: clock.now() } }));
	log.error({ endpoint: endpointId, reason }, "A webhook endpoint was disabled");
}

type Outcome = { readonly text: string; readonly status: number; readonly retryAfterS: number | null };

async function send({ webhooks, clock, settings }: DrainDeps, endpoint: Endpoint, event: Payload): Promise<Outcome> {
	const body = JSON.stringify(event);
	try {
		// It may have been allowed when it was made, and not be any more.
		assertWebhookUrl(endpoint.url, settings.webhookAllowInsecure);
		const signed = await signWebhook(event.id, clock.now(), body, activeSecrets(endpoint, clock.now()));
		const headers = { ...signed, "content-type": "application/json", "user-agent": "Sluice-Webhooks" };
		const { status, retryAfterS } = await webhooks.send(endpoint.url, headers, body, ATTEMPT_TIMEOUT_MS);
		return { text: `HTTP ${status}`, status, retryAfterS };
	} catch (error) {
		// No answer is an outcome like any other; the message is for the list of deliveries.
		return {
			text: (error instanceof Error ? error.message : String(error)).slice(0, 300),
			status: 0,
			retryAfterS: null,
		};
	}
}

/** Forgets what was delivered long ago. */
async function prune(store: ObjectStore, nowMs: number): Promise<void> {
	const { objects } = await store.list(DELIVERIES_DONE_PREFIX, { limit: MAX_PRUNED });
	const old = objects.filter(
		({ key }) => Number(key.slice(DELIVERIES_DONE_PREFIX.length).split("-", 1)[0]) < nowMs - DONE_KEEP_MS,
	);
	if (old.length > 0) await store.delete(old.map(({ key }) => key));
}

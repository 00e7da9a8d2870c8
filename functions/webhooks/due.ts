/** Attempts the deliveries that are due: those of one endpoint one after the other, in the order of their events. */

import { deliveriesPrefix, deliveryTimeOf } from "#shared/store/key.ts";
import { MAX_LIST_LIMIT, type ObjectStore } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";
import { allDone } from "./all-done.ts";
import { type AttemptDeps, type Attempted, attemptDelivery, notAttempted } from "./attempt.ts";
import { putDelivery, readDelivery, retryAfterMs, retryDelayMs } from "./delivery.ts";
import { describeOutcome, summaryOf } from "./delivery-name.ts";
import { type Endpoint, readEndpoint, updateEndpoint } from "./endpoint.ts";

const PARALLEL_ENDPOINTS = 8;
/** Listings in one run. */
const MAX_PAGES = 5;
/** An endpoint that failed so often in a row is left alone for a while: the rest of what is due for it waits. */
const MAX_FAILURES = 3;
export const HOLD_MS = 5_000;
/** How old may be what is known of an endpoint. */
const ENDPOINT_AGE_MS = 5_000;

type DueDeps = AttemptDeps & Pick<Deps, "store" | "log">;
/** Until when an endpoint is left alone. */
type Holds = Record<string, number>;
type Due = {
	/** The keys of each endpoint's. */
	readonly queues: readonly (readonly [endpointId: string, keys: readonly string[]])[];
	/** When the first of the rest is; `null` when there is none. */
	readonly nextDueMs: number | null;
};

/** `nextDueMs`: when something is due after that; `null` when nothing waits. */
export async function attemptDue(
	deps: DueDeps,
	holds: Holds,
	isOver: () => boolean,
): Promise<{ delivered: number; failed: number; nextDueMs: number | null }> {
	const { clock } = deps;
	for (const [id, untilMs] of Object.entries(holds)) if (untilMs <= clock.now()) delete holds[id];
	const due = await listDue(deps, holds);
	const counts = { delivered: 0, failed: 0 };
	const next: (number | null)[] = [due.nextDueMs];
	const left = [...due.queues];
	await allDone(
		Array.from({ length: PARALLEL_ENDPOINTS }, async () => {
			for (let queue = left.shift(); queue !== undefined; queue = left.shift()) {
				const [endpointId, keys] = queue;
				next.push(await attemptQueue(deps, { endpointId, keys, holds, counts }, isOver));
			}
		}),
	);
	const times = next.filter((time) => time !== null);
	return { ...counts, nextDueMs: times.length === 0 ? null : Math.min(...times) };
}

/** When the first delivery that waits is due; `null` when none does. */
export async function firstDueMs(store: ObjectStore): Promise<number | null> {
	const { objects } = await store.list(deliveriesPrefix("pending"), { limit: 1 });
	return deliveryTimeOf("pending", objects[0]?.key ?? "");
}

async function listDue({ store, clock, log }: DueDeps, holds: Holds): Promise<Due> {
	const prefix = deliveriesPrefix("pending");
	const queues = new Map<string, string[]>();
	let nextDueMs: number | null = null;
	let startAfter: string | null = prefix;
	for (let page = 0; page < MAX_PAGES && startAfter !== null; page++) {
		const { objects, next }: Awaited<ReturnType<ObjectStore["list"]>> = await store.list(prefix, {
			limit: MAX_LIST_LIMIT,
			...(page === 0 ? {} : { startAfter }),
		});
		for (const { key } of objects) {
			const dueMs = deliveryTimeOf("pending", key);
			if (dueMs !== null && dueMs > clock.now())
				return { queues: [...queues], nextDueMs: Math.min(dueMs, nextDueMs ?? dueMs) };
			const summary = summaryOf("pending", key);
			if (summary === null) {
				log.error({ key }, "What is among the deliveries is none: left out");
				await store.delete([key]);
				continue;
			}
			const heldMs = holds[summary.endpointId];
			if (heldMs !== undefined) nextDueMs = Math.min(heldMs, nextDueMs ?? heldMs);
			else {
				const queue = queues.get(summary.endpointId) ?? [];
				queues.set(summary.endpointId, queue);
				queue.push(key);
			}
		}
		startAfter = next;
	}
	// More than one run looks at: the next one follows at once, unless all of it has to wait.
	if (startAfter !== null && queues.size > 0) nextDueMs = clock.now();
	return { queues: [...queues], nextDueMs };
}

type Queue = {
	readonly endpointId: string;
	readonly keys: readonly string[];
	readonly holds: Holds;
	readonly counts: { delivered: number; failed: number };
};

/** Says when something of this endpoint is due next; `null` when nothing of it is left. */
async function attemptQueue(
	deps: DueDeps,
	{ endpointId, keys, holds, counts }: Queue,
	isOver: () => boolean,
): Promise<number | null> {
	const { store, clock } = deps;
	let endpoint: Endpoint | null = null;
	let knownMs = Number.NEGATIVE_INFINITY;
	let failures = 0;
	let nextDueMs: number | null = null;
	for (const [i, key] of keys.entries()) {
		if (isOver()) return clock.now();
		if (clock.now() - knownMs >= ENDPOINT_AGE_MS) {
			endpoint = (await readEndpoint(store, endpointId))?.endpoint ?? null;
			knownMs = clock.now();
		}
		const result = await attemptOne(deps, key, endpoint);
		if (result === null) continue;
		const { isDelivered, isGone, status, retryAfterS, dueMs } = result;
		if (isDelivered) counts.delivered++;
		else counts.failed++;
		failures = isDelivered || isGone ? 0 : failures + 1;
		// It may just have been disabled.
		if (status === 410) knownMs = Number.NEGATIVE_INFINITY;
		if (dueMs !== null) nextDueMs = Math.min(dueMs, nextDueMs ?? dueMs);
		const holdMs = Math.max(retryAfterMs(retryAfterS), failures >= MAX_FAILURES ? HOLD_MS : 0);
		if (isDelivered || holdMs === 0 || i === keys.length - 1) continue;
		const untilMs = clock.now() + holdMs;
		holds[endpointId] = untilMs;
		return Math.min(untilMs, nextDueMs ?? untilMs);
	}
	return nextDueMs;
}

type Result = Pick<Attempted, "status" | "retryAfterS"> & {
	readonly isDelivered: boolean;
	/** There was nobody to send it to. */
	readonly isGone: boolean;
	/** When it is tried again; `null`: not any more. */
	readonly dueMs: number | null;
};

/** Attempts one delivery, and puts it where it belongs then; `null` when there is none. */
async function attemptOne(deps: DueDeps, key: string, endpoint: Endpoint | null): Promise<Result | null> {
	const { store, clock, log } = deps;
	const before = await readDelivery(store, key);
	if (before === null || before === "damaged") {
		if (before !== null) {
			log.error({ key }, "A delivery cannot be read: left out");
			await store.delete([key]);
		}
		return null;
	}
	const isGone = endpoint === null || endpoint.disabled !== null;
	const { attempt, status, retryAfterS } = isGone
		? { attempt: notAttempted(clock.now(), endpoint === null ? "deleted" : "disabled"), status: 0, retryAfterS: null }
		: await attemptDelivery(deps, endpoint, before.event);
	const nowMs = clock.now();
	const attempts = [...before.attempts, attempt];
	const isDelivered = status >= 200 && status < 300;
	const delayMs =
		isDelivered || isGone || status === 410 ? null : retryDelayMs(attempts.length, retryAfterS, Math.random());
	const dueMs = delayMs === null ? null : Math.ceil(nowMs + delayMs);

	// First where it goes, then from where it was: it is never nowhere.
	const state = isDelivered ? "done" : dueMs === null ? "dead" : "pending";
	await putDelivery(store, state, { ...before, attempts, atMs: dueMs ?? nowMs });
	await store.delete([key]);
	if (!isDelivered) {
		const outcome = describeOutcome(attempt.outcome);
		log.info({ delivery: before.id, attempts: attempts.length, outcome }, "A webhook was not taken");
		if (dueMs === null && !isGone) await disable(deps, before.endpointId, status);
	}
	return { isDelivered, isGone, status, retryAfterS, dueMs };
}

/** Standard Webhooks: an endpoint that says 410, or that failed through the whole schedule, is not called any more. */
async function disable({ store, clock, log }: DueDeps, endpointId: string, status: number): Promise<void> {
	const reason = status === 410 ? "It answered 410 Gone" : "It took no delivery for three days";
	await updateEndpoint(store, endpointId, (endpoint) => ({ ...endpoint, disabled: { reason, sinceMs: clock.now() } }));
	log.error({ endpoint: endpointId, reason }, "A webhook endpoint was disabled");
}

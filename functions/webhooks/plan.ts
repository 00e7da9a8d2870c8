/** Makes of what is in the outbox one delivery for each endpoint that wants it. */

import { parsedJson } from "#shared/json.ts";
import { OUTBOX_PREFIX } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { allDone } from "./all-done.ts";
import { newDelivery, payloadSchema, putDelivery } from "./delivery.ts";
import { type Endpoint, listEndpoints, wantsEvent } from "./endpoint.ts";

export const MAX_PLANNED = 500;
const PARALLEL = 16;

type PlanDeps = Pick<Deps, "store" | "clock" | "log">;

/** How many events were planned, and whether there are more. */
export type Planned = { readonly planned: number; readonly hasMore: boolean };

/** Each event is planned before it leaves the outbox; twice, in the worst case, which makes the same objects. */
export async function planDeliveries(deps: PlanDeps, isOver: () => boolean): Promise<Planned> {
	const { store, log } = deps;
	const { objects, next } = await store.list(OUTBOX_PREFIX, { limit: MAX_PLANNED });
	if (objects.length === 0) return { planned: 0, hasMore: false };
	const endpoints = await listEndpoints(store, (key) =>
		log.error({ key }, "A webhook endpoint is damaged, or was deleted just now: events are not for it"),
	);
	const left = objects.map(({ key }) => key);
	const planned: string[] = [];
	await allDone(
		Array.from({ length: PARALLEL }, async () => {
			for (let key = left.shift(); key !== undefined && !isOver(); key = left.shift()) {
				await planOne(deps, endpoints, key);
				planned.push(key);
			}
		}),
	);
	if (planned.length > 0) await store.delete(planned);
	return { planned: planned.length, hasMore: next !== null || planned.length < objects.length };
}

async function planOne({ store, clock, log }: PlanDeps, endpoints: readonly Endpoint[], key: string): Promise<void> {
	const object = await store.get(key);
	if (object === null) return;
	const event = parsedJson(payloadSchema, await object.text());
	if (event === null) {
		log.error({ key }, "An event in the outbox cannot be read: left out");
		return;
	}
	const { type, timestamp, data } = event;
	// A node whose clock is ahead does not make its events wait.
	const dueMs = Math.min(timeOf(timestamp) ?? clock.now(), clock.now());
	for (const endpoint of endpoints)
		if (wantsEvent(endpoint, type, data.path ?? ""))
			await putDelivery(store, "pending", newDelivery(event, endpoint.id, dueMs));
}

/** A time that fits into a key. */
function timeOf(timestamp: string): number | null {
	const ms = Date.parse(timestamp);
	return ms >= 0 && ms < 1e15 ? ms : null;
}

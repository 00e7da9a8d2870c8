/** Delivers once more what was delivered, or given up, before. */

import type { ObjectStore } from "#shared/store/object-store.ts";
import { type Delivery, newDelivery, putDelivery, readDelivery } from "./delivery.ts";
import { findDead } from "./find-deliveries.ts";

/** Deliveries in one request: each is a read and a write, of which a cloud function may make 1,000. */
export const MAX_REPLAYED = 200;
const PARALLEL = 8;

/** Plans a delivery anew, with the same id. Returns its key. */
export async function replay(store: ObjectStore, { event, endpointId }: Delivery, nowMs: number): Promise<string> {
	return putDelivery(store, "pending", newDelivery(event, endpointId, nowMs));
}

/** Plans anew what was given up for an endpoint since a time, the oldest first. `hasMore`: ask again. */
export async function replayDead(
	store: ObjectStore,
	endpointId: string,
	sinceMs: number,
	nowMs: number,
): Promise<{ readonly replayed: number; readonly hasMore: boolean }> {
	const { found, isAll } = await findDead(store, endpointId, sinceMs);
	const chosen = found.slice(0, MAX_REPLAYED);
	const left = [...chosen];
	let replayed = 0;
	await Promise.all(
		Array.from({ length: PARALLEL }, async () => {
			for (let one = left.shift(); one !== undefined; one = left.shift()) {
				const delivery = await readDelivery(store, one.key);
				if (delivery === null || delivery === "damaged") continue;
				await replay(store, delivery, nowMs);
				replayed++;
			}
		}),
	);
	// First where they go, then from where they were.
	if (chosen.length > 0) await store.delete(chosen.map(({ key }) => key));
	return { replayed, hasMore: chosen.length > 0 && (!isAll || found.length > chosen.length) };
}

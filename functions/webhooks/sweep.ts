import { deliveriesPrefix, deliveryPosition } from "#shared/store/key.ts";
import { MAX_LIST_LIMIT, type ObjectStore } from "#shared/store/object-store.ts";
import type { Settings } from "../settings.ts";

const DAY_MS = 86_400_000;
export const SWEEP_INTERVAL_MS = 3_600_000;
/** Listings in one run, for each of the two: they and as many deletions of 1,000 objects. */
const MAX_PAGES = 3;

/**
 * Forgets deliveries that came through, or were given up, long ago. In bounded work: says whether it is done, or has to go
 * on with the next run.
 */
export async function sweepDeliveries(
	store: ObjectStore,
	{ webhookDoneDays, webhookDeadDays }: Pick<Settings, "webhookDoneDays" | "webhookDeadDays">,
	nowMs: number,
): Promise<boolean> {
	const isDone = await sweep(store, "done", nowMs - webhookDoneDays * DAY_MS);
	const isDead = await sweep(store, "dead", nowMs - webhookDeadDays * DAY_MS);
	return isDone && isDead;
}

async function sweep(store: ObjectStore, state: "done" | "dead", beforeMs: number): Promise<boolean> {
	// The newest come first, so what is older stands behind this.
	const startAfter = deliveryPosition(state, beforeMs);
	for (let page = 0; page < MAX_PAGES; page++) {
		const { objects, next } = await store.list(deliveriesPrefix(state), { startAfter, limit: MAX_LIST_LIMIT });
		if (objects.length > 0) await store.delete(objects.map(({ key }) => key));
		if (next === null) return true;
	}
	return false;
}

/**
 * Brings events out of the outbox to their endpoints. Every step leaves the event in at least one object, so that a
 * function may end anywhere: at worst an attempt is made twice, with the same id.
 */

import { OUTBOX_PREFIX } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { DeliveryLease } from "./delivery-lease.ts";
import { attemptDue, firstDueMs } from "./due.ts";
import { planDeliveries } from "./plan.ts";
import { SWEEP_INTERVAL_MS, sweepDeliveries } from "./sweep.ts";

/** One run takes no new delivery after this: with an attempt that takes its time, it ends within the 30 s of a cloud function. */
const RUN_MS = 12_000;

export type DrainDeps = Pick<Deps, "store" | "clock" | "webhooks" | "log"> & {
	readonly settings: Pick<Deps["settings"], "webhookAllowInsecure" | "webhookDoneDays" | "webhookDeadDays">;
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

const NOTHING = { planned: 0, delivered: 0, failed: 0, busy: false };

/** Plans what is new, attempts what is due, and forgets what is old. */
export async function drainOutbox(deps: DrainDeps): Promise<DrainResult> {
	const { store, clock, settings } = deps;
	const untilMs = clock.now() + RUN_MS;
	const idle = await lookFirst(deps);
	if (idle !== null) return { ...NOTHING, nextDueMs: idle.nextDueMs };
	await using lease = await DeliveryLease.take(deps);
	if (lease === null) return { ...NOTHING, busy: true, nextDueMs: clock.now() + 1000 };
	const { notes } = lease;
	const isOver = () => lease.isLost || clock.now() >= untilMs;
	const { planned, hasMore } = await planDeliveries(deps, isOver);
	const { delivered, failed, nextDueMs } = await attemptDue(deps, notes.holds, isOver);
	if (!isOver() && notes.sweptMs <= clock.now() - SWEEP_INTERVAL_MS) {
		// What is too much for one run is gone on with by the next one.
		if (await sweepDeliveries(store, settings, clock.now())) notes.sweptMs = clock.now();
	}
	return { planned, delivered, failed, busy: false, nextDueMs: hasMore ? clock.now() : nextDueMs };
}

/** Most runs find nothing to do: that costs two listings and a read. `null`: there is something. */
async function lookFirst({ store, clock }: DrainDeps): Promise<{ nextDueMs: number | null } | null> {
	const [outbox, nextDueMs] = await Promise.all([store.list(OUTBOX_PREFIX, { limit: 1 }), firstDueMs(store)]);
	if (outbox.objects.length > 0 || (nextDueMs !== null && nextDueMs <= clock.now())) return null;
	return (await DeliveryLease.sweptMs({ store })) <= clock.now() - SWEEP_INTERVAL_MS ? null : { nextDueMs };
}

/** Looks for deliveries by what their keys say, without reading them. */

import { DELIVERY_STATES, type DeliveryState, deliveriesPrefix, deliveryPosition } from "#shared/store/key.ts";
import { MAX_LIST_LIMIT, type ObjectStore } from "#shared/store/object-store.ts";
import { type DeliverySummary, keyOfName, nameOf, summaryOf } from "./delivery-name.ts";

export type Found = { readonly key: string; readonly summary: DeliverySummary };

export type DeliveryQuery = {
	readonly state: DeliveryState;
	readonly wants: ((summary: DeliverySummary) => boolean) | null;
	/** The name of the last one of the page before. */
	readonly cursor: string | null;
	readonly limit: number;
};

/**
 * One page of what fits, from one listing: those that wait, the next one due first; the others the newest first. Where
 * little fits, a page may be short, or empty, and not be the last one. `null` when the cursor is none.
 */
export async function findDeliveries(
	store: ObjectStore,
	{ state, wants, cursor, limit }: DeliveryQuery,
): Promise<{ readonly found: readonly Found[]; readonly next: string | null } | null> {
	const startAfter = cursor === null ? null : keyOfName(state, cursor);
	if (cursor !== null && startAfter === null) return null;
	const { objects, next } = await store.list(deliveriesPrefix(state), {
		limit: wants === null ? limit : MAX_LIST_LIMIT,
		...(startAfter === null ? {} : { startAfter }),
	});
	const found: Found[] = [];
	for (const [i, { key }] of objects.entries()) {
		const summary = summaryOf(state, key);
		if (summary === null || wants?.(summary) === false) continue;
		found.push({ key, summary });
		if (found.length === limit)
			return { found, next: next === null && i === objects.length - 1 ? null : nameOf(state, key) };
	}
	const last = objects.findLast(({ key }) => summaryOf(state, key) !== null);
	return { found, next: next === null || last === undefined ? null : nameOf(state, last.key) };
}

/** Where the delivery of an event to an endpoint is now: among the newest, or most urgent, of each state; `null`: not there. */
export async function findDelivery(store: ObjectStore, endpointId: string, eventId: string): Promise<Found | null> {
	const wants = (summary: DeliverySummary) => summary.endpointId === endpointId && summary.eventId === eventId;
	// It moves on from pending, and never back to it but by a replay: so nothing is missed that moves meanwhile.
	for (const state of DELIVERY_STATES) {
		const page = await findDeliveries(store, { state, wants, cursor: null, limit: 1 });
		const [first] = page?.found ?? [];
		if (first !== undefined) return first;
	}
	return null;
}

const MAX_PAGES = 5;

/**
 * What was given up for an endpoint since a time, the oldest first, of the newest 5,000 there are of all endpoints. `isAll`:
 * there are no more.
 */
export async function findDead(
	store: ObjectStore,
	endpointId: string,
	sinceMs: number,
): Promise<{ readonly found: Found[]; readonly isAll: boolean }> {
	const found: Found[] = [];
	const end = deliveryPosition("dead", sinceMs - 1);
	let startAfter: string | null = null;
	for (let page = 0; page < MAX_PAGES; page++) {
		const { objects, next } = await store.list(deliveriesPrefix("dead"), startAfter === null ? {} : { startAfter });
		for (const { key } of objects) {
			// The newest come first.
			if (key >= end) return { found: inOrder(found), isAll: true };
			const summary = summaryOf("dead", key);
			if (summary?.endpointId === endpointId) found.push({ key, summary });
		}
		if (next === null) return { found: inOrder(found), isAll: true };
		startAfter = next;
	}
	return { found: inOrder(found), isAll: false };
}

function inOrder(found: readonly Found[]): Found[] {
	return found.toSorted((a, b) => a.summary.atMs - b.summary.atMs || a.summary.sequence - b.summary.sequence);
}

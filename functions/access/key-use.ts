/** When API keys were last used: apart from the keys, so that a use never stands in the way of a change. */

import * as z from "zod";
import { hasCode } from "#shared/problem.ts";
import { API_KEY_USE_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";

/** By the id of a key: milliseconds since the Unix epoch. */
const useSchema = z.record(z.string(), z.number());
export type KeyUse = z.infer<typeof useSchema>;

/** Reads when keys were used. Empty when nothing is known, or what is there is damaged. */
export async function readKeyUse(store: ObjectStore): Promise<{ use: KeyUse; etag: string | null }> {
	const object = await store.get(API_KEY_USE_KEY);
	if (object === null) return { use: {}, etag: null };
	const text = await object.text();
	try {
		return { use: useSchema.parse(JSON.parse(text)), etag: object.etag };
	} catch {
		// It is a convenience: the next use writes it anew.
		return { use: {}, etag: object.etag };
	}
}

/**
 * Notes that the key `id` is used now, if nobody did within `stepMs`. Keys that are not among `known` are forgotten.
 * Whoever loses a race leaves it: the next use is as good.
 */
export async function markUsed(
	{ store, clock }: Pick<Deps, "store" | "clock">,
	id: string,
	known: readonly string[],
	stepMs: number,
): Promise<void> {
	const { use, etag } = await readKeyUse(store);
	const nowMs = clock.now();
	if (nowMs - (use[id] ?? 0) < stepMs) return;
	const kept = known.filter((other) => use[other] !== undefined).map((other) => [other, use[other]] as const);
	const body = JSON.stringify({ ...Object.fromEntries(kept), [id]: nowMs });
	const options = { contentType: "application/json" };
	try {
		if (etag === null) await store.putIfAbsent(API_KEY_USE_KEY, body, options);
		else await store.putIfMatch(API_KEY_USE_KEY, body, etag, options);
	} catch (error) {
		if (!hasCode(error, "store.precondition", "store.conflict")) throw error;
	}
}

/** How an entry of the functions counts: what it opens, and when it writes. */

import { within } from "#shared/clock.ts";
import { SluiceError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { countedStore } from "#shared/usage/counted-store.ts";
import { UsageMeter } from "#shared/usage/usage-meter.ts";
import type { Deps } from "../deps.ts";
import { Served } from "./served.ts";

/** A bucket that is slow must not hold an instance for long. */
const FLUSH_TIMEOUT_MS = 2_000;

/** The bucket, where requests are counted, and what counts them. */
export function countUsage({
	store,
	clock,
	log,
	writesShared = false,
}: Pick<Deps, "store" | "clock" | "log"> & { readonly writesShared?: boolean }): Required<
	Pick<Deps, "store" | "usage" | "served">
> {
	const usage = new UsageMeter({
		clock,
		// Each isolate and each instance is a writer of its own, for as long as it lives.
		writer: `functions-${crypto.randomUUID()}`,
		writesShared,
		onFailure: (error) => {
			const fields = error instanceof SluiceError ? { code: error.code } : { err: error };
			log.error(fields, "Usage could not be written; it is tried again in a minute");
		},
	});
	return { store: countedStore(store, usage), usage, served: new Served(clock, usage) };
}

/**
 * Writes what was counted, if that is due: at most once a minute, and nothing when nobody watched. Never fails, and does
 * not take longer than two seconds.
 */
export async function flushUsage(
	{ usage, store, clock }: Pick<Deps, "usage" | "clock"> & { readonly store: ObjectStore },
	{ now = false }: { readonly now?: boolean } = {},
): Promise<void> {
	if (usage === undefined || !(now || usage.isDue)) return;
	await within(clock, FLUSH_TIMEOUT_MS, (signal) => usage.flush(store, { now, signal }));
}

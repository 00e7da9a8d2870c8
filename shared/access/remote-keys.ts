import type { JSONWebKeySet } from "jose";
import * as z from "zod";
import type { Clock } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";

/** How long a key set is used before it is asked for again. */
const MAX_AGE_MS = 60 * 60 * 1000;
/** A token with an unknown key id may ask for the set again, but not more often than this. */
const MIN_AGE_MS = 30_000;
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;

const keySetSchema = z.object({
	keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional() })).max(100),
});

/** The key set at `url`, such as `https://video.example/.well-known/jwks.json`; asked for when it is needed. */
export function remoteKeys({
	url,
	clock,
	fetch,
	maxAgeMs = MAX_AGE_MS,
}: {
	url: string;
	clock: Clock;
	fetch: typeof globalThis.fetch;
	maxAgeMs?: number;
}): (refresh: boolean) => Promise<JSONWebKeySet> {
	let failedMs = Number.NEGATIVE_INFINITY;
	let current: { readonly set: JSONWebKeySet; readonly atMs: number } | null = null;
	let asking: Promise<JSONWebKeySet> | null = null;

	async function ask(): Promise<JSONWebKeySet> {
		const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
		if (!response.ok) throw new Error(`it answered ${response.status}`);
		if (Number(response.headers.get("content-length") ?? 0) > MAX_BYTES) throw new Error("its answer is too large");
		const set = keySetSchema.parse(await response.json()) as JSONWebKeySet;
		current = { set, atMs: clock.monotonic() };
		return set;
	}

	return async (refresh) => {
		const ageMs = current === null ? Number.POSITIVE_INFINITY : clock.monotonic() - current.atMs;
		if (current !== null && ageMs < (refresh ? Math.min(MIN_AGE_MS, maxAgeMs) : maxAgeMs)) return current.set;
		// Nobody waits again for a server that has just not answered.
		if (current !== null && clock.monotonic() - failedMs < MIN_AGE_MS) return current.set;
		asking ??= ask().finally(() => {
			asking = null;
		});
		try {
			return await asking;
		} catch (cause) {
			failedMs = clock.monotonic();
			// Keys do not go bad because their server is away.
			if (current !== null) return current.set;
			const why = cause instanceof Error ? cause.message : String(cause);
			throw new StoreError("store.unavailable", `The keys at ${url} cannot be read: ${why}`, { cause });
		}
	};
}

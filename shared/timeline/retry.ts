/**
 * The one layer that repeats what the bucket failed to do. Stores do not retry, callers of the timeline do not either.
 */

import { abortedError, type Clock } from "#shared/clock.ts";
import { hasCode, type SluiceError, StoreError } from "#shared/problem.ts";

export type Retry = {
	readonly clock: Clock;
	/** From 0 up to, not including, 1: the jitter. */
	readonly random: () => number;
	/** Told before each wait; must not throw. */
	readonly onRetry?: ((error: SluiceError) => void) | undefined;
};

export const RETRY_BASE_MS = 100;
export const RETRY_CAP_MS = 5_000;
/** How long one small request may take. Then its outcome counts as unknown. */
export const ATTEMPT_MS = 15_000;

/**
 * Runs `attempt` until it succeeds, with capped exponential waits and full jitter. What another attempt cannot mend is
 * thrown at once. `store.refused` is repeated too, since credentials get mended while a stream runs, but each time
 * after the longest wait.
 * @throws GoneError `aborted` as soon as `signal` fires
 */
export async function retried<T>(
	retry: Retry,
	attempt: (signal: AbortSignal) => Promise<T>,
	signal: AbortSignal,
	attemptMs = ATTEMPT_MS,
): Promise<T> {
	for (let failures = 0; ; failures++) {
		try {
			return await timed(retry.clock, attempt, signal, attemptMs);
		} catch (error) {
			if (!hasCode(error, "store.conflict", "store.throttled", "store.unavailable", "store.refused")) throw error;
			if (signal.aborted) throw abortedError(signal);
			retry.onRetry?.(error);
			await retry.clock.sleep(waitMs(error, failures, retry.random), signal);
		}
	}
}

function waitMs(error: SluiceError, failures: number, random: () => number): number {
	if (hasCode(error, "store.refused")) return RETRY_CAP_MS;
	return random() * Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(failures, 16));
}

/**
 * Runs one attempt. When it takes longer than `ms` it is stopped and counts as `store.unavailable`: its outcome is
 * unknown.
 */
export async function timed<T>(
	clock: Clock,
	attempt: (signal: AbortSignal) => Promise<T>,
	signal: AbortSignal,
	ms: number,
): Promise<T> {
	if (signal.aborted) throw abortedError(signal);
	const controller = new AbortController();
	// Not AbortSignal.any: on a signal that lives as long as the stream it would leave one dependent per request.
	const onAbort = () => controller.abort(signal.reason);
	signal.addEventListener("abort", onAbort, { once: true });
	using _timer = clock.after(ms, () => controller.abort());
	try {
		return await attempt(controller.signal);
	} catch (error) {
		if (hasCode(error, "aborted") && !signal.aborted) {
			throw new StoreError("store.unavailable", `The bucket gave no answer within ${ms} ms`, { cause: error });
		}
		throw error;
	} finally {
		signal.removeEventListener("abort", onAbort);
	}
}

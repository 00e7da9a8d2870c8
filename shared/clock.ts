import { GoneError } from "#shared/problem.ts";

/** All time goes through a clock, so that a test can own it. */
export interface Clock {
	/** Wall-clock time, in milliseconds since the Unix epoch. It may jump. */
	now(): number;
	/** Milliseconds since some fixed moment. It never goes back. */
	monotonic(): number;
	/** Resolves after `ms` milliseconds, never earlier. Rejects with `aborted` as soon as `signal` fires. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
	/** Calls `run` once after `ms` milliseconds, never earlier, unless disposed before. `run` must not throw. */
	after(ms: number, run: () => void): Disposable;
	/** Calls `run` each `ms` milliseconds until disposed. `run` must not throw. */
	every(ms: number, run: () => void): Disposable;
}

export const systemClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	sleep(ms, signal) {
		return new Promise((resolve, reject) => {
			if (signal?.aborted) {
				reject(abortedError(signal));
				return;
			}
			const onAbort = () => {
				timer[Symbol.dispose]();
				reject(abortedError(signal));
			};
			const timer = systemClock.after(ms, () => {
				signal?.removeEventListener("abort", onAbort);
				resolve();
			});
			signal?.addEventListener("abort", onAbort, { once: true });
		});
	},
	after(ms, run) {
		const dueMs = performance.now() + ms;
		// Timers count whole milliseconds and may fire up to one early: who looks at the clock then would wait for ever.
		const onTimer = () => {
			const leftMs = dueMs - performance.now();
			if (leftMs > 0) timer = setTimeout(onTimer, leftMs);
			else run();
		};
		let timer = setTimeout(onTimer, ms);
		return { [Symbol.dispose]: () => clearTimeout(timer) };
	},
	every(ms, run) {
		const timer = setInterval(run, ms);
		return { [Symbol.dispose]: () => clearInterval(timer) };
	},
};

/** Gives `run` a signal that fires after `ms` milliseconds, or with `stop`. */
export async function within<T>(
	clock: Pick<Clock, "after">,
	ms: number,
	run: (signal: AbortSignal) => Promise<T>,
	stop?: AbortSignal,
): Promise<T> {
	const timeout = new AbortController();
	using _timer = clock.after(ms, () => timeout.abort());
	return await run(stop === undefined ? timeout.signal : AbortSignal.any([stop, timeout.signal]));
}

/** The error of an operation that `signal` stopped. */
export function abortedError(signal?: AbortSignal): GoneError {
	return new GoneError("aborted", "The operation was stopped before it finished", { cause: signal?.reason });
}

/** Throws the {@link abortedError} if `signal` has fired. */
export function throwIfAborted(signal?: AbortSignal): void {
	if (signal?.aborted) throw abortedError(signal);
}

import { GoneError } from "#shared/problem.ts";

/** All time goes through a clock, so that a test can own it. */
export interface Clock {
	/** Wall-clock time, in milliseconds since the Unix epoch. It may jump. */
	now(): number;
	/** Milliseconds since some fixed moment. It never goes back. */
	monotonic(): number;
	/** Resolves after `ms` milliseconds. Rejects with `aborted` as soon as `signal` fires. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
	/** Calls `run` once after `ms` milliseconds, unless disposed before. `run` must not throw. */
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
				clearTimeout(timer);
				reject(abortedError(signal));
			};
			const timer = setTimeout(() => {
				signal?.removeEventListener("abort", onAbort);
				resolve();
			}, ms);
			signal?.addEventListener("abort", onAbort, { once: true });
		});
	},
	after(ms, run) {
		const timer = setTimeout(run, ms);
		return { [Symbol.dispose]: () => clearTimeout(timer) };
	},
	every(ms, run) {
		const timer = setInterval(run, ms);
		return { [Symbol.dispose]: () => clearInterval(timer) };
	},
};

/** The error of an operation that `signal` stopped. */
export function abortedError(signal?: AbortSignal): GoneError {
	return new GoneError("aborted", "The operation was stopped before it finished", { cause: signal?.reason });
}

/** Throws the {@link abortedError} if `signal` has fired. */
export function throwIfAborted(signal?: AbortSignal): void {
	if (signal?.aborted) throw abortedError(signal);
}

/** A cheap discrete simulation: a clock whose timers a driver fires one by one, and nodes that pause and crash in it. */

import { abortedError, type Clock } from "#shared/clock.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

type Timer = { at: number; readonly id: number; run: (() => void) | null };

/** Time stands still but for {@link step}, which jumps to the next timer. Timers of one moment fire in their order. */
export class SimulatedClock implements Clock {
	#nowMs = 0;
	#ids = 0;
	/** A binary heap. */
	readonly #heap: Timer[] = [];

	now(): number {
		return Date.UTC(2026, 0, 1) + this.#nowMs;
	}

	monotonic(): number {
		return this.#nowMs;
	}

	sleep(ms: number, signal?: AbortSignal): Promise<void> {
		return sleepBy(this, ms, signal);
	}

	after(ms: number, run: () => void): Disposable {
		const timer: Timer = { at: this.#nowMs + Math.max(0, ms), id: this.#ids++, run };
		this.#push(timer);
		return {
			[Symbol.dispose]: () => {
				timer.run = null;
			},
		};
	}

	every(ms: number, run: () => void): Disposable {
		let next: Disposable;
		const again = () => {
			next = this.after(ms, () => {
				again();
				run();
			});
		};
		again();
		return { [Symbol.dispose]: () => next[Symbol.dispose]() };
	}

	/** Fires the next timer. Says whether there was one. What it set off must settle before the next step. */
	step(): boolean {
		for (;;) {
			const timer = this.#pop();
			if (timer === undefined) return false;
			if (timer.run === null) continue;
			this.#nowMs = Math.max(this.#nowMs, timer.at);
			timer.run();
			return true;
		}
	}

	#push(timer: Timer): void {
		const heap = this.#heap;
		let i = heap.push(timer) - 1;
		while (i > 0) {
			const parent = (i - 1) >> 1;
			if (!isBefore(timer, heap[parent]!)) break;
			heap[i] = heap[parent]!;
			i = parent;
		}
		heap[i] = timer;
	}

	#pop(): Timer | undefined {
		const heap = this.#heap;
		const top = heap[0];
		const last = heap.pop();
		if (top === undefined || last === undefined || heap.length === 0) return top;
		let i = 0;
		for (;;) {
			let child = 2 * i + 1;
			if (child >= heap.length) break;
			if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
			if (!isBefore(heap[child]!, last)) break;
			heap[i] = heap[child]!;
			i = child;
		}
		heap[i] = last;
		return top;
	}
}

function isBefore(a: Timer, b: Timer): boolean {
	return a.at < b.at || (a.at === b.at && a.id < b.id);
}

function sleepBy(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(abortedError(signal));
			return;
		}
		const onAbort = () => {
			timer[Symbol.dispose]();
			reject(abortedError(signal));
		};
		const timer = clock.after(ms, () => {
			signal?.removeEventListener("abort", onAbort);
			resolve();
		});
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}

/**
 * A process: all its timers and all answers of its store come through it, so that it can pause (nothing reaches it, and
 * what it was about to send goes out late) or crash (nothing reaches it ever again, what it has sent still lands).
 */
export class SimulatedProcess {
	readonly clock: Clock;
	readonly #world: SimulatedClock;
	readonly #skewMs: number;
	#state: "running" | "paused" | "crashed" = "running";
	#held: (() => void)[] = [];
	/** How long the monotonic clock stood still. */
	#frozenMs = 0;

	/** `skewMs`: how wrong its wall clock is. */
	constructor(world: SimulatedClock, skewMs = 0) {
		this.#world = world;
		this.#skewMs = skewMs;
		this.clock = {
			now: () => world.now() + this.#skewMs,
			monotonic: () => world.monotonic() - this.#frozenMs,
			sleep: (ms, signal) => sleepBy(this.clock, ms, signal),
			after: (ms, run) => {
				let isDisposed = false;
				const timer = world.after(ms, () => this.#deliver(() => isDisposed || run()));
				return {
					[Symbol.dispose]: () => {
						isDisposed = true;
						timer[Symbol.dispose]();
					},
				};
			},
			every: (ms, run) => world.every(ms, () => this.#deliver(run)),
		};
	}

	/** Pauses the process. `suspended`: its monotonic clock does not count the time, as on a machine that sleeps. */
	pause(ms: number, suspended: boolean): void {
		if (this.#state !== "running") return;
		this.#state = "paused";
		this.#world.after(ms, () => {
			if (this.#state !== "paused") return;
			this.#state = "running";
			if (suspended) this.#frozenMs += ms;
			for (const run of this.#held.splice(0)) run();
		});
	}

	crash(): void {
		this.#state = "crashed";
		this.#held = [];
	}

	get isCrashed(): boolean {
		return this.#state === "crashed";
	}

	#deliver(run: () => void): void {
		if (this.#state === "running") run();
		else if (this.#state === "paused") this.#held.push(run);
	}

	#pass(): Promise<void> {
		return new Promise((resolve) => this.#deliver(resolve));
	}

	/** `store` as this process sees it. An operation that is stopped goes on in the network, and may land much later. */
	connect(store: ObjectStore): ObjectStore {
		const call = async <T>(signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T> => {
			await this.#pass();
			if (signal?.aborted) throw abortedError(signal);
			const answer = send();
			try {
				return await (signal === undefined ? answer : firstOf(answer, signal));
			} finally {
				await this.#pass();
			}
		};
		const later = <O extends { signal?: AbortSignal | undefined }>(options: O | undefined) => ({
			...options,
			signal: undefined,
		});
		return {
			get: (key, options) => call(options?.signal, () => store.get(key, later(options))),
			getIfChanged: (key, etag, options) => call(options?.signal, () => store.getIfChanged(key, etag, later(options))),
			head: (key, options) => call(options?.signal, () => store.head(key, later(options))),
			put: (key, body, options) => call(options?.signal, () => store.put(key, body, later(options))),
			putIfAbsent: (key, body, options) => call(options?.signal, () => store.putIfAbsent(key, body, later(options))),
			putIfMatch: (key, body, etag, options) =>
				call(options?.signal, () => store.putIfMatch(key, body, etag, later(options))),
			delete: (keys, options) => call(options?.signal, () => store.delete(keys, later(options))),
			list: (prefix, options) => call(options?.signal, () => store.list(prefix, later(options))),
		};
	}
}

function firstOf<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		const onAbort = () => reject(abortedError(signal));
		signal.addEventListener("abort", onAbort, { once: true });
		answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
	});
}

/** Runs simulations side by side, `atOnce` at a time: all promises of one turn settle together, which is what costs. */
export async function simulateAll(
	count: number,
	atOnce: number,
	begin: (index: number) => { step(): boolean; finish(): Promise<void> },
): Promise<void> {
	const running = new Set<{ step(): boolean; finish(): Promise<void> }>();
	let begun = 0;
	while (begun < count || running.size > 0) {
		while (running.size < atOnce && begun < count) running.add(begin(begun++));
		await new Promise((resolve) => setImmediate(resolve));
		for (const simulation of running) {
			if (simulation.step()) continue;
			running.delete(simulation);
			await simulation.finish();
		}
	}
}

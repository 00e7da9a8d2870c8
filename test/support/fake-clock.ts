import { abortedError, type Clock } from "#shared/clock.ts";

type Timer = { readonly id: number; at: number; readonly everyMs: number | null; readonly run: () => void };

/** A clock that stands still until a test moves it. Timers fire in the order of their time, then of their making. */
export class FakeClock implements Clock {
	#nowMs: number;
	readonly #startMs: number;
	#nextId = 0;
	readonly #timers = new Map<number, Timer>();

	constructor(startMs = Date.UTC(2026, 0, 1)) {
		this.#nowMs = startMs;
		this.#startMs = startMs;
	}

	now(): number {
		return this.#nowMs;
	}

	monotonic(): number {
		return this.#nowMs - this.#startMs;
	}

	/** How many timers wait: zero after a test that closed everything. */
	get pending(): number {
		return this.#timers.size;
	}

	sleep(ms: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			if (signal?.aborted) {
				reject(abortedError(signal));
				return;
			}
			const timer = this.after(ms, () => {
				signal?.removeEventListener("abort", onAbort);
				resolve();
			});
			const onAbort = () => {
				timer[Symbol.dispose]();
				reject(abortedError(signal));
			};
			signal?.addEventListener("abort", onAbort, { once: true });
		});
	}

	after(ms: number, run: () => void): Disposable {
		return this.#add(ms, null, run);
	}

	every(ms: number, run: () => void): Disposable {
		return this.#add(ms, Math.max(1, ms), run);
	}

	#add(ms: number, everyMs: number | null, run: () => void): Disposable {
		const id = this.#nextId++;
		this.#timers.set(id, { id, at: this.#nowMs + Math.max(0, ms), everyMs, run });
		return { [Symbol.dispose]: () => void this.#timers.delete(id) };
	}

	/** The time of the next timer, or `null`. */
	get nextAt(): number | null {
		let next: number | null = null;
		for (const timer of this.#timers.values()) if (next === null || timer.at < next) next = timer.at;
		return next;
	}

	/** Moves time by `ms`, firing what falls due, and lets promises settle after each timer. */
	async advance(ms: number): Promise<void> {
		const end = this.#nowMs + ms;
		await settle();
		for (;;) {
			const due = [...this.#timers.values()].filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
			if (due === undefined) break;
			this.#nowMs = Math.max(this.#nowMs, due.at);
			if (due.everyMs === null) this.#timers.delete(due.id);
			else due.at += due.everyMs;
			due.run();
			await settle();
		}
		this.#nowMs = end;
		await settle();
	}
}

/** Lets every promise that can settle now do so. */
export async function settle(): Promise<void> {
	for (let i = 0; i < 20; i++) await Promise.resolve();
	await new Promise((resolve) => setImmediate(resolve));
}

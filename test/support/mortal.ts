/** Processes that die in the midst of what they do: from then on nothing of theirs happens, and nothing ever answers them. */

import type { Clock } from "#shared/clock.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

export class Mortal {
	isDead = false;
	/** So many operations of the bucket are begun; in the last one it dies. */
	#left: number;
	readonly #random: () => number;
	readonly #timers = new Set<Disposable>();

	constructor(operations: number, random: () => number) {
		this.#left = operations;
		this.#random = random;
	}

	die(): void {
		this.isDead = true;
		for (const timer of this.#timers) timer[Symbol.dispose]();
		this.#timers.clear();
	}

	/** The bucket, until it dies: half of the time before the last operation takes effect, and half after. */
	store(store: ObjectStore): ObjectStore {
		return new Proxy(store, {
			get: (target, name) => {
				const member = Reflect.get(target, name) as unknown;
				if (typeof member !== "function") return member;
				return async (...args: unknown[]) => {
					const isLast = --this.#left === 0;
					if (isLast && this.#random() < 0.5) this.die();
					if (this.isDead) return never();
					const result: unknown = await (member as (...rest: unknown[]) => unknown).apply(target, args);
					if (isLast) this.die();
					return this.isDead ? never() : result;
				};
			},
		});
	}

	/** The clock: timers end with the process. */
	clock(clock: Clock): Clock {
		const kept = (timer: Disposable): Disposable => {
			this.#timers.add(timer);
			return {
				[Symbol.dispose]: () => {
					this.#timers.delete(timer);
					timer[Symbol.dispose]();
				},
			};
		};
		return {
			now: () => clock.now(),
			monotonic: () => clock.monotonic(),
			sleep: (ms, signal) => clock.sleep(ms, signal).then(() => (this.isDead ? never<void>() : undefined)),
			after: (ms, run) => kept(clock.after(ms, run)),
			every: (ms, run) => kept(clock.every(ms, run)),
		};
	}

	/** What a call came to, if it still lives then. */
	async call<T>(run: () => Promise<T>): Promise<T> {
		if (this.isDead) return never<T>();
		try {
			const result = await run();
			return this.isDead ? await never<T>() : result;
		} catch (error) {
			if (this.isDead) return never<T>();
			throw error;
		}
	}
}

function never<T>(): Promise<T> {
	return new Promise<T>(() => undefined);
}

import type { SluiceError } from "#shared/problem.ts";

export type TurnstileOptions = {
	/** How many pieces of work may run at the same time. */
	readonly atOnce: number;
	/** How many more may wait; any further one is refused. */
	readonly maxWaiting: number;
	/** What a refused one gets. */
	readonly full: () => SluiceError;
};

/** Lets asynchronous work through in the order in which it came, a few pieces at a time. */
export class Turnstile {
	readonly #options: TurnstileOptions;
	readonly #waiting: (() => void)[] = [];
	#inside = 0;

	constructor(options: TurnstileOptions) {
		this.#options = options;
	}

	/** Nobody is inside or waits. */
	get idle(): boolean {
		return this.#inside === 0;
	}

	/** Runs `work` when it is its turn. Rejects as `work` does, or with the error of a full turnstile. */
	async pass<T>(work: () => Promise<T>): Promise<T> {
		if (this.#inside < this.#options.atOnce) this.#inside++;
		else if (this.#waiting.length >= this.#options.maxWaiting) throw this.#options.full();
		else await new Promise<void>((enter) => this.#waiting.push(enter));
		try {
			return await work();
		} finally {
			// Who waits takes over this place, so that nobody slips in between.
			const enter = this.#waiting.shift();
			if (enter === undefined) this.#inside--;
			else enter();
		}
	}
}

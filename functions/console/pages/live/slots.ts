/** Lets so many tasks run at the same time; the others wait in the order in which they came. */
export class Slots {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	constructor(count: number) {
		this.#free = count;
	}

	/** Runs the task when there is a place. Who has given up before that is passed over: the task is not run. */
	async run(task: () => Promise<void>, signal: AbortSignal): Promise<void> {
		if (this.#free > 0) this.#free -= 1;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		try {
			if (!signal.aborted) await task();
		} finally {
			const next = this.#waiting.shift();
			if (next === undefined) this.#free += 1;
			else next();
		}
	}
}

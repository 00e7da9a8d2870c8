import type { FileUnit } from "./media-source.ts";

/** A unit that waits, with its decoding time in seconds. */
type Waiting = { readonly unit: FileUnit; readonly seconds: number };

/** Units wait for those of other tracks no longer than this. */
const MAX_WAIT_SECONDS = 2;
const MAX_WAITING = 2_048;

/**
 * Puts the units of several tracks, each in its order, into the order of their decoding times: transport streams have
 * the end of a picture behind sound that is played after it. A track that says nothing holds the others up only for a
 * while.
 */
export class Interleaver {
	readonly #clockRates: readonly number[];
	readonly #queues: Waiting[][];
	#waiting = 0;
	#newest = Number.NEGATIVE_INFINITY;

	constructor(clockRates: readonly number[]) {
		this.#clockRates = clockRates;
		this.#queues = clockRates.map(() => []);
	}

	/** Takes the next unit of a track, and gives those whose turn has come. */
	push(unit: FileUnit): FileUnit[] {
		const seconds = unit.dts / (this.#clockRates[unit.trackIndex] ?? 1);
		this.#queues[unit.trackIndex]?.push({ unit, seconds });
		this.#waiting++;
		this.#newest = Math.max(this.#newest, seconds);
		return this.#take(false);
	}

	/** Gives what still waits. */
	end(): FileUnit[] {
		return this.#take(true);
	}

	#take(all: boolean): FileUnit[] {
		const units: FileUnit[] = [];
		while (this.#waiting > 0) {
			const first = this.#first();
			const head = first?.[0];
			if (first === null || head === undefined) break;
			const due =
				all ||
				this.#waiting > MAX_WAITING ||
				this.#queues.every((queue) => queue.length > 0) ||
				this.#newest - head.seconds > MAX_WAIT_SECONDS;
			if (!due) break;
			first.shift();
			this.#waiting--;
			units.push(head.unit);
		}
		return units;
	}

	/** The queue whose head is the earliest. */
	#first(): Waiting[] | null {
		let best: Waiting[] | null = null;
		for (const queue of this.#queues) {
			const seconds = queue[0]?.seconds;
			if (seconds !== undefined && (best === null || seconds < (best[0]?.seconds ?? 0))) best = queue;
		}
		return best;
	}
}

import { totalmem } from "node:os";

/** The smallest arena: about the audio of one segment. */
export const MIN_ARENA_BYTES = 32 * 1024;
/** Of arenas that wait for use: so much is always kept. Those in use are bounded by who uses them. */
export const MIN_FREE_BYTES = 64 * 1024 * 1024;
/** Takes after which a span ends, and at least twice as many as there are arenas in use: each is taken anew in that time. */
const MIN_SPAN_TAKES = 64;

/** The arenas of one size. */
type Shelf = {
	readonly bytes: number;
	readonly free: Uint8Array[];
	inUse: number;
	/** The most that were in use at once, in this span and in the one before. */
	most: number;
	mostBefore: number;
};

/**
 * Memory for segments, used again and again, so that the packager of each stream makes no garbage and touches no fresh
 * pages. Arenas come in powers of two. One pool serves all streams of a node.
 *
 * {@link MIN_FREE_BYTES} may wait for use. Beyond them a size has no more arenas than were in use at once of late, be they
 * free or in use: so all that many streams let go of in one moment is there in the next, and goes when the streams have
 * gone. "Of late" are two spans of takes, for time means nothing here: where nobody takes, nothing changes. When the last
 * arena comes back nobody will count any more, and what is more than the minimum goes at once.
 */
export class ArenaPool {
	readonly #minFreeBytes: number;
	readonly #maxFreeBytes: number;
	/** By the exponent of their size. */
	readonly #shelves: Shelf[] = [];
	#freeBytes = 0;
	#inUse = 0;
	#takes = 0;
	#made = 0;

	/** `maxFreeBytes`: never do more wait for use; by default a quarter of the memory that there is. */
	constructor(minFreeBytes = MIN_FREE_BYTES, maxFreeBytes = memoryBytes() / 4) {
		this.#minFreeBytes = Math.min(minFreeBytes, maxFreeBytes);
		this.#maxFreeBytes = maxFreeBytes;
	}

	/** Bytes of arenas that wait for use. */
	get freeBytes(): number {
		return this.#freeBytes;
	}

	/** How many arenas were made so far: it stands still when all are used again. */
	get made(): number {
		return this.#made;
	}

	/** An arena of `bytes` or more, with whatever was in it before. */
	take(bytes: number): Uint8Array {
		const shelf = this.#shelf(exponentOf(Math.max(bytes, MIN_ARENA_BYTES)));
		const arena = this.#takeFrom(shelf);
		this.#inUse++;
		shelf.inUse++;
		shelf.most = Math.max(shelf.most, shelf.inUse);
		if (++this.#takes >= Math.max(MIN_SPAN_TAKES, 2 * this.#inUse)) this.#endSpan();
		return arena;
	}

	/** Gives an arena back that `take` gave. Nobody may look at it any more. */
	give(arena: Uint8Array): void {
		const shelf = this.#shelf(exponentOf(arena.length));
		this.#inUse--;
		shelf.inUse--;
		const freeBytes = this.#freeBytes + arena.length;
		if (freeBytes <= this.#minFreeBytes || (freeBytes <= this.#maxFreeBytes && !isFull(shelf))) {
			this.#freeBytes = freeBytes;
			shelf.free.push(arena);
		}
		if (this.#inUse === 0) this.#forget();
	}

	#takeFrom({ bytes, free }: Shelf): Uint8Array {
		const arena = free.pop();
		if (arena === undefined) {
			this.#made++;
			return new Uint8Array(bytes);
		}
		this.#freeBytes -= bytes;
		return arena;
	}

	#shelf(exponent: number): Shelf {
		let shelf = this.#shelves[exponent];
		if (shelf === undefined) {
			shelf = { bytes: 2 ** exponent, free: [], inUse: 0, most: 0, mostBefore: 0 };
			this.#shelves[exponent] = shelf;
		}
		return shelf;
	}

	#endSpan(): void {
		this.#takes = 0;
		for (const shelf of this.#shelves) {
			// A size that was never asked for is a hole.
			if (shelf === undefined) continue;
			shelf.mostBefore = shelf.most;
			shelf.most = shelf.inUse;
		}
		this.#trim();
	}

	#forget(): void {
		for (const shelf of this.#shelves) {
			if (shelf === undefined) continue;
			shelf.most = 0;
			shelf.mostBefore = 0;
		}
		this.#trim();
	}

	/** Lets go of what is more than may wait for use. */
	#trim(): void {
		for (const shelf of this.#shelves) {
			while (shelf !== undefined && this.#freeBytes > this.#minFreeBytes && shelf.free.length > 0) {
				if (shelf.free.length + shelf.inUse <= Math.max(shelf.most, shelf.mostBefore)) break;
				shelf.free.pop();
				this.#freeBytes -= shelf.bytes;
			}
		}
	}
}

/** There are as many as were in use at once of late. */
function isFull({ free, inUse, most, mostBefore }: Shelf): boolean {
	return free.length + inUse >= Math.max(most, mostBefore);
}

/** Of the smallest power of two that is `bytes` or more. */
function exponentOf(bytes: number): number {
	return 32 - Math.clz32(bytes - 1);
}

/** What this process may have: all of the machine's, or what its container has. */
function memoryBytes(): number {
	const constrained = process.constrainedMemory();
	return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

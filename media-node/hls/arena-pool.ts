/** The smallest arena: about the audio of one segment. */
export const MIN_ARENA_BYTES = 32 * 1024;
/** Of arenas that wait for use. Those in use are bounded by who uses them. */
export const MAX_FREE_BYTES = 64 * 1024 * 1024;

/**
 * Memory for segments, used again and again, so that the packager of each stream makes no garbage and touches no fresh
 * pages. Arenas come in powers of two. One pool serves all streams of a node.
 */
export class ArenaPool {
	readonly #maxFreeBytes: number;
	/** By the exponent of their size. */
	readonly #free: Uint8Array[][] = [];
	#freeBytes = 0;
	#made = 0;

	constructor(maxFreeBytes = MAX_FREE_BYTES) {
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
		const exponent = exponentOf(Math.max(bytes, MIN_ARENA_BYTES));
		const arena = this.#free[exponent]?.pop();
		if (arena === undefined) {
			this.#made++;
			return new Uint8Array(2 ** exponent);
		}
		this.#freeBytes -= arena.length;
		return arena;
	}

	/** Gives an arena back that `take` gave. Nobody may look at it any more. */
	give(arena: Uint8Array): void {
		if (this.#freeBytes + arena.length > this.#maxFreeBytes) return;
		this.#freeBytes += arena.length;
		const exponent = exponentOf(arena.length);
		const list = this.#free[exponent];
		if (list === undefined) this.#free[exponent] = [arena];
		else list.push(arena);
	}
}

/** Of the smallest power of two that is `bytes` or more. */
function exponentOf(bytes: number): number {
	return 32 - Math.clz32(bytes - 1);
}

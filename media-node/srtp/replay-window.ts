/** How far behind the newest packet others may come: at least 64. RFC 3711 §3.3.2. */
export const REPLAY_WINDOW = 128;

/**
 * Remembers which of the last {@link REPLAY_WINDOW} packets of a source were there, by their index: a whole number
 * below 2^48.
 *
 * @see RFC 3711 §3.3.2
 */
export class ReplayWindow {
	/** The index that was last seen in each place: an index stands at its remainder. */
	readonly #seen = new Float64Array(REPLAY_WINDOW).fill(-1);

	/** The highest index that was there; -1 before the first one. */
	highest = -1;

	/** Says whether the packet is new, and not too old to know. */
	admits(index: number): boolean {
		if (index > this.highest) return true;
		return index > this.highest - REPLAY_WINDOW && this.#seen[index % REPLAY_WINDOW] !== index;
	}

	/** Notes that an admitted packet is there. Only to be called for what was authenticated. */
	mark(index: number): void {
		this.#seen[index % REPLAY_WINDOW] = index;
		if (index > this.highest) this.highest = index;
	}
}

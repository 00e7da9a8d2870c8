import { sequenceDistance } from "../rtp/rtp-packet.ts";

/**
 * Gives sequence numbers of 16 bits their number of cycles, so that they can be compared. The first one is beyond
 * 65535, so that what came before it is still above 0.
 */
export class SequenceUnwrapper {
	#last = -1;

	/** The number nearest to the last one. */
	unwrap(sequence: number): number {
		if (this.#last === -1) this.#last = 0x10000 + sequence;
		else this.#last += sequenceDistance(this.#last & 0xffff, sequence);
		return this.#last;
	}

	/** Like {@link unwrap}, without taking note of it. */
	peek(sequence: number): number {
		if (this.#last === -1) return 0x10000 + sequence;
		return this.#last + sequenceDistance(this.#last & 0xffff, sequence);
	}

	/** Forgets what came. */
	reset(): void {
		this.#last = -1;
	}
}

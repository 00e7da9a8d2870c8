const MODULUS = 2 ** 33;

/** Makes time stamps of 33 bits (ISO 13818-1 §2.4.3.7) into ones that do not wrap. All tracks of a program share it. */
export class TimeUnwrapper {
	#last: number | null = null;

	/** The time that is nearest to the one before, and at least 0 for the first. */
	unwrap(time: number): number {
		if (this.#last === null) {
			this.#last = time;
			return time;
		}
		const ahead = (((time - this.#last) % MODULUS) + MODULUS) % MODULUS;
		this.#last += ahead < MODULUS / 2 ? ahead : ahead - MODULUS;
		return this.#last;
	}
}

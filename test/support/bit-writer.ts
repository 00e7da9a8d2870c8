/** Writes bits, to build parameter sets field by field. */
export class BitWriter {
	#bits = "";

	/** `count` bits, unsigned. */
	u(count: number, value: number): this {
		this.#bits += count === 0 ? "" : value.toString(2).padStart(count, "0").slice(-count);
		return this;
	}

	/** Unsigned exp-Golomb codes. */
	ue(...values: number[]): this {
		for (const value of values) {
			const code = (value + 1).toString(2);
			this.#bits += "0".repeat(code.length - 1) + code;
		}
		return this;
	}

	/** Signed exp-Golomb codes. */
	se(...values: number[]): this {
		return this.ue(...values.map((value) => (value > 0 ? value * 2 - 1 : -value * 2)));
	}

	/** All bits, with the trailing bits of an RBSP. */
	bytes(): Uint8Array {
		const bits = `${this.#bits}1`;
		const length = Math.ceil(bits.length / 8);
		return Uint8Array.from({ length }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, "0"), 2));
	}
}

/** What was used last, up to a number of bytes; the rest is forgotten. What is larger than that is not kept at all. */
export class ByteLru<V> {
	readonly #maxBytes: number;
	readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
	#bytes = 0;

	constructor(maxBytes: number) {
		this.#maxBytes = maxBytes;
	}

	/** How many bytes it holds, by what it was told of each value. */
	get bytes(): number {
		return this.#bytes;
	}

	get(key: string): V | undefined {
		const entry = this.#entries.get(key);
		if (entry === undefined) return undefined;
		this.#entries.delete(key);
		this.#entries.set(key, entry);
		return entry.value;
	}

	set(key: string, value: V, bytes: number): void {
		this.delete(key);
		if (bytes > this.#maxBytes) return;
		this.#entries.set(key, { value, bytes });
		this.#bytes += bytes;
		for (const oldest of this.#entries.keys()) {
			if (this.#bytes <= this.#maxBytes) return;
			this.delete(oldest);
		}
	}

	delete(key: string): void {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		this.#entries.delete(key);
		this.#bytes -= entry.bytes;
	}
}

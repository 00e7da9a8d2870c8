/**
 * Where the parts of an access unit are gathered and joined, for their packets may be gone before it is whole: a growing
 * buffer that is used again and again. Two of them take turns, one access unit each, because one packet may complete a
 * unit and begin the next, while the first was not yet read.
 */
export class FragmentArena {
	#bytes = new Uint8Array(0);
	#spare = new Uint8Array(0);
	#start = 0;
	#end = 0;

	/** How many bytes the frame in work has so far. */
	get length(): number {
		return this.#end - this.#start;
	}

	/** Begins a frame. One that was not taken is forgotten. */
	begin(): void {
		this.#end = this.#start;
	}

	/** Adds to the frame: `length` bytes at `offset`. The caller bounds the size of frames. */
	append(bytes: Uint8Array, offset: number, length: number): void {
		this.#reserve(length);
		this.#bytes.set(bytes.subarray(offset, offset + length), this.#end);
		this.#end += length;
	}

	appendByte(value: number): void {
		this.#reserve(1);
		this.#bytes[this.#end++] = value;
	}

	/** The frame, as a view that holds until the unit after the next one. */
	take(): Uint8Array {
		const frame = this.#bytes.subarray(this.#start, this.#end);
		this.#start = this.#end;
		return frame;
	}

	/** Ends an access unit: its frames stay as they are during the next one. */
	swap(): void {
		const bytes = this.#bytes;
		this.#bytes = this.#spare;
		this.#spare = bytes;
		this.#start = 0;
		this.#end = 0;
	}

	#reserve(count: number): void {
		if (this.#end + count <= this.#bytes.length) return;
		const length = this.length;
		// Frames that were taken stay where they are: views keep the old buffer alive.
		const grown = new Uint8Array(Math.max(MIN_BYTES, (length + count) * 2, this.#bytes.length * 2));
		grown.set(this.#bytes.subarray(this.#start, this.#end));
		this.#bytes = grown;
		this.#start = 0;
		this.#end = length;
	}
}

const MIN_BYTES = 16 * 1024;

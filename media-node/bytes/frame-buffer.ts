import { ProtocolError } from "#shared/problem.ts";

const INITIAL_BYTES = 4 * 1024;
/** Of a connection on which nothing has waited yet, as it is on most. */
const NOTHING = new Uint8Array(0);
/** Above this the memory of a large message is given back; below, reads of the usual size would make it come and go. */
const KEPT_BYTES = 256 * 1024;

/**
 * Gathers what a TCP connection brings until whole frames are there: one growing buffer and a cursor. Copies each byte
 * once; a slow drip of small reads costs no more than a few large ones.
 */
export class FrameBuffer {
	readonly #maxBytes: number;
	#bytes: Uint8Array = NOTHING;
	#start = 0;
	#end = 0;

	/** `maxBytes` bounds what may wait: the largest frame and one read behind it. */
	constructor(maxBytes: number) {
		this.#maxBytes = maxBytes;
	}

	/** How many bytes wait. */
	get length(): number {
		return this.#end - this.#start;
	}

	/** What waits is `length` bytes of this, at `offset`. Both change with `append` and `consume`. */
	get bytes(): Uint8Array {
		return this.#bytes;
	}

	get offset(): number {
		return this.#start;
	}

	/** The first `length` of the bytes that wait, as a view: it holds until the next `append`. */
	view(length: number): Uint8Array {
		if (length > this.length) throw new RangeError(`Cannot view ${length} of ${this.length} bytes`);
		return this.#bytes.subarray(this.#start, this.#start + length);
	}

	/** Adds a copy of `chunk`. Throws `bytes.limit` when more would wait than may. */
	append(chunk: Uint8Array): void {
		const waiting = this.length;
		const needed = waiting + chunk.length;
		if (needed > this.#maxBytes) {
			throw new ProtocolError("bytes.limit", `More than ${this.#maxBytes} bytes came without a whole message`, {
				data: { limit: this.#maxBytes },
			});
		}
		if (waiting === 0) this.#rewind();
		if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(needed);
		this.#bytes.set(chunk, this.#end);
		this.#end += chunk.length;
	}

	/** Drops the first `length` of the bytes that wait. Views of them hold until the next `append`. */
	consume(length: number): void {
		if (length < 0 || length > this.length) throw new RangeError(`Cannot consume ${length} of ${this.length} bytes`);
		this.#start += length;
	}

	#rewind(): void {
		this.#start = 0;
		this.#end = 0;
		if (this.#bytes.length > KEPT_BYTES) this.#bytes = NOTHING;
	}

	#makeRoom(needed: number): void {
		const waiting = this.length;
		const largest = this.#bytes.length === this.#maxBytes;
		if (largest || needed * 2 <= this.#bytes.length) {
			// Half of the buffer was consumed since the last move, or one message fills it: either pays for moving.
			this.#bytes.copyWithin(0, this.#start, this.#end);
		} else {
			const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(INITIAL_BYTES, needed * 2)));
			grown.set(this.#bytes.subarray(this.#start, this.#end));
			this.#bytes = grown;
		}
		this.#start = 0;
		this.#end = waiting;
	}
}

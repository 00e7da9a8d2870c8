import { putU32 } from "../bytes/big-endian.ts";
import { av1SizedBytes, putAv1Sized } from "../codecs/av1.ts";
import { NAL_LENGTH_BYTES } from "../mp4/decoder-config.ts";
import type { ArenaPool } from "./arena-pool.ts";

/**
 * The bytes of one segment, in one piece: samples are copied in once, behind room that is kept free for the header; the
 * header, whose size is known last, is put right before them.
 */
export class SegmentArena {
	readonly #pool: ArenaPool;
	#memory: Uint8Array;
	/** Where the samples begin. */
	#start: number;
	#end: number;

	/** `headroom` and `payload`: how many bytes of each are expected. More or less is fine. */
	constructor(pool: ArenaPool, headroom: number, payload: number) {
		this.#pool = pool;
		this.#memory = pool.take(headroom + payload);
		this.#start = headroom;
		this.#end = headroom;
	}

	/** Bytes of the samples so far. */
	get length(): number {
		return this.#end - this.#start;
	}

	append(bytes: Uint8Array): void {
		const at = this.#grow(bytes.length);
		this.#memory.set(bytes, at);
	}

	/** Adds a NAL unit behind its length, ISO 14496-15 §4.3.2. */
	appendNal(nal: Uint8Array): void {
		const at = this.#grow(NAL_LENGTH_BYTES + nal.length);
		putU32(this.#memory, at, nal.length);
		this.#memory.set(nal, at + NAL_LENGTH_BYTES);
	}

	/** Adds an AV1 OBU, which has no size field, with one. It is not empty. */
	appendObu(obu: Uint8Array): void {
		const at = this.#grow(av1SizedBytes(obu));
		putAv1Sized(this.#memory, at, obu);
	}

	/** Takes the samples from byte `length` on out again. */
	truncate(length: number): void {
		if (length < 0 || length > this.length) throw new RangeError(`Cannot cut ${this.length} bytes at ${length}`);
		this.#end = this.#start + length;
	}

	/** The samples from byte `offset` on, as a view: it holds until something is added. */
	from(offset: number): Uint8Array {
		return this.#memory.subarray(this.#start + offset, this.#end);
	}

	/** Puts the header before the samples: the whole segment, as a view that holds until `release`. */
	finish(header: Uint8Array): Uint8Array {
		if (header.length > this.#start) this.#shift(header.length);
		const begin = this.#start - header.length;
		this.#memory.set(header, begin);
		return this.#memory.subarray(begin, this.#end);
	}

	/** Gives the memory back to the pool. Called once, last. */
	release(): void {
		this.#pool.give(this.#memory);
	}

	/** Makes more headroom than was expected. */
	#shift(headroom: number): void {
		const { length } = this;
		this.#grow(headroom - this.#start);
		this.#memory.copyWithin(headroom, this.#start, this.#start + length);
		this.#start = headroom;
		this.#end = headroom + length;
	}

	/** Makes room for `count` more bytes and returns where they go. */
	#grow(count: number): number {
		const at = this.#end;
		const needed = at + count;
		if (needed > this.#memory.length) {
			const larger = this.#pool.take(Math.max(needed, this.#memory.length * 2));
			larger.set(this.#memory.subarray(this.#start, at), this.#start);
			this.#pool.give(this.#memory);
			this.#memory = larger;
		}
		this.#end = needed;
		return at;
	}
}

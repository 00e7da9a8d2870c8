import { putU16, putU32 } from "./big-endian.ts";

/** Writes big-endian fields into one growing buffer. Lengths that are known later are patched in place. */
export class ByteWriter {
	#bytes: Uint8Array;
	#length = 0;

	constructor(initialBytes = 256) {
		this.#bytes = new Uint8Array(initialBytes);
	}

	/** How many bytes were written. */
	get length(): number {
		return this.#length;
	}

	/** What was written, as a view: it holds until the next write or `reset`. */
	get written(): Uint8Array {
		return this.#bytes.subarray(0, this.#length);
	}

	/** Forgets what was written, and keeps the buffer for more. */
	reset(): void {
		this.#length = 0;
	}

	u8(value: number): void {
		const at = this.#grow(1);
		this.#bytes[at] = value;
	}

	u16(value: number): void {
		const at = this.#grow(2);
		putU16(this.#bytes, at, value);
	}

	u24(value: number): void {
		this.u8(value >>> 16);
		this.u16(value & 0xffff);
	}

	u32(value: number): void {
		const at = this.#grow(4);
		putU32(this.#bytes, at, value);
	}

	/** A 64-bit unsigned integer, of a whole number up to 2^53 - 1. */
	u64(value: number): void {
		if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Cannot write ${value} as a 64-bit number`);
		this.u32(Math.floor(value / 2 ** 32));
		this.u32(value % 2 ** 32);
	}

	bytes(bytes: Uint8Array): void {
		const at = this.#grow(bytes.length);
		this.#bytes.set(bytes, at);
	}

	/** Text of one byte a character, as in four-character codes. */
	latin1(text: string): void {
		const at = this.#grow(text.length);
		for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
	}

	zeros(count: number): void {
		const at = this.#grow(count);
		this.#bytes.fill(0, at, at + count);
	}

	/** Puts `value` over the four bytes at `at`, which were written before. */
	patchU32(at: number, value: number): void {
		this.#expectWritten(at, 4);
		putU32(this.#bytes, at, value);
	}

	/** Puts `value` over the two bytes at `at`, which were written before. */
	patchU16(at: number, value: number): void {
		this.#expectWritten(at, 2);
		putU16(this.#bytes, at, value);
	}

	/** An ISO 14496-12 §4.2 box: 32-bit size, four-character type, then what `body` writes. */
	box(type: string, body: () => void): void {
		const start = this.#length;
		this.u32(0);
		this.latin1(type);
		body();
		this.patchU32(start, this.#length - start);
	}

	#expectWritten(at: number, count: number): void {
		if (at < 0 || at + count > this.#length) throw new RangeError(`Cannot patch at ${at} of ${this.#length} bytes`);
	}

	/** Makes room for `count` more bytes and returns where they go. */
	#grow(count: number): number {
		const at = this.#length;
		const needed = at + count;
		if (needed > this.#bytes.length) {
			const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
			grown.set(this.written);
			this.#bytes = grown;
		}
		this.#length = needed;
		return at;
	}
}

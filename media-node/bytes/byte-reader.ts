import { ProtocolError } from "#shared/problem.ts";
import { u8, u16, u24, u32 } from "./big-endian.ts";

/** Reads big-endian fields one after another. Each read past the end throws `bytes.truncated` and moves nothing. */
export class ByteReader {
	readonly #bytes: Uint8Array;
	readonly #end: number;
	#at: number;

	/** Reads `length` bytes at `offset` of `bytes`, which must lie within it. */
	constructor(bytes: Uint8Array, offset = 0, length = bytes.length - offset) {
		if (offset < 0 || length < 0 || offset + length > bytes.length) {
			throw new RangeError(`Cannot read ${length} bytes at ${offset} of ${bytes.length}`);
		}
		this.#bytes = bytes;
		this.#at = offset;
		this.#end = offset + length;
	}

	/** The index in the underlying bytes of the next read. */
	get offset(): number {
		return this.#at;
	}

	get remaining(): number {
		return this.#end - this.#at;
	}

	u8(): number {
		return u8(this.#bytes, this.#take(1));
	}

	u16(): number {
		return u16(this.#bytes, this.#take(2));
	}

	u24(): number {
		return u24(this.#bytes, this.#take(3));
	}

	u32(): number {
		return u32(this.#bytes, this.#take(4));
	}

	/** A 64-bit unsigned integer. Throws `bytes.malformed` above 2^53 - 1. */
	u64(): number {
		const at = this.#take(8);
		const value = u32(this.#bytes, at) * 2 ** 32 + u32(this.#bytes, at + 4);
		if (value <= Number.MAX_SAFE_INTEGER) return value;
		this.#at = at;
		throw new ProtocolError("bytes.malformed", "A 64-bit number exceeds 2^53 - 1");
	}

	/** The next `length` bytes, as a view. */
	bytes(length: number): Uint8Array {
		const at = this.#take(length);
		return this.#bytes.subarray(at, at + length);
	}

	/** The next `length` bytes as text, one character a byte. */
	latin1(length: number): string {
		let text = "";
		for (const byte of this.bytes(length)) text += String.fromCharCode(byte);
		return text;
	}

	skip(length: number): void {
		this.#take(length);
	}

	/** A reader of the next `length` bytes, which this one skips. */
	sub(length: number): ByteReader {
		return new ByteReader(this.#bytes, this.#take(length), length);
	}

	/** Throws `bytes.malformed` unless all was read: what a length prefix promised must be eaten exactly. */
	expectEnd(what: string): void {
		if (this.remaining === 0) return;
		throw new ProtocolError("bytes.malformed", `${what} is ${this.remaining} bytes longer than its fields`);
	}

	#take(length: number): number {
		const at = this.#at;
		if (length < 0 || length > this.#end - at) {
			throw new ProtocolError("bytes.truncated", `Needed ${length} bytes where ${this.#end - at} are left`);
		}
		this.#at = at + length;
		return at;
	}
}

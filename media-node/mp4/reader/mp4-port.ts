import { ProtocolError } from "#shared/problem.ts";

/** Random access to the bytes of a file, of which no more is kept in memory than was asked for. */
export interface Mp4Port {
	/** In bytes. */
	readonly size: number;
	/** Up to `length` bytes from `offset` on: fewer at the end of the file. The caller owns them. */
	read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Reads exactly `length` bytes.
 *
 * @throws ProtocolError `bytes.truncated`
 */
export async function readExactly(port: Mp4Port, offset: number, length: number): Promise<Uint8Array> {
	if (offset + length <= port.size) {
		const bytes = await port.read(offset, length);
		if (bytes.length === length) return bytes;
	}
	throw new ProtocolError("bytes.truncated", `The MP4 file ends where ${length} bytes at ${offset} should be`);
}

const WINDOW_BYTES = 128 * 1024;

/** Reads pieces of a file that mostly follow one another, several at a time. */
export class ReadWindow {
	readonly #port: Mp4Port;
	#bytes: Uint8Array = new Uint8Array(0);
	#offset = 0;

	constructor(port: Mp4Port) {
		this.#port = port;
	}

	/** Gives `length` bytes, as a view of memory that is not used again. Throws `bytes.truncated`. */
	async read(offset: number, length: number): Promise<Uint8Array> {
		const end = this.#offset + this.#bytes.length;
		if (offset < this.#offset || offset + length > end) {
			const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#port.size - offset);
			this.#bytes = await readExactly(this.#port, offset, Math.max(length, wanted));
			this.#offset = offset;
		}
		const at = offset - this.#offset;
		return this.#bytes.subarray(at, at + length);
	}
}

import { type Cipheriv, createCipheriv, type KeyObject } from "node:crypto";
import { putU16, u8, u32 } from "../bytes/big-endian.ts";

const BLOCK_BYTES = 16;
/** The counter of a packet has 16 bits. RFC 3711 §4.1.1. */
const MAX_KEYSTREAM_BYTES = 2 ** 16 * BLOCK_BYTES;
/** Enough for the packets of an Ethernet frame, without growing. */
const INITIAL_BLOCKS = 96;

/**
 * The keystream of AES-CM. One cipher without a mode encrypts all counter blocks of a packet at once and lives as long
 * as the key: to create one for each packet would cost more than all else.
 *
 * @see RFC 3711 §4.1.1
 */
export class AesCounter {
	readonly #cipher: Cipheriv;
	readonly #salt: Uint8Array;
	/** Counter blocks, one after another. Their ends count from 0; what stands before depends on the packet. */
	#blocks = new Uint8Array(0);
	#ssrc = -1;
	#high = -1;

	/** Takes a session key and its salt of 14 bytes. */
	constructor(key: KeyObject, salt: Uint8Array) {
		this.#cipher = createCipheriv("aes-128-ecb", key, null);
		this.#cipher.setAutoPadding(false);
		this.#salt = salt;
		this.#grow(INITIAL_BLOCKS);
	}

	/**
	 * The first bytes of the keystream of the packet with the 48-bit index `high * 2^16 + low`: `length` of them, up to
	 * 2^20, or some more. Nothing else refers to the buffer.
	 */
	keystream(ssrc: number, high: number, low: number, length: number): Uint8Array {
		if (length > MAX_KEYSTREAM_BYTES) throw new RangeError(`A packet has no keystream of ${length} bytes`);
		const count = Math.ceil(length / BLOCK_BYTES);
		if (count * BLOCK_BYTES > this.#blocks.length) this.#grow(Math.max(count, this.#blocks.length / 8));
		if (ssrc !== this.#ssrc || high !== this.#high) this.#begin(ssrc, high);
		const blocks = this.#blocks;
		const first = u8(this.#salt, 12) ^ (low >>> 8);
		const second = u8(this.#salt, 13) ^ (low & 0xff);
		for (let at = 12; at < count * BLOCK_BYTES; at += BLOCK_BYTES) {
			blocks[at] = first;
			blocks[at + 1] = second;
		}
		return this.#cipher.update(blocks.subarray(0, count * BLOCK_BYTES));
	}

	/** Puts what changes with the roll-over counter only into all blocks: the salt, XORed with source and index. */
	#begin(ssrc: number, high: number): void {
		this.#ssrc = ssrc;
		this.#high = high;
		const words = new DataView(this.#blocks.buffer);
		const second = u32(this.#salt, 4) ^ ssrc;
		const third = u32(this.#salt, 8) ^ high;
		for (let at = 0; at < this.#blocks.length; at += BLOCK_BYTES) {
			words.setUint32(at, u32(this.#salt, 0));
			words.setUint32(at + 4, second);
			words.setUint32(at + 8, third);
		}
	}

	#grow(count: number): void {
		this.#blocks = new Uint8Array(Math.min(count, 2 ** 16) * BLOCK_BYTES);
		for (let at = 14, i = 0; at < this.#blocks.length; at += BLOCK_BYTES, i++) putU16(this.#blocks, at, i);
		this.#ssrc = -1;
	}
}

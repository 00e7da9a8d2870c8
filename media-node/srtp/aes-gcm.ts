import { type Cipheriv, createCipheriv, type KeyObject } from "node:crypto";
import { putU32, u8 } from "../bytes/big-endian.ts";
import { Ghash, workBytes, xorBlocks } from "./ghash.ts";
import type { PacketCipher, PacketIndex } from "./packet-cipher.ts";

const BLOCK_BYTES = 16;
const TAG_BYTES = 16;
/** Where the keystream is in what {@link workBytes} gives: a packet and its header have less than a quarter of it each. */
const KEYSTREAM_AT = (workBytes.length >> 5) * BLOCK_BYTES;
/** Enough for the packets of an Ethernet frame, without growing. */
const INITIAL_BLOCKS = 96;

/** Counter blocks, for all packets: their ends count from 1, what stands before is the packet's. */
let counters = counterBlocks(INITIAL_BLOCKS);
let counterWords = new Int32Array(counters.buffer);
/** The first of them, as many as the last packet took. */
let asked = counters.subarray(0, 0);
/** Begins as the first counter block does: 12 bytes. */
const iv = new Uint8Array(12);
const ivWords = new Int32Array(iv.buffer);
const tag = new Uint8Array(TAG_BYTES);

/** The session keys of one direction. */
export type AesGcmKeys = {
	/** 16 bytes. */
	readonly encryption: KeyObject;
	/** 12 bytes. */
	readonly salt: Uint8Array;
};

/**
 * AES in Galois/counter mode. That of node:crypto needs a cipher for each packet, which takes twice as long and leaves
 * much for the collector: here one cipher without a mode lives as long as the key and encrypts the counter blocks, and
 * the hash is our own.
 *
 * @see RFC 7714 §8, §9, NIST SP 800-38D §7
 */
export class AesGcmCipher implements PacketCipher {
	readonly tagBytes = TAG_BYTES;
	readonly tagFirst = true;
	readonly #cipher: Cipheriv;
	readonly #salt: Uint8Array;
	readonly #ghash: Ghash;
	readonly #authenticatesTrailer: boolean;

	/** Takes session keys, and whether the trailer is authenticated: that of RTCP is, RTP has none. */
	constructor(keys: AesGcmKeys, authenticatesTrailer: boolean) {
		this.#cipher = createCipheriv("aes-128-ecb", keys.encryption, null);
		this.#cipher.setAutoPadding(false);
		this.#salt = keys.salt;
		this.#ghash = new Ghash(this.#cipher.update(new Uint8Array(BLOCK_BYTES)));
		this.#authenticatesTrailer = authenticatesTrailer;
	}

	seal(
		index: PacketIndex,
		from: Uint8Array,
		at: number,
		clear: number,
		length: number,
		into: Uint8Array,
		intoAt: number,
		tagAt: number,
	): void {
		const size = length - clear;
		const begin = this.#take(index, from, at, clear, length);
		xorBlocks(begin, begin + whole(size), KEYSTREAM_AT + BLOCK_BYTES);
		this.#hash(begin, clear, size);
		if (into !== from || intoAt !== at) into.set(from.subarray(at, at + clear), intoAt);
		into.set(workBytes.subarray(begin, begin + size), intoAt + clear);
		into.set(tag, tagAt);
	}

	open(
		index: PacketIndex,
		from: Uint8Array,
		at: number,
		clear: number,
		length: number,
		tagAt: number,
		into: Uint8Array,
		intoAt: number,
	): boolean {
		const size = length - clear;
		const begin = this.#take(index, from, at, clear, length);
		this.#hash(begin, clear, size);
		// All bytes are looked at, so that the time does not tell how many were right.
		let difference = 0;
		for (let i = 0; i < TAG_BYTES; i++) difference |= u8(from, tagAt + i) ^ u8(tag, i);
		if (difference !== 0) return false;
		xorBlocks(begin, begin + whole(size), KEYSTREAM_AT + BLOCK_BYTES);
		if (into !== from || intoAt !== at) into.set(from.subarray(at, at + clear), intoAt);
		into.set(workBytes.subarray(begin, begin + size), intoAt + clear);
		return true;
	}

	/**
	 * Puts what is authenticated and not encrypted, the rest of the packet, and the keystream to work on, and the mask of
	 * the tag into the tag. Gives where the rest begins.
	 */
	#take(index: PacketIndex, from: Uint8Array, at: number, clear: number, length: number): number {
		const associated = clear + (this.#authenticatesTrailer ? 4 : 0);
		const begin = whole(associated);
		workBytes.fill(0, begin - BLOCK_BYTES, begin);
		if (length > clear) workBytes.set(from.subarray(at + clear, at + length), begin);
		for (let i = 0; i < clear; i++) workBytes[i] = u8(from, at + i);
		if (this.#authenticatesTrailer) putU32(workBytes, clear, index.trailer);
		const stream = this.#keystream(index, BLOCK_BYTES + whole(length - clear));
		workBytes.set(stream, KEYSTREAM_AT);
		for (let i = 0; i < TAG_BYTES; i++) tag[i] = u8(stream, i);
		return begin;
	}

	/** Adds the hash to the tag. NIST SP 800-38D §7.1, steps 4 and 5. */
	#hash(begin: number, clear: number, size: number): void {
		const end = begin + whole(size);
		workBytes.fill(0, begin + size, end + BLOCK_BYTES);
		putU32(workBytes, end + 4, (clear + (this.#authenticatesTrailer ? 4 : 0)) * 8);
		putU32(workBytes, end + 12, size * 8);
		this.#ghash.addTo(tag, end + BLOCK_BYTES);
	}

	/** Encrypted counter blocks, of which the first one is for the tag. `length` is a multiple of 16. */
	#keystream(index: PacketIndex, length: number): Uint8Array {
		if (asked.length !== length) {
			if (length > counters.length) {
				counters = counterBlocks((length / BLOCK_BYTES) * 2);
				counterWords = new Int32Array(counters.buffer);
			}
			asked = counters.subarray(0, length);
		}
		this.#writeIv(index);
		const words = counterWords;
		const first = ivWords[0] as number;
		const second = ivWords[1] as number;
		const third = ivWords[2] as number;
		for (let i = 0; i < length >> 2; i += 4) {
			words[i] = first;
			words[i + 1] = second;
			words[i + 2] = third;
		}
		return this.#cipher.update(asked);
	}

	/** Two bytes of zero, SSRC, 48-bit index, XORed with the salt. RFC 7714 §8.1, §9.1. */
	#writeIv({ ssrc, high, low }: PacketIndex): void {
		iv[0] = 0;
		iv[1] = 0;
		putU32(iv, 2, ssrc);
		putU32(iv, 6, high);
		iv[10] = low >>> 8;
		iv[11] = low;
		for (let i = 0; i < iv.length; i++) iv[i] = u8(iv, i) ^ u8(this.#salt, i);
	}
}

/** Up to the end of the block. */
function whole(length: number): number {
	return (length + BLOCK_BYTES - 1) & -BLOCK_BYTES;
}

function counterBlocks(count: number): Uint8Array<ArrayBuffer> {
	const blocks = new Uint8Array(count * BLOCK_BYTES);
	for (let i = 0; i < count; i++) putU32(blocks, i * BLOCK_BYTES + 12, i + 1);
	return blocks;
}

import { hash, type KeyObject } from "node:crypto";
import { putU32, u8 } from "../bytes/big-endian.ts";
import { AesCounter } from "./aes-counter.ts";
import type { PacketCipher, PacketIndex } from "./packet-cipher.ts";

/** The block of SHA-1, and so the padding of a key. RFC 2104 §2. */
const PAD_BYTES = 64;
const SHA1_BYTES = 20;
const TRAILER_BYTES = 4;
/** Enough for the packets of an Ethernet frame, without growing. */
const INITIAL_WORK_BYTES = 1600;

/** The session keys of one direction. */
export type AesCmKeys = {
	/** 16 bytes. */
	readonly encryption: KeyObject;
	/** 20 bytes. */
	readonly authentication: Uint8Array;
	/** 14 bytes. */
	readonly salt: Uint8Array;
};

/**
 * AES in counter mode with HMAC-SHA1. The HMAC is two one-shot hashes over buffers that begin with the padded key,
 * which is twice as fast as a hash object for each packet; that the packet lies in such a buffer also aligns it for the
 * XOR of whole words.
 *
 * @see RFC 3711 §4.1.1, §4.2
 */
export class AesCmCipher implements PacketCipher {
	readonly tagBytes: number;
	readonly tagFirst = false;
	readonly #counter: AesCounter;
	/** The key with the inner padding, the packet, the trailer. */
	#work: Uint8Array;
	#words: Int32Array;
	/** The key with the outer padding, the inner hash. */
	readonly #outer = new Uint8Array(PAD_BYTES + SHA1_BYTES);

	/** Takes session keys, and the bytes of a tag: up to 20. */
	constructor(keys: AesCmKeys, tagBytes: number) {
		this.tagBytes = tagBytes;
		this.#counter = new AesCounter(keys.encryption, keys.salt);
		this.#work = new Uint8Array(INITIAL_WORK_BYTES);
		this.#words = new Int32Array(this.#work.buffer);
		for (let i = 0; i < PAD_BYTES; i++) {
			const byte = keys.authentication[i] ?? 0;
			this.#work[i] = byte ^ 0x36;
			this.#outer[i] = byte ^ 0x5c;
		}
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
		this.#take(from, at, length);
		this.#crypt(index, clear, length);
		const tag = this.#tagOf(index, length);
		into.set(this.#work.subarray(PAD_BYTES, PAD_BYTES + length), intoAt);
		for (let i = 0; i < this.tagBytes; i++) into[tagAt + i] = tag.charCodeAt(i);
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
		this.#take(from, at, length);
		const tag = this.#tagOf(index, length);
		// All bytes are looked at, so that the time does not tell how many were right.
		let difference = 0;
		for (let i = 0; i < this.tagBytes; i++) difference |= u8(from, tagAt + i) ^ tag.charCodeAt(i);
		if (difference !== 0) return false;
		this.#crypt(index, clear, length);
		into.set(this.#work.subarray(PAD_BYTES, PAD_BYTES + length), intoAt);
		return true;
	}

	#take(from: Uint8Array, at: number, length: number): void {
		const needed = PAD_BYTES + length + TRAILER_BYTES;
		if (needed > this.#work.length) {
			const pad = this.#work.subarray(0, PAD_BYTES);
			this.#work = new Uint8Array(Math.ceil((needed * 1.5) / 4) * 4);
			this.#work.set(pad);
			this.#words = new Int32Array(this.#work.buffer);
		}
		this.#work.set(from.subarray(at, at + length), PAD_BYTES);
	}

	/** XORs the packet but for its `clear` bytes. */
	#crypt({ ssrc, high, low }: PacketIndex, clear: number, length: number): void {
		const count = length - clear;
		if (count === 0) return;
		const work = this.#work;
		const start = PAD_BYTES + clear;
		const keystream = this.#counter.keystream(ssrc, high, low, count);
		let done = 0;
		if ((start & 3) === 0 && (keystream.byteOffset & 3) === 0) {
			const stream = new Int32Array(keystream.buffer, keystream.byteOffset, count >> 2);
			const words = this.#words;
			const first = start >> 2;
			for (let i = 0; i < stream.length; i++) words[first + i] = (words[first + i] ?? 0) ^ (stream[i] ?? 0);
			done = stream.length * 4;
		}
		for (; done < count; done++) work[start + done] = u8(work, start + done) ^ u8(keystream, done);
	}

	/** The HMAC over the packet and the trailer, one character a byte. */
	#tagOf({ trailer }: PacketIndex, length: number): string {
		const end = PAD_BYTES + length;
		putU32(this.#work, end, trailer);
		const inner = hash("sha1", this.#work.subarray(0, end + TRAILER_BYTES), "binary");
		for (let i = 0; i < SHA1_BYTES; i++) this.#outer[PAD_BYTES + i] = inner.charCodeAt(i);
		return hash("sha1", this.#outer, "binary");
	}
}

import { u32 } from "../bytes/big-endian.ts";
import { DATA_AT, ghashModule, MEMORY_BYTES, PLACE_BYTES, SUM_AT, TABLE_AT } from "./ghash-module.ts";

const BLOCK_BYTES = 16;
/** x^128 + x^7 + x^2 + x + 1, but for its first term, with x^0 as the highest bit. */
const POLYNOMIAL = 0xe1000000;

const { memory, expand, absorb, xor } = ghashModule();
const words = new Int32Array(memory.buffer);
/** Whose table is in the memory: who sends several packets under one key makes it once for all. */
let owner: Ghash | null = null;

/** Bytes to work on, which belong to whoever works right now. Begins on a block. */
export const workBytes = memory.subarray(DATA_AT, MEMORY_BYTES);

/** XORs the blocks of {@link workBytes} from `at` up to `end` with those that begin at `other`. All are multiples of 16. */
export function xorBlocks(at: number, end: number, other: number): void {
	if (end > at) xor(DATA_AT + at, DATA_AT + end, DATA_AT + other);
}

/**
 * The hash of AES-GCM under one key. The table takes longer to make than a short packet to hash, and is not kept: a node
 * has thousands of keys.
 *
 * It looks up what depends on the key: a program that shares the processor's caches can learn of it in theory, as with
 * every GHASH that does without the instructions for it.
 *
 * @see NIST SP 800-38D §6.4, §6.5
 */
export class Ghash {
	/** H, first its highest bits. */
	readonly #h: readonly [number, number, number, number];

	/** Takes H: the encrypted block of zeros. */
	constructor(h: Uint8Array) {
		this.#h = [u32(h, 0), u32(h, 4), u32(h, 8), u32(h, 12)];
	}

	/** XORs the hash of {@link workBytes} from 0 up to `end`, which is a multiple of 16 and not 0, into the 16 bytes of `tag`. */
	addTo(tag: Uint8Array, end: number): void {
		if (owner !== this) this.#makeTable();
		words.fill(0, SUM_AT / 4, SUM_AT / 4 + 4);
		absorb(DATA_AT, DATA_AT + end);
		for (let i = 0; i < 8; i++) {
			tag[i] = (tag[i] as number) ^ (memory[SUM_AT + 7 - i] as number);
			tag[8 + i] = (tag[8 + i] as number) ^ (memory[SUM_AT + 15 - i] as number);
		}
	}

	/** H, times each power of x: the entries of the table that have one bit. */
	#makeTable(): void {
		let [a, b, c, d] = this.#h;
		for (let power = 0; power < 128; power++) {
			const bit = 127 - power;
			const at = (TABLE_AT + (bit >> 2) * PLACE_BYTES + (1 << (bit & 3)) * BLOCK_BYTES) >> 2;
			words[at] = b;
			words[at + 1] = a;
			words[at + 2] = d;
			words[at + 3] = c;
			const carry = -(d & 1) & POLYNOMIAL;
			d = (d >>> 1) | (c << 31);
			c = (c >>> 1) | (b << 31);
			b = (b >>> 1) | (a << 31);
			a = (a >>> 1) ^ carry;
		}
		expand();
		owner = this;
	}
}

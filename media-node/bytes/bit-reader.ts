import { ProtocolError } from "#shared/problem.ts";

/** Reads bits, most significant first. A read past the end throws `bytes.truncated`. */
export class BitReader {
	readonly #bytes: Uint8Array;
	readonly #end: number;
	#at: number;

	/** Reads `bytes` from byte `offset` on. */
	constructor(bytes: Uint8Array, offset = 0) {
		this.#bytes = bytes;
		this.#at = offset * 8;
		this.#end = bytes.length * 8;
	}

	/** Bits left. */
	get remaining(): number {
		return this.#end - this.#at;
	}

	/** An unsigned number of `count` bits, 0 to 32. */
	bits(count: number): number {
		this.#need(count);
		let value = 0;
		let left = count;
		while (left > 0) {
			const free = 8 - (this.#at & 7);
			const taken = left < free ? left : free;
			const byte = this.#bytes[this.#at >>> 3]!;
			value = (value << taken) | ((byte >>> (free - taken)) & ((1 << taken) - 1));
			this.#at += taken;
			left -= taken;
		}
		return value >>> 0;
	}

	flag(): boolean {
		return this.bits(1) === 1;
	}

	skip(count: number): void {
		this.#need(count);
		this.#at += count;
	}

	/** Unsigned exp-Golomb, `ue(v)` of ITU-T H.264 §9.1. Throws `bytes.malformed` above 2^32 - 2. */
	ue(): number {
		let zeros = 0;
		while (!this.flag()) {
			if (++zeros > 31) throw new ProtocolError("bytes.malformed", "An exp-Golomb code exceeds 32 bits");
		}
		return 2 ** zeros - 1 + this.bits(zeros);
	}

	/** Signed exp-Golomb, `se(v)` of ITU-T H.264 §9.1.1. */
	se(): number {
		const code = this.ue();
		return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
	}

	#need(count: number): void {
		if (count <= this.remaining) return;
		throw new ProtocolError("bytes.truncated", `Needed ${count} bits where ${this.remaining} are left`);
	}
}

/**
 * The RBSP of a NAL unit: without the `03` of each `00 00 03`, as ITU-T H.264 §7.4.1 says. Gives `nal` itself when
 * there is nothing to leave out.
 */
export function removeEmulationPrevention(nal: Uint8Array): Uint8Array {
	let out: Uint8Array | null = null;
	let length = 0;
	let zeros = 0;
	for (let i = 0; i < nal.length; i++) {
		const byte = nal[i]!;
		if (zeros >= 2 && byte === 3) {
			if (out === null) {
				out = new Uint8Array(nal.length);
				out.set(nal.subarray(0, i));
				length = i;
			}
			zeros = 0;
			continue;
		}
		if (out !== null) out[length++] = byte;
		zeros = byte === 0 ? zeros + 1 : 0;
	}
	return out === null ? nal : out.subarray(0, length);
}

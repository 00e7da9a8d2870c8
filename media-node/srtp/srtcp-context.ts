import { putU32, sameBytes, u8, u32 } from "../bytes/big-endian.ts";
import type { PacketCipher, PacketIndex } from "./packet-cipher.ts";
import { createPacketCipher, type SrtpMasterKey } from "./profile.ts";
import { MAX_PACKET_BYTES, newRefusals, type Refusals, SourceTable } from "./source-table.ts";

const NO_MKI = new Uint8Array(0);
/** The header of the first packet and its SSRC, which stay in clear. */
const HEADER_BYTES = 8;
const INDEX_BYTES = 4;
const MAX_INDEX = 2 ** 31 - 1;

/**
 * Encrypts or decrypts the RTCP packets of one direction: a context either protects or unprotects. Nothing that comes
 * from the wire makes it throw.
 *
 * @see RFC 3711 §3.4, RFC 7714 §9
 */
export class SrtcpContext {
	readonly #cipher: PacketCipher;
	readonly #mki: Uint8Array;
	readonly #encrypts: boolean;
	readonly #sources = new SourceTable();
	readonly #index: PacketIndex = { ssrc: 0, high: 0, low: 0, trailer: 0 };

	readonly refusals: Refusals = newRefusals();
	/** Bytes that a packet grows by. */
	readonly overheadBytes: number;

	/**
	 * `encrypts: false` only authenticates what is sent; what comes says by itself whether it is encrypted. Throws a
	 * RangeError if the key, salt or MKI has not the size that its profile asks for.
	 */
	constructor(master: SrtpMasterKey, { encrypts = true }: { readonly encrypts?: boolean } = {}) {
		this.#cipher = createPacketCipher(master, "rtcp");
		this.#mki = master.mki ?? NO_MKI;
		this.#encrypts = encrypts;
		this.overheadBytes = INDEX_BYTES + this.#mki.length + this.#cipher.tagBytes;
	}

	/**
	 * Encrypts the compound RTCP packet of `length` bytes at `offset` into `out`, which may be the same buffer and needs
	 * room for {@link overheadBytes} more, and gives the new length; -1 and a count if the packet is refused.
	 */
	protect(bytes: Uint8Array, offset: number, length: number, out: Uint8Array, outOffset: number): number {
		if (!isCompound(bytes, offset, length)) return this.#refuse("malformed");
		const total = length + this.overheadBytes;
		if (outOffset + total > out.length) throw new RangeError(`There is no room for ${total} bytes of SRTCP`);

		const ssrc = u32(bytes, offset + 4);
		const source = this.#sources.find(ssrc) ?? (this.#sources.full ? null : this.#sources.add(ssrc));
		if (source === null) return this.#refuse("sources");
		const index = source.window.highest + 1;
		if (index > MAX_INDEX) return this.#refuse("exhausted");

		const word = this.#encrypts ? (index | 0x80000000) >>> 0 : index;
		this.#point(ssrc, word);
		const clear = this.#encrypts ? HEADER_BYTES : length;
		const { tagAt, wordAt } = this.#places(outOffset + length);
		this.#cipher.seal(this.#index, bytes, offset, clear, length, out, outOffset, tagAt);
		putU32(out, wordAt, word);
		out.set(this.#mki, wordAt + INDEX_BYTES);
		source.window.mark(index);
		return total;
	}

	/**
	 * Checks and decrypts the SRTCP packet of `length` bytes at `offset` into `out`, which may be the same buffer, and
	 * gives the new length; -1 and a count if the packet is refused, and then `out` stays as it is.
	 */
	unprotect(bytes: Uint8Array, offset: number, length: number, out: Uint8Array, outOffset: number): number {
		const total = length - this.overheadBytes;
		if (!isCompound(bytes, offset, total) || offset + length > bytes.length) return this.#refuse("malformed");
		if (outOffset + total > out.length) throw new RangeError(`There is no room for ${total} bytes of RTCP`);

		const ssrc = u32(bytes, offset + 4);
		const source = this.#sources.find(ssrc);
		if (source === undefined && this.#sources.full) return this.#refuse("sources");
		const { tagAt, wordAt } = this.#places(offset + total);
		if (!this.#hasMki(bytes, wordAt + INDEX_BYTES)) return this.#refuse("unauthenticated");
		const word = u32(bytes, wordAt);
		const index = word & MAX_INDEX;
		if (source !== undefined && !source.window.admits(index)) return this.#refuse("replayed");

		this.#point(ssrc, word);
		const clear = word > MAX_INDEX ? HEADER_BYTES : total;
		const isRight = this.#cipher.open(this.#index, bytes, offset, clear, total, tagAt, out, outOffset);
		if (!isRight) return this.#refuse("unauthenticated");
		// Only now: a stranger must not make sources, nor move those that are.
		(source ?? this.#sources.add(ssrc)).window.mark(index);
		return total;
	}

	/** Where the tag and the word of E bit and index stand behind a packet that ends at `end`. */
	#places(end: number): { readonly tagAt: number; readonly wordAt: number } {
		if (this.#cipher.tagFirst) return { tagAt: end, wordAt: end + this.#cipher.tagBytes };
		return { tagAt: end + INDEX_BYTES + this.#mki.length, wordAt: end };
	}

	#hasMki(bytes: Uint8Array, at: number): boolean {
		return this.#mki.length === 0 || sameBytes(this.#mki, bytes.subarray(at, at + this.#mki.length));
	}

	#point(ssrc: number, word: number): void {
		this.#index.ssrc = ssrc;
		this.#index.high = (word & MAX_INDEX) >>> 16;
		this.#index.low = word & 0xffff;
		this.#index.trailer = word;
	}

	#refuse(reason: keyof Refusals): -1 {
		this.refusals[reason]++;
		return -1;
	}
}

function isCompound(bytes: Uint8Array, offset: number, length: number): boolean {
	if (length < HEADER_BYTES || length > MAX_PACKET_BYTES || offset < 0 || offset + length > bytes.length) return false;
	return u8(bytes, offset) >> 6 === 2;
}

import { sameBytes, u8, u16, u32 } from "../bytes/big-endian.ts";
import type { PacketCipher, PacketIndex } from "./packet-cipher.ts";
import { createPacketCipher, type SrtpMasterKey } from "./profile.ts";
import { MAX_PACKET_BYTES, newRefusals, type Refusals, type Source, SourceTable } from "./source-table.ts";

const NO_MKI = new Uint8Array(0);
const MIN_HEADER_BYTES = 12;
const MAX_ROLLOVER = 2 ** 32 - 1;
/** Numbers that are no further ahead than this are told apart from those behind. RFC 3711 §3.3.1. */
const NEAR = 2 ** 14;

/**
 * Encrypts or decrypts the RTP packets of one direction: a context either protects or unprotects. Nothing that comes
 * from the wire makes it throw.
 *
 * @see RFC 3711 §3.3, RFC 7714 §8
 */
export class SrtpContext {
	readonly #cipher: PacketCipher;
	readonly #mki: Uint8Array;
	readonly #sources = new SourceTable();
	readonly #index: PacketIndex = { ssrc: 0, high: 0, low: 0, trailer: 0 };

	readonly refusals: Refusals = newRefusals();
	/** Bytes that a packet grows by. */
	readonly overheadBytes: number;

	/** Throws a RangeError if the key, salt or MKI has not the size that its profile asks for. */
	constructor(master: SrtpMasterKey) {
		this.#cipher = createPacketCipher(master, "rtp");
		this.#mki = master.mki ?? NO_MKI;
		this.overheadBytes = this.#mki.length + this.#cipher.tagBytes;
	}

	/**
	 * Encrypts the RTP packet of `length` bytes at `offset` into `out`, which may be the same buffer and needs room for
	 * {@link overheadBytes} more, and gives the new length; -1 and a count if the packet is refused. A packet of the same
	 * source and number is refused the second time: two with one keystream would betray each other.
	 */
	protect(bytes: Uint8Array, offset: number, length: number, out: Uint8Array, outOffset: number): number {
		const clear = headerBytes(bytes, offset, length);
		if (clear === -1) return this.#refuse("malformed");
		const total = length + this.overheadBytes;
		if (outOffset + total > out.length) throw new RangeError(`There is no room for ${total} bytes of SRTP`);

		const ssrc = u32(bytes, offset + 8);
		const source = this.#sources.find(ssrc) ?? (this.#sources.full ? null : this.#sources.add(ssrc));
		if (source === null) return this.#refuse("sources");
		const index = estimate(source, u16(bytes, offset + 2));
		if (!this.#admits(source, index)) return -1;

		this.#point(ssrc, index);
		const mkiAt = outOffset + length + (this.#cipher.tagFirst ? this.#cipher.tagBytes : 0);
		const tagAt = outOffset + length + (this.#cipher.tagFirst ? 0 : this.#mki.length);
		this.#cipher.seal(this.#index, bytes, offset, clear, length, out, outOffset, tagAt);
		out.set(this.#mki, mkiAt);
		source.window.mark(index);
		return total;
	}

	/**
	 * Checks and decrypts the SRTP packet of `length` bytes at `offset` into `out`, which may be the same buffer, and
	 * gives the new length; -1 and a count if the packet is refused, and then `out` stays as it is.
	 */
	unprotect(bytes: Uint8Array, offset: number, length: number, out: Uint8Array, outOffset: number): number {
		const total = length - this.overheadBytes;
		const clear = headerBytes(bytes, offset, total);
		if (clear === -1 || offset + length > bytes.length) return this.#refuse("malformed");
		if (outOffset + total > out.length) throw new RangeError(`There is no room for ${total} bytes of RTP`);

		const ssrc = u32(bytes, offset + 8);
		const sequence = u16(bytes, offset + 2);
		const source = this.#sources.find(ssrc);
		if (source === undefined && this.#sources.full) return this.#refuse("sources");
		const mkiAt = offset + total + (this.#cipher.tagFirst ? this.#cipher.tagBytes : 0);
		if (!this.#hasMki(bytes, mkiAt)) return this.#refuse("unauthenticated");

		let accepted = -1;
		if (source !== undefined && source.window.highest !== -1) {
			const index = estimate(source, sequence);
			if (!this.#admits(source, index)) return -1;
			if (this.#open(ssrc, index, bytes, offset, clear, total, out, outOffset)) accepted = index;
		} else {
			const isRight = (index: number) => this.#open(ssrc, index, bytes, offset, clear, total, out, outOffset);
			accepted = firstIndices(source, sequence).find(isRight) ?? -1;
		}
		if (accepted === -1) return this.#refuse("unauthenticated");
		// Only now: a stranger must not make sources, nor move those that are.
		(source ?? this.#sources.add(ssrc)).window.mark(accepted);
		return total;
	}

	/**
	 * Tells the roll-over counter that a source is at, as MIKEY does for readers that join late, and forgets which of its
	 * packets were there. Throws a RangeError if there are too many sources.
	 */
	setRollover(ssrc: number, rollover: number): void {
		if (this.#sources.find(ssrc) === undefined && this.#sources.full) {
			throw new RangeError("There is no room for another source");
		}
		this.#sources.add(ssrc, rollover);
	}

	/**
	 * Tells which index the next packet to protect has, as nobody may have wanted those before it: else the source would
	 * be counted by what it protects. It never goes back. Throws a RangeError if there are too many sources.
	 */
	follow(ssrc: number, index: number): void {
		const source = this.#sources.find(ssrc);
		const highest = source === undefined ? -1 : source.window.highest;
		if (highest === -1 || index - highest > NEAR) this.setRollover(ssrc, Math.floor(index / 2 ** 16));
	}

	/** The roll-over counter of the newest packet of a source; 0 for one that is not known. */
	rolloverOf(ssrc: number): number {
		const source = this.#sources.find(ssrc);
		if (source === undefined) return 0;
		if (source.window.highest === -1) return Math.max(source.rollover, 0);
		return Math.floor(source.window.highest / 2 ** 16);
	}

	/** Opens the packet as the one of an index. `total` is its length in clear. */
	#open(
		ssrc: number,
		index: number,
		bytes: Uint8Array,
		offset: number,
		clear: number,
		total: number,
		out: Uint8Array,
		outOffset: number,
	): boolean {
		this.#point(ssrc, index);
		const tagAt = offset + total + (this.#cipher.tagFirst ? 0 : this.#mki.length);
		return this.#cipher.open(this.#index, bytes, offset, clear, total, tagAt, out, outOffset);
	}

	#admits(source: Source, index: number): boolean {
		if (index > MAX_ROLLOVER * 2 ** 16 + 0xffff) {
			this.refusals.exhausted++;
		} else if (index < 0 || !source.window.admits(index)) {
			this.refusals.replayed++;
		} else {
			return true;
		}
		return false;
	}

	#hasMki(bytes: Uint8Array, at: number): boolean {
		return this.#mki.length === 0 || sameBytes(this.#mki, bytes.subarray(at, at + this.#mki.length));
	}

	#point(ssrc: number, index: number): void {
		const rollover = Math.floor(index / 2 ** 16);
		this.#index.ssrc = ssrc;
		this.#index.high = rollover;
		this.#index.low = index % 2 ** 16;
		this.#index.trailer = rollover;
	}

	#refuse(reason: keyof Refusals): -1 {
		this.refusals[reason]++;
		return -1;
	}
}

/** The bytes of the header, which stay in clear; -1 if there is no packet. RFC 3550 §5.1, §5.3.1. */
function headerBytes(bytes: Uint8Array, offset: number, length: number): number {
	if (length < MIN_HEADER_BYTES || length > MAX_PACKET_BYTES || offset < 0 || offset + length > bytes.length) return -1;
	const first = u8(bytes, offset);
	if (first >> 6 !== 2) return -1;
	let header = MIN_HEADER_BYTES + (first & 0x0f) * 4;
	if (first & 0x10) {
		if (header + 4 > length) return -1;
		header += 4 + u16(bytes, offset + header + 2) * 4;
	}
	return header > length ? -1 : header;
}

/** The index of a packet: the one nearest to the newest so far. RFC 3711 §3.3.1. */
function estimate({ window, rollover }: Source, sequence: number): number {
	if (window.highest === -1) return Math.max(rollover, 0) * 2 ** 16 + sequence;
	return window.highest + (((sequence - window.highest) << 16) >> 16);
}

/**
 * What the index of the first packet may be: the roll-over counter that was told may have gone on meanwhile, or be
 * ahead of a packet that was on its way.
 */
function firstIndices(source: Source | undefined, sequence: number): readonly number[] {
	if (source === undefined || source.rollover === -1) return [sequence];
	const { rollover } = source;
	return [rollover, rollover + 1, rollover - 1]
		.filter((candidate) => candidate >= 0 && candidate <= MAX_ROLLOVER)
		.map((candidate) => candidate * 2 ** 16 + sequence);
}

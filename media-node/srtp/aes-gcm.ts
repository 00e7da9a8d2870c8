import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { putU32, u8 } from "../bytes/big-endian.ts";
import type { PacketCipher, PacketIndex } from "./packet-cipher.ts";

const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES };

/** The session keys of one direction. */
export type AesGcmKeys = {
	/** 16 bytes. */
	readonly encryption: KeyObject;
	/** 12 bytes. */
	readonly salt: Uint8Array;
};

/**
 * AES in Galois/counter mode, with a cipher for each packet: unlike counter mode it cannot be made of a lasting one.
 *
 * @see RFC 7714 §8, §9
 */
export class AesGcmCipher implements PacketCipher {
	readonly tagBytes = TAG_BYTES;
	readonly tagFirst = true;
	readonly #key: KeyObject;
	readonly #salt: Uint8Array;
	readonly #iv = new Uint8Array(12);
	readonly #authenticatesTrailer: boolean;

	/** Takes session keys, and whether the trailer is authenticated: that of RTCP is, RTP has none. */
	constructor(keys: AesGcmKeys, authenticatesTrailer: boolean) {
		this.#key = keys.encryption;
		this.#salt = keys.salt;
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
		const cipher = createCipheriv("aes-128-gcm", this.#key, this.#ivOf(index), OPTIONS);
		cipher.setAAD(this.#associated(index, from, at, clear));
		const sealed = cipher.update(from.subarray(at + clear, at + length));
		cipher.final();
		into.set(from.subarray(at, at + clear), intoAt);
		into.set(sealed, intoAt + clear);
		into.set(cipher.getAuthTag(), tagAt);
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
		const decipher = createDecipheriv("aes-128-gcm", this.#key, this.#ivOf(index), OPTIONS);
		decipher.setAAD(this.#associated(index, from, at, clear));
		decipher.setAuthTag(from.subarray(tagAt, tagAt + TAG_BYTES));
		const opened = decipher.update(from.subarray(at + clear, at + length));
		try {
			decipher.final();
		} catch {
			// The only way in which node:crypto tells that the tag is wrong.
			return false;
		}
		into.set(from.subarray(at, at + clear), intoAt);
		into.set(opened, intoAt + clear);
		return true;
	}

	/** Two bytes of zero, SSRC, 48-bit index, XORed with the salt. RFC 7714 §8.1, §9.1. */
	#ivOf({ ssrc, high, low }: PacketIndex): Uint8Array {
		const iv = this.#iv;
		iv[0] = 0;
		iv[1] = 0;
		putU32(iv, 2, ssrc);
		putU32(iv, 6, high);
		iv[10] = low >>> 8;
		iv[11] = low;
		for (let i = 0; i < iv.length; i++) iv[i] = u8(iv, i) ^ u8(this.#salt, i);
		return iv;
	}

	/** What is authenticated and not encrypted. OpenSSL takes it in one piece only. */
	#associated({ trailer }: PacketIndex, from: Uint8Array, at: number, clear: number): Uint8Array {
		const clearBytes = from.subarray(at, at + clear);
		if (!this.#authenticatesTrailer) return clearBytes;
		const associated = new Uint8Array(clear + 4);
		associated.set(clearBytes);
		putU32(associated, clear, trailer);
		return associated;
	}
}

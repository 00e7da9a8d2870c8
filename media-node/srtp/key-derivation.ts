import { createCipheriv, type KeyObject } from "node:crypto";

/** What a session key is for: the label of its derivation. RFC 3711 §4.3.1, §4.3.2. */
export const KeyLabel = {
	rtpEncryption: 0,
	rtpAuthentication: 1,
	rtpSalt: 2,
	rtcpEncryption: 3,
	rtcpAuthentication: 4,
	rtcpSalt: 5,
} as const;
export type KeyLabel = (typeof KeyLabel)[keyof typeof KeyLabel];

/** Salts of the key derivation have this size; shorter ones, as of AES-GCM, are filled up with zeros. RFC 7714 §11. */
const DERIVATION_SALT_BYTES = 14;

/**
 * Derives `length` bytes for one purpose from a master key of AES-128 and its salt of up to 14 bytes, with a key
 * derivation rate of zero: once for the life of the master key.
 *
 * @see RFC 3711 §4.3.1, §4.3.3
 */
export function deriveKey(masterKey: KeyObject, masterSalt: Uint8Array, label: KeyLabel, length: number): Uint8Array {
	if (masterSalt.length > DERIVATION_SALT_BYTES) {
		throw new RangeError(`A master salt has up to ${DERIVATION_SALT_BYTES} bytes, not ${masterSalt.length}`);
	}
	// The label stands before the 48-bit index, which is zero; both end where the salt does.
	const counter = new Uint8Array(16);
	counter.set(masterSalt);
	counter[7] = (counter[7] ?? 0) ^ label;
	return new Uint8Array(createCipheriv("aes-128-ctr", masterKey, counter).update(new Uint8Array(length)));
}

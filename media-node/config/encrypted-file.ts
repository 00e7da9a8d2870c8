/** Configuration files that are encrypted with NaCl's secretbox, as MediaMTX's `MTX_CONFKEY` has it. */

import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { InputError } from "#shared/problem.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 24;

/**
 * The text in a file that holds base64 of nonce and ciphertext. The key is the text of the variable, filled up with
 * zeros to 32 bytes, or cut.
 * @throws InputError `config.invalid`
 */
export function decryptConfig(encrypted: string, keyText: string, file: string): string {
	const bytes = Buffer.from(encrypted.trim(), "base64");
	const key = new Uint8Array(KEY_BYTES);
	key.set(Buffer.from(keyText, "utf8").subarray(0, KEY_BYTES));
	try {
		const plain = xsalsa20poly1305(key, bytes.subarray(0, NONCE_BYTES)).decrypt(bytes.subarray(NONCE_BYTES));
		return new TextDecoder().decode(plain);
	} catch (cause) {
		const message = `${file} cannot be decrypted with MTX_CONFKEY: the key is another one, or the file is not base64 of nonce and secretbox`;
		throw new InputError("config.invalid", message, { cause });
	}
}

/** Base64 (RFC 4648 §4) that comes in pieces, as the POST of an RTSP tunnel carries it. Sans-IO. */

import { ProtocolError } from "#shared/problem.ts";

const PAD = 0x3d;
const SKIPPED = 64;
const WRONG = 65;
/** The six bits of each character. White space is skipped: some clients break lines. */
const VALUES = new Uint8Array(256).fill(WRONG);
for (const [value, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
	VALUES[char.charCodeAt(0)] = value;
}
for (const char of " \t\r\n") VALUES[char.charCodeAt(0)] = SKIPPED;

export class Base64Stream {
	#bits = 0;
	/** Characters of a group of four that have come, 0 up to 3. */
	#chars = 0;

	/**
	 * What the next piece completes; empty when that is nothing. Each message may be encoded on its own, so that padding
	 * may stand anywhere and a new group begins behind it.
	 * @throws ProtocolError `bytes.malformed`: another character, or padding that cannot be
	 */
	push(text: Uint8Array): Uint8Array {
		const bytes = new Uint8Array(Math.ceil(((this.#chars + text.length) * 3) / 4));
		let [bits, chars, length] = [this.#bits, this.#chars, 0];
		for (let at = 0; at < text.length; at++) {
			const char = text[at] ?? 0;
			const value = VALUES[char] ?? WRONG;
			if (value < SKIPPED) {
				bits = (bits << 6) | value;
				if (++chars < 4) continue;
				bytes[length] = bits >>> 16;
				bytes[length + 1] = bits >>> 8;
				bytes[length + 2] = bits;
				length += 3;
				bits = chars = 0;
			} else if (char === PAD) {
				// The first sign of padding ends the group; the second one stands alone, and so do those of careless clients.
				if (chars === 1) throw malformed("padding behind a single character");
				if (chars >= 2) bytes[length++] = bits >>> (chars === 2 ? 4 : 10);
				if (chars === 3) bytes[length++] = bits >>> 2;
				bits = chars = 0;
			} else if (value === WRONG) throw malformed(`the byte 0x${char.toString(16)}`);
		}
		[this.#bits, this.#chars] = [bits, chars];
		return bytes.subarray(0, length);
	}
}

function malformed(what: string): ProtocolError {
	return new ProtocolError("bytes.malformed", `The tunnelled RTSP bytes are not base64: ${what}`);
}

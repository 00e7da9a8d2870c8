import { u8, u32 } from "../bytes/big-endian.ts";

/** A universal label of SMPTE ST 298 is the key of each item, and begins with these bytes. */
const LABEL_PREFIX = 0x060e2b34;
const KEY_BYTES = 16;
/** A length in more than this many bytes is of nothing that could be sent. */
const MAX_LENGTH_BYTES = 8;

/** Says whether `bytes` are one or more whole items of key, length and value, and nothing else: SMPTE ST 336 §5. */
export function isWholeKlv(bytes: Uint8Array): boolean {
	let at = 0;
	while (at < bytes.length) {
		const size = itemBytes(bytes, at);
		if (size === 0 || size > bytes.length - at) return false;
		at += size;
	}
	return at > 0;
}

/** How long the item at `at` is, with key and length; 0 when its beginning is not there or damaged. */
function itemBytes(bytes: Uint8Array, at: number): number {
	if (bytes.length - at <= KEY_BYTES || u32(bytes, at) !== LABEL_PREFIX) return 0;
	// BER: a short length is in one byte; of a long one, the first byte tells how many follow.
	const first = u8(bytes, at + KEY_BYTES);
	if (first < 0x80) return KEY_BYTES + 1 + first;
	const count = first & 0x7f;
	if (count === 0 || count > MAX_LENGTH_BYTES || bytes.length - at <= KEY_BYTES + count) return 0;
	let length = 0;
	for (let i = 1; i <= count; i++) length = length * 256 + u8(bytes, at + KEY_BYTES + i);
	return KEY_BYTES + 1 + count + length;
}

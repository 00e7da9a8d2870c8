import { u8 } from "../bytes/big-endian.ts";

/** Bytes of a start code: `00 00 01` and what it is of. */
export const START_CODE_BYTES = 4;

/** Where the next whole start code begins, from `from` on; `end` when none begins before it. ISO 13818-2 §5.2.3. */
export function findStartCode(bytes: Uint8Array, from: number, end: number): number {
	// No start code has a byte above 1 at its third place: three bytes at once can be passed over.
	let at = from + 2;
	while (at < end - 1) {
		const third = u8(bytes, at);
		if (third > 1) at += 3;
		else if (third === 0) at++;
		else if (u8(bytes, at - 1) === 0 && u8(bytes, at - 2) === 0) return at - 2;
		else at += 3;
	}
	return end;
}

/** The value of the start code at `at`, 0 to 255; -1 when there is none, or it is cut off at `end`. */
export function startCodeAt(bytes: Uint8Array, at: number, end: number): number {
	if (at + START_CODE_BYTES > end) return -1;
	return u8(bytes, at) === 0 && u8(bytes, at + 1) === 0 && u8(bytes, at + 2) === 1 ? u8(bytes, at + 3) : -1;
}

import { u8 } from "../bytes/big-endian.ts";

/** Says whether the frame, which begins at `offset` and is not empty, is a key frame. RFC 6386 §9.1. */
export function isVp8KeyFrame(bytes: Uint8Array, offset = 0): boolean {
	return (u8(bytes, offset) & 0x01) === 0;
}

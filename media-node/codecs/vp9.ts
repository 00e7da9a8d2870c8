import { u8 } from "../bytes/big-endian.ts";

/**
 * Says whether the frame, which begins at `offset` and is not empty, is a key frame, by the first bits of its
 * uncompressed header. An intra-only frame is none: it leaves reference pictures as they were.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+   frame marker `10`, the profile's low and high bit, a reserved bit in profile 3 only,
 *     |1|0| P |E|T|S|R|   show_existing_frame, frame_type: 0 is a key frame
 *     +-+-+-+-+-+-+-+-+
 *
 * @see VP9 Bitstream & Decoding Process Specification §6.2
 */
export function isVp9KeyFrame(bytes: Uint8Array, offset = 0): boolean {
	const first = u8(bytes, offset);
	if (first >> 6 !== 2) return false;
	const isProfile3 = (first & 0x30) === 0x30;
	return (first & (isProfile3 ? 0x06 : 0x0c)) === 0;
}

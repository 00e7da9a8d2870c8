import { u8 } from "../../bytes/big-endian.ts";
import { isVp8KeyFrame } from "../../codecs/vp8.ts";
import type { PicturePayloadFormat } from "./picture-assembler.ts";

/** RFC 7741. The partitions of a frame are joined; a frame is one picture. */
export const VP8_PAYLOAD_FORMAT: PicturePayloadFormat = {
	headerBytes: vp8HeaderBytes,
	begins: startsVp8Frame,
	hasPicture: () => true,
	isRandomAccess: (picture) => isVp8KeyFrame(picture),
};

/**
 * The length of the payload descriptor, -1 when it is cut off.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+
 *     |X|R|N|S|R| PID |
 *     +-+-+-+-+-+-+-+-+
 *  X: |I|L|T|K| RSV   |
 *     +-+-+-+-+-+-+-+-+
 *  I: |M| PictureID   |   16 bits with M
 *     +-+-+-+-+-+-+-+-+
 *  L: |   TL0PICIDX   |
 *     +-+-+-+-+-+-+-+-+
 * T/K:|TID|Y| KEYIDX  |
 *     +-+-+-+-+-+-+-+-+
 *
 * @see RFC 7741 §4.2
 */
export function vp8HeaderBytes(bytes: Uint8Array, offset: number, length: number): number {
	if ((u8(bytes, offset) & 0x80) === 0) return 1;
	if (length < 2) return -1;
	const extension = u8(bytes, offset + 1);
	let size = 2;
	if (extension & 0x80) {
		if (length < 3) return -1;
		size += u8(bytes, offset + 2) & 0x80 ? 2 : 1;
	}
	if (extension & 0x40) size++;
	if (extension & 0x30) size++;
	return size <= length ? size : -1;
}

/** The payload begins the first partition, and so the frame. RFC 7741 §4.2: S is set, PID is 0. */
export function startsVp8Frame(bytes: Uint8Array, offset: number): boolean {
	return (u8(bytes, offset) & 0x17) === 0x10;
}

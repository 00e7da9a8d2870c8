import { u8 } from "../../bytes/big-endian.ts";
import { hasSequenceHeader, isMpeg12Slice } from "../../codecs/mpeg12-video.ts";
import { findStartCode, START_CODE_BYTES, startCodeAt } from "../../codecs/start-code.ts";
import type { PicturePayloadFormat } from "./picture-assembler.ts";

/** RFC 2250 §3, `MPV`. */
export const MPEG12_VIDEO_PAYLOAD_FORMAT: PicturePayloadFormat = {
	headerBytes: mpeg12HeaderBytes,
	begins,
	hasPicture,
	isRandomAccess: (picture) => hasSequenceHeader(picture, 0, picture.length),
};

/** Of the MPEG video-specific header, and of its extension for MPEG-2. */
const HEADER_BYTES = 4;

/**
 * The length of the MPEG video-specific header with its extensions, -1 when it is cut off.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |    MBZ  |T|         TR        | |N|S|B|E|  P  | | BFC | | FFC |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *                                      AN              FBV     FFV
 *     |X|E|f_[0,0]|f_[0,1]|f_[1,0]|f_[1,1]| DC| PS|T|P|C|Q|V|A|R|H|G|D|   with T
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * With D four more bytes follow, and with E more extensions, of which the first byte is their length in 32-bit words.
 *
 * @see RFC 2250 §3.4
 */
export function mpeg12HeaderBytes(bytes: Uint8Array, offset: number, length: number): number {
	if (length < HEADER_BYTES) return -1;
	if ((u8(bytes, offset) & 0x04) === 0) return HEADER_BYTES;
	let size = 2 * HEADER_BYTES;
	if (length < size) return -1;
	if (u8(bytes, offset + 7) & 0x01) size += 4;
	if (u8(bytes, offset + 4) & 0x40) {
		if (length <= size) return -1;
		size += u8(bytes, offset + size) * 4;
	}
	return size <= length ? size : -1;
}

/** A sequence, group or picture header stands first: §3.1 has these at the beginning of a payload. */
function begins(bytes: Uint8Array, offset: number, length: number, header: number): boolean {
	const code = startCodeAt(bytes, offset + header, offset + length);
	return code >= 0 && !isMpeg12Slice(code);
}

/** There is a slice: a picture header alone is not yet a picture. */
function hasPicture(bytes: Uint8Array, offset: number, length: number): boolean {
	const end = offset + length;
	let at = findStartCode(bytes, offset, end);
	while (at < end && !isMpeg12Slice(u8(bytes, at + 3))) at = findStartCode(bytes, at + START_CODE_BYTES, end);
	return at < end;
}

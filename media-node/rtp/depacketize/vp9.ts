import { u8 } from "../../bytes/big-endian.ts";
import { isVp9KeyFrame } from "../../codecs/vp9.ts";
import type { PicturePayloadFormat } from "./picture-assembler.ts";

/**
 * RFC 9628, flexible mode or not. The frames of spatial layers are joined as they come, which is what decoders take
 * for one picture.
 */
export const VP9_PAYLOAD_FORMAT: PicturePayloadFormat = {
	headerBytes: vp9HeaderBytes,
	begins: startsVp9Picture,
	hasPicture: () => true,
	isRandomAccess: (picture) => isVp9KeyFrame(picture),
};

/** RFC 9628 §4.2: a picture has at most that many reference indices. */
const MAX_REFERENCES = 3;

/**
 * The length of the payload descriptor, -1 when it is cut off or malformed.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+
 *     |I|P|L|F|B|E|V|Z|
 *     +-+-+-+-+-+-+-+-+
 *  I: |M| PICTURE ID  |   16 bits with M
 *     +-+-+-+-+-+-+-+-+
 *  L: | TID |U| SID |D|
 *     +-+-+-+-+-+-+-+-+
 *     |   TL0PICIDX   |   with L, without F
 *     +-+-+-+-+-+-+-+-+
 * P,F:| P_DIFF      |N|   up to three, another one follows with N
 *     +-+-+-+-+-+-+-+-+
 *  V: | SS            |
 *     +-+-+-+-+-+-+-+-+
 *
 * @see RFC 9628 §4.2
 */
export function vp9HeaderBytes(bytes: Uint8Array, offset: number, length: number): number {
	const end = offset + length;
	const flags = u8(bytes, offset);
	let at = offset + 1;
	if (flags & 0x80) {
		if (at >= end) return -1;
		at += u8(bytes, at) & 0x80 ? 2 : 1;
	}
	if (flags & 0x20) at += flags & 0x10 ? 1 : 2;
	if ((flags & 0x50) === 0x50) {
		for (let count = 1; ; count++) {
			if (at >= end || count > MAX_REFERENCES) return -1;
			if ((u8(bytes, at++) & 0x01) === 0) break;
		}
	}
	if (flags & 0x02) at = skipScalabilityStructure(bytes, at, end);
	return at <= end ? at - offset : -1;
}

/**
 * Where the scalability structure at `at` ends; past `end` when it is cut off.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+
 *     | N_S |Y|G|-|-|-|
 *     +-+-+-+-+-+-+-+-+
 *  Y: | WIDTH, HEIGHT |   16 bits each, N_S + 1 times
 *     +-+-+-+-+-+-+-+-+
 *  G: |      N_G      |
 *     +-+-+-+-+-+-+-+-+
 *     | TID |U| R |-|-|   N_G times, each with
 *     +-+-+-+-+-+-+-+-+
 *     |    P_DIFF     |   R times
 *     +-+-+-+-+-+-+-+-+
 *
 * @see RFC 9628 §4.2.2
 */
function skipScalabilityStructure(bytes: Uint8Array, start: number, end: number): number {
	if (start >= end) return end + 1;
	const flags = u8(bytes, start);
	let at = start + 1;
	if (flags & 0x10) at += ((flags >> 5) + 1) * 4;
	if ((flags & 0x08) === 0) return at;
	if (at >= end) return end + 1;
	const pictures = u8(bytes, at++);
	for (let i = 0; i < pictures; i++) {
		if (at >= end) return end + 1;
		at += 1 + ((u8(bytes, at) >> 2) & 0x03);
	}
	return at;
}

/** The payload, with a whole descriptor, begins a frame, and this frame depends on no lower spatial layer. */
export function startsVp9Picture(bytes: Uint8Array, offset: number): boolean {
	const flags = u8(bytes, offset);
	if ((flags & 0x08) === 0) return false;
	if ((flags & 0x20) === 0) return true;
	let layer = offset + 1;
	if (flags & 0x80) layer += u8(bytes, layer) & 0x80 ? 2 : 1;
	return (u8(bytes, layer) & 0x01) === 0;
}

import { u8 } from "../../bytes/big-endian.ts";

/** What a packet says of its picture. One object serves for all packets. */
export type PictureNumber = {
	/** -1: it has none. Otherwise, one more than that of the picture before, modulo 128 or 32768. */
	number: number;
	/** 0x7f or 0x7fff. */
	mask: number;
	/** The packet is the first one of the picture. */
	begins: boolean;
};

/**
 * Reads the number of the picture that the payload at `at` is of: only VP8 and VP9 have one. Never throws.
 *
 * @see RFC 7741 §4.2 and RFC 9628 §4.2: `I` says that there is a picture ID, and `M` that it has 15 bits
 */
export function readPictureNumber(
	picture: PictureNumber,
	codec: string,
	bytes: Uint8Array,
	at: number,
	length: number,
): void {
	picture.number = -1;
	picture.mask = 0x7f;
	picture.begins = false;
	// The longest beginning that is looked at.
	if (length < 4) return;
	const first = u8(bytes, at);
	let id = at + 1;
	if (codec === "VP8") {
		picture.begins = (first & 0x17) === 0x10;
		if ((first & 0x80) === 0 || (u8(bytes, id++) & 0x80) === 0) return;
	} else if (codec === "VP9") {
		picture.begins = (first & 0x08) !== 0;
		if ((first & 0x80) === 0) return;
	} else {
		return;
	}
	const head = u8(bytes, id);
	picture.number = head & 0x7f;
	if ((head & 0x80) === 0) return;
	picture.mask = 0x7fff;
	picture.number = ((head & 0x7f) << 8) | u8(bytes, id + 1);
}

/** Says whether the second picture is the next one after the first. */
export function follows(first: PictureNumber, second: PictureNumber): boolean {
	if (first.number < 0 || second.number < 0 || first.mask !== second.mask) return false;
	return second.number === ((first.number + 1) & first.mask);
}

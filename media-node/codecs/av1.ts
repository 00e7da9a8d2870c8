import { u8 } from "../bytes/big-endian.ts";

/** `obu_type`, AV1 Bitstream & Decoding Process Specification §6.2.2. */
export const AV1_OBU = {
	sequenceHeader: 1,
	temporalDelimiter: 2,
	frameHeader: 3,
	tileGroup: 4,
	frame: 6,
	redundantFrameHeader: 7,
	tileList: 8,
	padding: 15,
} as const;

/** Bits of the first byte of an OBU, §5.3.2: `obu_forbidden_bit`, `obu_extension_flag`, `obu_has_size_field`. */
export const AV1_FORBIDDEN_BIT = 0x80;
export const AV1_EXTENSION_BIT = 0x04;
export const AV1_SIZE_BIT = 0x02;

/** The type of the OBU that begins at `at`. */
export function av1ObuType(bytes: Uint8Array, at = 0): number {
	return (u8(bytes, at) >> 3) & 0x0f;
}

/** The OBU is of a picture, rather than of what stands before one. */
export function isAv1FrameObu(type: number): boolean {
	return type === AV1_OBU.frame || type === AV1_OBU.frameHeader || type === AV1_OBU.tileGroup;
}

/**
 * Says whether the frame, or frame header, OBU at `at` is of a key frame that is shown; one that is shown later does not
 * do to begin with, for pictures between may need others before. §5.9.2: `show_existing_frame` is 0, two bits of
 * `frame_type` are 0, and `show_frame` is 1. A still picture with a reduced header, which says nothing, is not asked for.
 */
export function isAv1ShownKeyFrame(bytes: Uint8Array, at: number, end: number): boolean {
	const header = at + (u8(bytes, at) & AV1_EXTENSION_BIT ? 2 : 1);
	return header < end && u8(bytes, header) >> 4 === 0b0001;
}

/** §5.5.1: behind three bits of profile, `still_picture` and `reduced_still_picture_header`. */
export function isAv1ReducedStillPicture(sequenceHeader: Uint8Array): boolean {
	const at = u8(sequenceHeader, 0) & AV1_EXTENSION_BIT ? 2 : 1;
	return at < sequenceHeader.length && (u8(sequenceHeader, at) & 0x18) === 0x18;
}

/** A decoder can begin with a temporal unit of these OBUs, which have no size field. */
export function isAv1RandomAccess(obus: readonly Uint8Array[]): boolean {
	let sequenceHeader: Uint8Array | null = null;
	for (const obu of obus) {
		if (obu.length === 0) continue;
		const type = av1ObuType(obu);
		if (type === AV1_OBU.sequenceHeader) sequenceHeader = obu;
		if (!isAv1FrameObu(type)) continue;
		if (sequenceHeader === null) return false;
		return isAv1ReducedStillPicture(sequenceHeader) || isAv1ShownKeyFrame(obu, 0, obu.length);
	}
	return false;
}

/** How many bytes an OBU has with a size field, of which it has none, §5.3.2. It is not empty, and below 2^28 bytes. */
export function av1SizedBytes(obu: Uint8Array): number {
	return obu.length + leb128Bytes(obu.length - headerBytesOf(obu));
}

/** Writes such an OBU with a size field at `at`. One that ends within its header is written as one without payload. */
export function putAv1Sized(bytes: Uint8Array, at: number, obu: Uint8Array): void {
	const header = headerBytesOf(obu);
	bytes.set(obu.subarray(0, header), at);
	bytes[at] = u8(obu, 0) | AV1_SIZE_BIT;
	bytes.set(obu.subarray(header), putLeb128(bytes, at + header, obu.length - header));
}

/** A copy with a size field. */
export function withAv1Size(obu: Uint8Array): Uint8Array {
	const sized = new Uint8Array(av1SizedBytes(obu));
	putAv1Sized(sized, 0, obu);
	return sized;
}

function headerBytesOf(obu: Uint8Array): number {
	return Math.min(u8(obu, 0) & AV1_EXTENSION_BIT ? 2 : 1, obu.length);
}

/** Eight bytes, of which seven bits each count. */
const MAX_LEB128_BYTES = 8;

/**
 * The unsigned number at `at`, §4.10.5; -1 when it is cut off at `end`, or more than 32 bits. Its length is what
 * {@link leb128Bytes} tells, unless it is padded: see {@link leb128End}.
 */
export function readLeb128(bytes: Uint8Array, at: number, end: number): number {
	let value = 0;
	for (let i = 0; i < MAX_LEB128_BYTES && at + i < end; i++) {
		const byte = u8(bytes, at + i);
		value += (byte & 0x7f) * 2 ** (7 * i);
		if (byte < 0x80) return value < 2 ** 32 ? value : -1;
	}
	return -1;
}

/** Where the number at `at`, which was read, ends. */
export function leb128End(bytes: Uint8Array, at: number): number {
	let end = at;
	while (u8(bytes, end) >= 0x80) end++;
	return end + 1;
}

/** How many bytes `value` needs, which is below 2^28. */
export function leb128Bytes(value: number): number {
	if (value < 2 ** 7) return 1;
	if (value < 2 ** 14) return 2;
	return value < 2 ** 21 ? 3 : 4;
}

/** Writes `value` at `at`, and gives where it ends. */
export function putLeb128(bytes: Uint8Array, at: number, value: number): number {
	let rest = value;
	let to = at;
	while (rest >= 0x80) {
		bytes[to++] = (rest & 0x7f) | 0x80;
		rest >>>= 7;
	}
	bytes[to++] = rest;
	return to;
}

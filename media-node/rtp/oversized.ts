import { u8, u16 } from "../bytes/big-endian.ts";
import type { CodecName } from "../codecs/codec.ts";
import { H264_NAL } from "../codecs/h264.ts";
import { H265_NAL } from "../codecs/h265.ts";

/** What differs between H.264 (RFC 6184) and H.265 (RFC 7798). */
type Format = {
	/** Of a NAL unit, and of an aggregation packet before its units. */
	readonly headerBytes: number;
	readonly aggregate: number;
	readonly fragment: number;
	/** The bits of a fragment's header that are the type of its NAL unit. */
	readonly typeMask: number;
	readonly typeOf: (bytes: Uint8Array, offset: number) => number;
	/** Writes the header of a fragment. `header`: where that of the NAL unit, or of the packet, is; `type`: of the NAL unit. */
	readonly writeHeader: (out: Uint8Array, bytes: Uint8Array, header: number, type: number, flags: number) => void;
};

const FORMATS: Partial<Readonly<Record<CodecName, Format>>> = {
	H264: {
		headerBytes: 1,
		aggregate: H264_NAL.stapA,
		fragment: H264_NAL.fuA,
		typeMask: 0x1f,
		typeOf: (bytes, offset) => u8(bytes, offset) & 0x1f,
		writeHeader(out, bytes, header, type, flags) {
			out[0] = (u8(bytes, header) & 0xe0) | H264_NAL.fuA;
			out[1] = flags | type;
		},
	},
	H265: {
		headerBytes: 2,
		aggregate: H265_NAL.ap,
		fragment: H265_NAL.fu,
		typeMask: 0x3f,
		typeOf: (bytes, offset) => (u8(bytes, offset) >> 1) & 0x3f,
		writeHeader(out, bytes, header, type, flags) {
			out[0] = (u8(bytes, header) & 0x81) | (H265_NAL.fu << 1);
			out[1] = u8(bytes, header + 1);
			out[2] = flags | type;
		},
	},
};

/** In the header of a fragment: it is the first, or the last, of its NAL unit. RFC 6184 §5.8, RFC 7798 §4.4.3. */
export const FRAGMENT_START = 0x80;
export const FRAGMENT_END = 0x40;

/**
 * Divides the payload of one packet that is too large for a datagram into payloads of at most `maxBytes`, which is at
 * least 64: a NAL unit into fragments, a fragment into smaller ones, an aggregation into its units. `null` when the
 * payload format is not known here, or the payload is malformed: then it stays as it is. Never throws.
 */
export function divideOversized(
	codec: CodecName,
	bytes: Uint8Array,
	offset: number,
	length: number,
	maxBytes: number,
): Uint8Array[] | null {
	const format = FORMATS[codec];
	if (format === undefined || length <= format.headerBytes + 1) return null;
	const type = format.typeOf(bytes, offset);
	const end = offset + length;
	if (type === format.aggregate) return divideAggregate(format, bytes, offset, end, maxBytes);
	if (type !== format.fragment) return fragments(format, bytes, offset, end, maxBytes);
	const header = u8(bytes, offset + format.headerBytes);
	const data = offset + format.headerBytes + 1;
	return cut(format, bytes, { header: offset, type: header & format.typeMask }, data, end, header, maxBytes);
}

/**
 * The header of a fragment of a NAL unit, in place: its length in bytes, the last of which says with {@link FRAGMENT_START}
 * and {@link FRAGMENT_END} which part of the unit it is. 0 for any other payload. Never throws.
 */
export function fragmentHeaderBytes(codec: CodecName, bytes: Uint8Array, offset: number, length: number): number {
	const format = FORMATS[codec];
	if (format === undefined || length <= format.headerBytes + 1) return 0;
	return format.typeOf(bytes, offset) === format.fragment ? format.headerBytes + 1 : 0;
}

/** A whole NAL unit in fragments; itself when it is small. */
function fragments(format: Format, bytes: Uint8Array, start: number, end: number, maxBytes: number): Uint8Array[] {
	if (end - start <= maxBytes) return [bytes.subarray(start, end)];
	const unit = { header: start, type: format.typeOf(bytes, start) };
	return cut(format, bytes, unit, start + format.headerBytes, end, FRAGMENT_START | FRAGMENT_END, maxBytes);
}

/** The bytes of one NAL unit from `start` to `end` as fragments; `flags`: whether they are its beginning and its end. */
function cut(
	{ headerBytes, writeHeader }: Format,
	bytes: Uint8Array,
	{ header, type }: { header: number; type: number },
	start: number,
	end: number,
	flags: number,
	maxBytes: number,
): Uint8Array[] {
	const room = maxBytes - headerBytes - 1;
	const payloads: Uint8Array[] = [];
	for (let at = start; at < end; at += room) {
		const part = bytes.subarray(at, Math.min(at + room, end));
		const out = new Uint8Array(headerBytes + 1 + part.length);
		const first = at === start ? flags & FRAGMENT_START : 0;
		const last = at + room >= end ? flags & FRAGMENT_END : 0;
		writeHeader(out, bytes, header, type, first | last);
		out.set(part, headerBytes + 1);
		payloads.push(out);
	}
	return payloads;
}

function divideAggregate(
	format: Format,
	bytes: Uint8Array,
	start: number,
	end: number,
	maxBytes: number,
): Uint8Array[] | null {
	const payloads: Uint8Array[] = [];
	let at = start + format.headerBytes;
	while (at < end) {
		const size = at + 2 <= end ? u16(bytes, at) : 0;
		at += 2;
		if (size <= format.headerBytes || at + size > end) return null;
		payloads.push(...fragments(format, bytes, at, at + size, maxBytes));
		at += size;
	}
	return payloads.length === 0 ? null : payloads;
}

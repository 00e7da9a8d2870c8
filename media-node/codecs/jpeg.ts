import { sameBytes, u8, u16 } from "../bytes/big-endian.ts";
import { TYPICAL_HUFFMAN_TABLES } from "./jpeg-tables.ts";

/** A baseline JPEG picture of three components and one scan, with the typical Huffman tables: what RTP can carry. */
export type JpegPicture = {
	/** Pixels, 1 to 65535. */
	readonly width: number;
	readonly height: number;
	/** How many luma samples there are, across and down, for one of chroma: 2x1 or 2x2. */
	readonly sampling: JpegSampling;
	/** In zigzag order, as in a DQT segment: 64 bytes, or 128 where values have 16 bits. */
	readonly luma: Uint8Array;
	readonly chroma: Uint8Array;
	/** MCUs between restart markers, 0 for none. */
	readonly restartInterval: number;
	/** Entropy-coded data with its restart markers, without EOI. */
	readonly scan: Uint8Array;
};
export type JpegSampling = "4:2:2" | "4:2:0";

/** Second bytes of markers, ITU-T T.81 table B.1. */
export const JPEG_MARKER = {
	sof0: 0xc0,
	dht: 0xc4,
	rst0: 0xd0,
	rst7: 0xd7,
	soi: 0xd8,
	eoi: 0xd9,
	sos: 0xda,
	dqt: 0xdb,
	dri: 0xdd,
	app0: 0xe0,
} as const;

/** §B.2.2: across in the high four bits, down in the low. */
const LUMA_SAMPLING: Readonly<Record<JpegSampling, number>> = { "4:2:2": 0x21, "4:2:0": 0x22 };
const CHROMA_SAMPLING = 0x11;

/** What the segments before a scan say. */
type Headers = {
	readonly quantization: Map<number, Uint8Array>;
	frame: { width: number; height: number; sampling: JpegSampling; luma: number; chroma: number } | null;
	restartInterval: number;
};

/** Reads a picture; its parts are views. `null` when it is malformed, or not of the kind that RTP can carry. */
export function parseJpeg(bytes: Uint8Array): JpegPicture | null {
	if (bytes.length < 4 || u16(bytes, 0) !== (0xff00 | JPEG_MARKER.soi)) return null;
	const headers: Headers = { quantization: new Map(), frame: null, restartInterval: 0 };
	let at = 2;
	while (at + 4 <= bytes.length && u8(bytes, at) === 0xff) {
		const marker = u8(bytes, at + 1);
		// §B.1.1.2: any number of FF may stand before a marker.
		if (marker === 0xff) {
			at++;
			continue;
		}
		const size = u16(bytes, at + 2);
		const end = at + 2 + size;
		if (size < 2 || end > bytes.length) return null;
		const segment = bytes.subarray(at + 4, end);
		if (marker === JPEG_MARKER.sos) return pictureOf(headers, segment, bytes, end);
		if (!readSegment(headers, marker, segment)) return null;
		at = end;
	}
	return null;
}

function readSegment(headers: Headers, marker: number, segment: Uint8Array): boolean {
	switch (marker) {
		case JPEG_MARKER.dqt:
			return readQuantization(headers.quantization, segment);
		case JPEG_MARKER.dht:
			return hasTypicalTables(segment);
		case JPEG_MARKER.dri:
			if (segment.length < 2) return false;
			headers.restartInterval = u16(segment, 0);
			return true;
		case JPEG_MARKER.sof0:
			headers.frame = readFrame(segment);
			return headers.frame !== null;
		default:
			// Any other SOF, or DAC, is not baseline. The rest says nothing that a decoder must know.
			return marker > 0xcf || marker < JPEG_MARKER.sof0;
	}
}

/** §B.2.4.1. */
function readQuantization(tables: Map<number, Uint8Array>, segment: Uint8Array): boolean {
	let at = 0;
	while (at < segment.length) {
		const id = u8(segment, at);
		const size = id >> 4 === 0 ? 64 : 128;
		if (id >> 4 > 1 || at + 1 + size > segment.length) return false;
		tables.set(id & 0x0f, segment.subarray(at + 1, at + 1 + size));
		at += 1 + size;
	}
	return true;
}

/** §B.2.4.2: the class, the destination and 16 counts come before as many symbols as they sum up to. */
function hasTypicalTables(segment: Uint8Array): boolean {
	let at = 0;
	while (at < segment.length) {
		const typical = TYPICAL_HUFFMAN_TABLES.get(u8(segment, at));
		if (typical === undefined || !sameBytes(typical, segment.subarray(at, at + typical.length))) return false;
		at += typical.length;
	}
	return true;
}

/** §B.2.2. */
function readFrame(segment: Uint8Array): Headers["frame"] {
	if (segment.length !== 15 || u8(segment, 0) !== 8 || u8(segment, 5) !== 3) return null;
	const height = u16(segment, 1);
	const width = u16(segment, 3);
	if (width === 0 || height === 0) return null;
	const luma = u8(segment, 7);
	const sampling = (["4:2:2", "4:2:0"] as const).find((name) => LUMA_SAMPLING[name] === luma);
	const chroma = u8(segment, 11);
	const isUsual = u8(segment, 10) === CHROMA_SAMPLING && u8(segment, 13) === CHROMA_SAMPLING;
	if (sampling === undefined || !isUsual || chroma !== u8(segment, 14)) return null;
	return { width, height, sampling, luma: u8(segment, 8), chroma };
}

/** §B.2.3. `scan` is the segment before the entropy-coded data, which is at `start`. */
function pictureOf(headers: Headers, scan: Uint8Array, bytes: Uint8Array, start: number): JpegPicture | null {
	const { quantization, frame, restartInterval } = headers;
	// Three components, with Huffman tables 0 for luma and 1 for chroma.
	const isUsual = scan.length === 10 && u8(scan, 0) === 3 && u8(scan, 2) === 0x00 && u8(scan, 4) === 0x11;
	if (frame === null || !isUsual || u8(scan, 6) !== 0x11) return null;
	const luma = quantization.get(frame.luma);
	const chroma = quantization.get(frame.chroma);
	const end = scanEnd(bytes, start);
	if (luma === undefined || chroma === undefined || end === start) return null;
	const { width, height, sampling } = frame;
	return { width, height, sampling, luma, chroma, restartInterval, scan: bytes.subarray(start, end) };
}

/** Where the EOI is, or the end of what is there. Another scan, which cannot be carried, gives `start`. */
function scanEnd(bytes: Uint8Array, start: number): number {
	let at = bytes.indexOf(0xff, start);
	while (at !== -1 && at + 1 < bytes.length) {
		const marker = u8(bytes, at + 1);
		if (marker === JPEG_MARKER.eoi) return at;
		const isData = marker === 0 || marker === 0xff || (marker >= JPEG_MARKER.rst0 && marker <= JPEG_MARKER.rst7);
		if (!isData) return start;
		at = bytes.indexOf(0xff, marker === 0xff ? at + 1 : at + 2);
	}
	return bytes.length;
}

/** All that stands before the scan of a JFIF file: SOI, APP0, DQT, DRI, SOF0, DHT and SOS. */
export function jpegHeaders(picture: Omit<JpegPicture, "scan">): Uint8Array {
	const { width, height, sampling, luma, chroma, restartInterval } = picture;
	const parts: number[] = [0xff, JPEG_MARKER.soi];
	const segment = (marker: number, content: Iterable<number>) => {
		const bytes = [...content];
		parts.push(0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff, ...bytes);
	};
	// JFIF 1.01, square pixels, no thumbnail.
	segment(JPEG_MARKER.app0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
	segment(JPEG_MARKER.dqt, [luma.length > 64 ? 0x10 : 0, ...luma]);
	segment(JPEG_MARKER.dqt, [chroma.length > 64 ? 0x11 : 1, ...chroma]);
	if (restartInterval > 0) segment(JPEG_MARKER.dri, [restartInterval >> 8, restartInterval & 0xff]);
	const components = [1, LUMA_SAMPLING[sampling], 0, 2, CHROMA_SAMPLING, 1, 3, CHROMA_SAMPLING, 1];
	segment(JPEG_MARKER.sof0, [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3, ...components]);
	for (const table of TYPICAL_HUFFMAN_TABLES.values()) segment(JPEG_MARKER.dht, table);
	segment(JPEG_MARKER.sos, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
	return Uint8Array.from(parts);
}

/** The two bytes that end a picture. */
export const JPEG_EOI = Uint8Array.of(0xff, JPEG_MARKER.eoi);

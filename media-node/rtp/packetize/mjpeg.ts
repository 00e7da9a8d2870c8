import { putU16 } from "../../bytes/big-endian.ts";
import { type JpegPicture, parseJpeg } from "../../codecs/jpeg.ts";
import { MAX_ACCESS_UNIT_BYTES, type RtpPayload } from "../access-unit.ts";

/** Of the main JPEG header, and of those that may follow. */
const MAIN_HEADER_BYTES = 8;
const RESTART_HEADER_BYTES = 4;
const TABLE_HEADER_BYTES = 4;
/** Two of 8 bits a value. */
const TABLES_BYTES = 128;
/** The largest width and height, in pixels, that a byte can tell. */
const MAX_SIZE = 2_040;
/** The tables are in each picture. */
const Q_TABLES_INCLUDED = 255;
const TYPE_WITH_RESTART = 64;
/** F and L, and a count that says: the fragments do not begin and end with restart intervals. RFC 2435 §3.1.7. */
const NOT_ALIGNED = 0xffff;

/**
 * Packs baseline JPEG pictures of 4:2:0 or 4:2:2 with the typical Huffman tables. Others are left out, and those wider
 * or higher than 2040 pixels; so are all, when their quantization tables do not fit in a payload. RFC 2435.
 */
export function packetizeMjpeg(frames: readonly Uint8Array[], maxPayloadBytes: number): RtpPayload[] {
	const payloads: RtpPayload[] = [];
	for (const frame of frames) {
		const picture = parseJpeg(frame);
		if (picture !== null && canCarry(picture, maxPayloadBytes)) addPicture(payloads, picture, maxPayloadBytes);
	}
	return payloads;
}

function canCarry({ width, height, luma, chroma, scan }: JpegPicture, maxPayloadBytes: number): boolean {
	const headerBytes = MAIN_HEADER_BYTES + RESTART_HEADER_BYTES + TABLE_HEADER_BYTES + TABLES_BYTES;
	// RFC 2435 §4.1: values of 16 bits are not for baseline.
	const hasTables = luma.length + chroma.length === TABLES_BYTES;
	const hasSize = width <= MAX_SIZE && height <= MAX_SIZE && scan.length <= MAX_ACCESS_UNIT_BYTES;
	return hasTables && hasSize && headerBytes < maxPayloadBytes;
}

function addPicture(payloads: RtpPayload[], picture: JpegPicture, maxPayloadBytes: number): void {
	const { width, height, sampling, luma, chroma, restartInterval, scan } = picture;
	const type = (sampling === "4:2:0" ? 1 : 0) + (restartInterval > 0 ? TYPE_WITH_RESTART : 0);
	const headerBytes = MAIN_HEADER_BYTES + (restartInterval > 0 ? RESTART_HEADER_BYTES : 0);
	for (let from = 0; from < scan.length; ) {
		const tableBytes = from === 0 ? TABLE_HEADER_BYTES + TABLES_BYTES : 0;
		const to = Math.min(from + maxPayloadBytes - headerBytes - tableBytes, scan.length);
		const bytes = new Uint8Array(headerBytes + tableBytes + to - from);
		bytes[1] = from >>> 16;
		putU16(bytes, 2, from & 0xffff);
		bytes[4] = type;
		bytes[5] = Q_TABLES_INCLUDED;
		bytes[6] = Math.ceil(width / 8);
		bytes[7] = Math.ceil(height / 8);
		if (restartInterval > 0) {
			putU16(bytes, MAIN_HEADER_BYTES, restartInterval);
			putU16(bytes, MAIN_HEADER_BYTES + 2, NOT_ALIGNED);
		}
		if (from === 0) {
			putU16(bytes, headerBytes + 2, TABLES_BYTES);
			bytes.set(luma, headerBytes + TABLE_HEADER_BYTES);
			bytes.set(chroma, headerBytes + TABLE_HEADER_BYTES + luma.length);
		}
		bytes.set(scan.subarray(from, to), headerBytes + tableBytes);
		payloads.push({ bytes, marker: to === scan.length, ticks: 0 });
		from = to;
	}
}

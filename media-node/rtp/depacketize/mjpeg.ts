import { u8, u16, u24 } from "../../bytes/big-endian.ts";
import { JPEG_EOI, type JpegPicture, jpegHeaders } from "../../codecs/jpeg.ts";
import { quantizationTables } from "../../codecs/jpeg-tables.ts";
import { type AccessUnit, MAX_ACCESS_UNIT_BYTES } from "../access-unit.ts";
import { FragmentArena } from "./fragment-arena.ts";
import type { UnitAssembler } from "./unit-depacketizer.ts";

/** Of the main JPEG header, and of those that may follow. */
const MAIN_HEADER_BYTES = 8;
const RESTART_HEADER_BYTES = 4;
const TABLE_HEADER_BYTES = 4;
/** EOI, as a number. */
const END_OF_IMAGE = 0xffd9;

type Tables = Pick<JpegPicture, "luma" | "chroma">;

/**
 * Makes JFIF pictures of scans, whose headers the packets tell in short.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     | Type-specific |              Fragment Offset                  |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |      Type     |       Q       |     Width     |     Height    |   in units of 8 pixels
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |       Restart Interval        |F|L|       Restart Count       |   types 64 to 127
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |      MBZ      |   Precision   |             Length            |   Q 128 to 255, first fragment; tables follow
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @see RFC 2435 §3.1
 */
export class MjpegAssembler implements UnitAssembler {
	readonly #arena = new FragmentArena();
	/** By Q, for it may stand for tables that a packet brought before: §4.2. */
	readonly #tables = new Map<number, Tables>();
	#headerBytes = 0;
	/** The last two bytes of the scan. */
	#tail = 0;
	#hasPicture = false;

	get hasPicture(): boolean {
		return this.#hasPicture;
	}

	begin(): void {
		this.#arena.swap();
		this.#headerBytes = 0;
		this.#hasPicture = false;
	}

	add(bytes: Uint8Array, offset: number, length: number): boolean {
		// Whatever it is, its frame ends with the marker.
		this.#hasPicture = true;
		const end = offset + length;
		if (length < MAIN_HEADER_BYTES) return false;
		const fragmentOffset = u24(bytes, offset + 1);
		const type = u8(bytes, offset + 4);
		const hasRestart = type >= 64 && type < 128;
		let at = offset + MAIN_HEADER_BYTES;
		if (hasRestart) at += RESTART_HEADER_BYTES;
		if (at > end) return false;
		if (this.#headerBytes === 0) {
			if (fragmentOffset !== 0) return false;
			const start = this.#begin(bytes, offset, at, end, hasRestart ? u16(bytes, at - RESTART_HEADER_BYTES) : 0);
			if (start < 0) return false;
			at = start;
		}
		const size = end - at;
		if (fragmentOffset !== this.#arena.length - this.#headerBytes) return false;
		if (this.#arena.length + size + JPEG_EOI.length > MAX_ACCESS_UNIT_BYTES) return false;
		this.#arena.append(bytes, at, size);
		if (size > 1) this.#tail = u16(bytes, end - 2);
		else if (size === 1) this.#tail = ((this.#tail & 0xff) << 8) | u8(bytes, at);
		return true;
	}

	take(): Omit<AccessUnit, "rtpTime"> | null {
		// All of it was headers.
		if (this.#arena.length === this.#headerBytes) return null;
		if (this.#tail !== END_OF_IMAGE) this.#arena.append(JPEG_EOI, 0, JPEG_EOI.length);
		return { frames: [this.#arena.take()], randomAccess: true };
	}

	/** Writes the headers of a picture, by the first of its packets. Where its scan begins; -1: it is malformed. */
	#begin(bytes: Uint8Array, offset: number, start: number, end: number, restartInterval: number): number {
		// §4.1: 0 has half as many samples of chroma across, 1 down as well. 2 to 5 are reserved, the rest is free.
		const sampling = (["4:2:2", "4:2:0"] as const)[u8(bytes, offset + 4) & 0x3f];
		const quality = u8(bytes, offset + 5);
		const width = u8(bytes, offset + 6) * 8;
		const height = u8(bytes, offset + 7) * 8;
		if (u8(bytes, offset + 4) >= 128 || sampling === undefined || width === 0 || height === 0) return -1;
		let at = start;
		let tables = this.#tables.get(quality);
		if (quality >= 128) {
			if (at + TABLE_HEADER_BYTES > end) return -1;
			const size = u16(bytes, at + 2);
			at += TABLE_HEADER_BYTES;
			if (size > end - at) return -1;
			if (size > 0) {
				tables = tablesOf(bytes, at, size, u8(bytes, at - 3));
				// §4.2: those of 255 may be others in each picture, and are always sent.
				if (tables !== undefined && quality < 255) this.#tables.set(quality, tables);
			}
			at += size;
		} else if (tables === undefined && quality > 0 && quality < 100) {
			tables = quantizationTables(quality);
			this.#tables.set(quality, tables);
		}
		if (tables === undefined) return -1;
		const headers = jpegHeaders({ width, height, sampling, restartInterval, ...tables });
		this.#arena.begin();
		this.#arena.append(headers, 0, headers.length);
		this.#headerBytes = headers.length;
		return at;
	}
}

/** §3.1.8: a bit of `precision` for each table, set where values have 16 bits. A single table is for all components. */
function tablesOf(bytes: Uint8Array, at: number, size: number, precision: number): Tables | undefined {
	const lumaBytes = precision & 0x01 ? 128 : 64;
	const chromaBytes = precision & 0x02 ? 128 : 64;
	if (size < lumaBytes) return undefined;
	const luma = bytes.slice(at, at + lumaBytes);
	if (size === lumaBytes) return { luma, chroma: luma };
	if (size < lumaBytes + chromaBytes) return undefined;
	return { luma, chroma: bytes.slice(at + lumaBytes, at + lumaBytes + chromaBytes) };
}

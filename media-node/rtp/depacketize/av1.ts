import { u8 } from "../../bytes/big-endian.ts";
import {
	AV1_EXTENSION_BIT,
	AV1_FORBIDDEN_BIT,
	AV1_OBU,
	AV1_SIZE_BIT,
	av1ObuType,
	isAv1FrameObu,
	isAv1RandomAccess,
	leb128End,
	readLeb128,
} from "../../codecs/av1.ts";
import { type AccessUnit, MAX_ACCESS_UNIT_BYTES, MAX_ACCESS_UNIT_NALS } from "../access-unit.ts";
import { FragmentArena } from "./fragment-arena.ts";
import type { UnitAssembler } from "./unit-depacketizer.ts";

/**
 * Joins the OBU elements of a temporal unit to OBUs without size field. Temporal delimiters and tile lists, which the
 * payload format has no use for, are left out. After a gap, only the beginning of a coded video sequence is surely the
 * beginning of a temporal unit.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+   aggregation header: Z, the first element goes on from the packet before; Y, the last one goes
 *     |Z|Y| W |N|-|-|-|   on in the next; W, how many elements there are, of which the last one has no length, or 0: each
 *     +-+-+-+-+-+-+-+-+   has one; N, a coded video sequence begins
 *
 * @see RTP Payload Format For AV1 (AOMedia) §4.3 to §4.5
 */
export class Av1Assembler implements UnitAssembler {
	readonly #arena = new FragmentArena();
	#obus: Uint8Array[] = [];
	#size = 0;
	#inFragment = false;
	#hasPicture = false;
	#unsure = false;

	get hasPicture(): boolean {
		return this.#hasPicture;
	}

	begin(unsure: boolean): void {
		this.#arena.swap();
		this.#obus = [];
		this.#size = 0;
		this.#inFragment = false;
		this.#hasPicture = false;
		this.#unsure = unsure;
	}

	add(bytes: Uint8Array, offset: number, length: number): boolean {
		const header = u8(bytes, offset);
		const end = offset + length;
		const goesOn = header >= 0x80;
		if (goesOn !== this.#inFragment) return false;
		if (this.#unsure && !startsAv1Sequence(bytes, offset, length)) return false;
		this.#unsure = false;
		const count = (header >> 4) & 0x03;
		const continues = (header & 0x40) !== 0;
		let at = offset + 1;
		// An aggregation header alone.
		if (at === end) return false;
		for (let i = 1; at < end; i++) {
			let size = end - at;
			if (i !== count) {
				size = readLeb128(bytes, at, end);
				if (size < 0) return false;
				at = leb128End(bytes, at);
				if (size > end - at) return false;
			}
			const isLast = at + size === end;
			if (!this.#element(bytes, at, size, isLast && continues)) return false;
			at += size;
			if (i === count) return isLast;
		}
		return count === 0;
	}

	take(): Omit<AccessUnit, "rtpTime"> | null {
		if (this.#inFragment || this.#obus.length === 0) return null;
		return { frames: this.#obus, randomAccess: isAv1RandomAccess(this.#obus) };
	}

	/** Takes an element, which is an OBU or, when one is in work or it `continues`, a fragment of one. */
	#element(bytes: Uint8Array, at: number, size: number, continues: boolean): boolean {
		if (this.#size + size > MAX_ACCESS_UNIT_BYTES) return false;
		this.#size += size;
		const isFragment = this.#inFragment || continues;
		if (!this.#inFragment) this.#arena.begin();
		this.#arena.append(bytes, at, size);
		this.#inFragment = continues;
		if (!isFragment) return this.#obu(this.#arena.take());
		// A frame may be all fragment until its end, and its unit must end without that end, too.
		this.#hasPicture = true;
		return continues || this.#obu(this.#arena.take());
	}

	#obu(element: Uint8Array): boolean {
		if (element.length === 0) return true;
		const first = u8(element, 0);
		if (first & AV1_FORBIDDEN_BIT || this.#obus.length === MAX_ACCESS_UNIT_NALS) return false;
		const type = av1ObuType(element);
		if (type === AV1_OBU.temporalDelimiter || type === AV1_OBU.tileList) return true;
		const obu = first & AV1_SIZE_BIT ? withoutSize(element) : element;
		if (obu === null) return false;
		this.#obus.push(obu);
		this.#hasPicture ||= isAv1FrameObu(type);
		return true;
	}
}

/** The packet begins a coded video sequence: it says so, or it has a sequence header. */
export function startsAv1Sequence(bytes: Uint8Array, offset: number, length: number): boolean {
	const end = offset + length;
	const header = u8(bytes, offset);
	if (header & 0x08) return true;
	const count = (header >> 4) & 0x03;
	let at = offset + 1;
	for (let i = 1; at < end; i++) {
		let size = end - at;
		if (i !== count) {
			size = readLeb128(bytes, at, end);
			if (size < 0) return false;
			at = leb128End(bytes, at);
		}
		const isWhole = i > 1 || header < 0x80;
		if (isWhole && size > 0 && at < end) {
			const type = av1ObuType(bytes, at);
			if (type === AV1_OBU.sequenceHeader) return true;
			if (type !== AV1_OBU.temporalDelimiter) return false;
		}
		at += size;
	}
	return false;
}

/** The OBU without its size field, as a copy; `null` when that field is malformed. §4.3.1: it should not be there. */
function withoutSize(obu: Uint8Array): Uint8Array | null {
	const first = u8(obu, 0);
	const headerBytes = first & AV1_EXTENSION_BIT ? 2 : 1;
	const size = readLeb128(obu, headerBytes, obu.length);
	if (size < 0) return null;
	const start = leb128End(obu, headerBytes);
	if (start + size > obu.length) return null;
	const bare = new Uint8Array(headerBytes + size);
	bare.set(obu.subarray(0, headerBytes));
	bare[0] = first & ~AV1_SIZE_BIT;
	bare.set(obu.subarray(start, start + size), headerBytes);
	return bare;
}

import { type AccessUnit, MAX_ACCESS_UNIT_BYTES } from "../access-unit.ts";
import { FragmentArena } from "./fragment-arena.ts";
import type { UnitAssembler } from "./unit-depacketizer.ts";

/** What differs between payload formats in which a picture is cut into parts, each behind a small header. */
export type PicturePayloadFormat = {
	/** How many bytes of a payload, which is not empty, stand before its part of the picture; -1: it is malformed. */
	readonly headerBytes: (bytes: Uint8Array, offset: number, length: number) => number;
	/** No part of the same picture comes before the payload, of which `header` bytes are its header. */
	readonly begins: (bytes: Uint8Array, offset: number, length: number, header: number) => boolean;
	/** The part, which is not empty, is of a picture rather than of headers that may come alone. */
	readonly hasPicture: (bytes: Uint8Array, offset: number, length: number) => boolean;
	/** A decoder can begin with the whole picture. */
	readonly isRandomAccess: (picture: Uint8Array) => boolean;
};

/** Joins the parts of a picture to one frame: VP8, VP9, MPEG-1, MPEG-2 and MPEG-4 Video. */
export class PictureAssembler implements UnitAssembler {
	readonly #format: PicturePayloadFormat;
	readonly #arena = new FragmentArena();
	#size = 0;
	#hasPicture = false;

	constructor(format: PicturePayloadFormat) {
		this.#format = format;
	}

	get hasPicture(): boolean {
		return this.#hasPicture;
	}

	begin(): void {
		this.#arena.swap();
		this.#size = 0;
		this.#hasPicture = false;
	}

	add(bytes: Uint8Array, offset: number, length: number): boolean {
		const header = this.#format.headerBytes(bytes, offset, length);
		if (header < 0 || header >= length) return false;
		if (this.#size === 0 && !this.#format.begins(bytes, offset, length, header)) return false;
		const start = offset + header;
		const size = length - header;
		if (this.#size + size > MAX_ACCESS_UNIT_BYTES) return false;
		this.#hasPicture ||= this.#format.hasPicture(bytes, start, size);
		this.#arena.append(bytes, start, size);
		this.#size += size;
		return true;
	}

	take(): Omit<AccessUnit, "rtpTime"> {
		const picture = this.#arena.take();
		return { frames: [picture], randomAccess: this.#format.isRandomAccess(picture) };
	}
}

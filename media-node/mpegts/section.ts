import { u8, u16 } from "../bytes/big-endian.ts";

/** A section of a program table with its length field, ISO 13818-1 §2.4.4: `section_length` is at most 1021. */
export const MAX_SECTION_BYTES = 1_024;
const HEADER_BYTES = 3;
const CRC_BYTES = 4;
/** From `table_id` to `last_section_number`. */
const LONG_HEADER_BYTES = 8;

/** Puts the sections of one PID together, across packets. Sections that are damaged are left out and counted. */
export class SectionAssembler {
	readonly #bytes = new Uint8Array(MAX_SECTION_BYTES);
	#length = 0;
	#active = false;
	damaged = 0;

	/** Forgets the section in hand: packets were lost. */
	reset(): void {
		this.#active = false;
		this.#length = 0;
	}

	/** Takes the payload of a packet and gives the sections that are complete with it, as copies. */
	push(payload: Uint8Array, start: boolean): Uint8Array[] {
		const sections: Uint8Array[] = [];
		if (payload.length === 0) return sections;
		if (!start) {
			this.#take(payload, sections);
			return sections;
		}
		const pointer = 1 + u8(payload, 0);
		if (pointer > payload.length) {
			this.reset();
			this.damaged++;
			return sections;
		}
		this.#take(payload.subarray(1, pointer), sections);
		this.reset();
		this.#active = true;
		this.#take(payload.subarray(pointer), sections);
		return sections;
	}

	#take(bytes: Uint8Array, sections: Uint8Array[]): void {
		for (let at = 0; this.#active && at < bytes.length; ) {
			if (this.#length === 0 && bytes[at] === STUFFING) {
				this.#active = false;
				return;
			}
			const wanted = this.#wanted();
			const taken = Math.min(wanted - this.#length, bytes.length - at);
			this.#bytes.set(bytes.subarray(at, at + taken), this.#length);
			this.#length += taken;
			at += taken;
			if (this.#length === HEADER_BYTES && this.#wanted() > MAX_SECTION_BYTES) {
				this.damaged++;
				this.reset();
			} else if (this.#length > HEADER_BYTES && this.#length === this.#wanted()) {
				const section = this.#bytes.slice(0, this.#length);
				if (crc32(section, section.length) === 0) sections.push(section);
				else this.damaged++;
				this.#length = 0;
			}
		}
	}

	/** How long the section is with what is known of it. It is never shorter than its CRC. */
	#wanted(): number {
		if (this.#length < HEADER_BYTES) return HEADER_BYTES;
		return HEADER_BYTES + Math.max(1, u16(this.#bytes, 1) & 0x0fff);
	}
}

/** In the place of a `table_id`: nothing more comes in this packet. */
const STUFFING = 0xff;

/** What every long section begins with: the table, whether it is valid now, and its body without the CRC. */
export type Section = {
	readonly tableId: number;
	/** `transport_stream_id` or `program_number`. */
	readonly id: number;
	readonly current: boolean;
	readonly body: Uint8Array;
};

/** Parses a section that {@link SectionAssembler} gave; `null` when it has no long header. Never throws. */
export function parseSection(bytes: Uint8Array): Section | null {
	if (bytes.length < LONG_HEADER_BYTES + CRC_BYTES || (u8(bytes, 1) & 0x80) === 0) return null;
	return {
		tableId: u8(bytes, 0),
		id: u16(bytes, 3),
		current: (u8(bytes, 5) & 1) === 1,
		body: bytes.subarray(LONG_HEADER_BYTES, bytes.length - CRC_BYTES),
	};
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte << 24;
	for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
	return crc >>> 0;
});

/** The CRC of ISO 13818-1 annex A: 0 over a section with its own. */
export function crc32(bytes: Uint8Array, length: number): number {
	let crc = 0xffff_ffff;
	for (let i = 0; i < length; i++) crc = ((crc << 8) ^ crcOfByte(((crc >>> 24) ^ u8(bytes, i)) & 0xff)) >>> 0;
	return crc;
}

function crcOfByte(index: number): number {
	return CRC_TABLE[index] ?? 0;
}

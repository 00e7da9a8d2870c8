import { u16 } from "../bytes/big-endian.ts";
import type { Codec } from "../codecs/codec.ts";
import {
	type ElementaryParser,
	type ElementaryUnit,
	NO_UNITS,
	PES_CLOCK_RATE,
	type TimedData,
} from "./elementary-parser.ts";

/** Bytes before the data of a `metadata_AU_cell`, ISO 13818-1 §2.12.4.2. */
const CELL_HEADER_BYTES = 5;

/** KLV metadata, MISB ST 1402: without framing (§9.4.1), or in metadata cells of the synchronous kind (§9.4.2). */
export class KlvParser implements ElementaryParser {
	readonly kind = "application";
	readonly clockRate = PES_CLOCK_RATE;
	readonly codec: Codec = { name: "KLV" };
	readonly codecAtEnd = this.codec;
	readonly #synchronous: boolean;
	readonly #now: () => number | null;
	dropped = 0;

	/** `now` gives the time of the program, in ticks of 1/90000 s, for packets without one. */
	constructor(synchronous: boolean, now: () => number | null) {
		this.#synchronous = synchronous;
		this.#now = now;
	}

	push({ pts, data }: TimedData): readonly ElementaryUnit[] {
		const time = pts ?? this.#now();
		const unit = this.#synchronous ? unwrapped(data) : data;
		if (time === null || unit === null) {
			this.dropped++;
			return NO_UNITS;
		}
		return [{ pts: time, dts: time, randomAccess: true, frames: [unit] }];
	}

	reset(): void {
		// Nothing goes from one packet into the next.
	}
}

/** The data of all cells of a packet, in a row; `null` when they do not fit. */
function unwrapped(bytes: Uint8Array): Uint8Array | null {
	const joined = new Uint8Array(bytes.length);
	let length = 0;
	for (let at = 0; at < bytes.length; ) {
		if (at + CELL_HEADER_BYTES > bytes.length) return null;
		const end = at + CELL_HEADER_BYTES + u16(bytes, at + 3);

		if (end > bytes.length) return null;
		joined.set(bytes.subarray(at + CELL_HEADER_BYTES, end), length);
		length += end - at - CELL_HEADER_BYTES;
		at = end;
	}
	return length === 0 ? null : joined.subarray(0, length);
}

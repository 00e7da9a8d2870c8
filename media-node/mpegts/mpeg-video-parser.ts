import { sameBytes } from "../bytes/big-endian.ts";
import type { Codec, Mpeg4VideoCodec } from "../codecs/codec.ts";
import { findVop, isIntraVop, mpeg4ConfigOf } from "../codecs/mpeg4-video.ts";
import { hasSequenceHeader } from "../codecs/mpeg12-video.ts";
import {
	type ElementaryParser,
	type ElementaryUnit,
	NO_UNITS,
	PES_CLOCK_RATE,
	type TimedData,
} from "./elementary-parser.ts";

/** MPEG-1 and MPEG-2 video: each PES packet is a picture with the headers before it. */
export class Mpeg12VideoParser implements ElementaryParser {
	readonly kind = "video";
	readonly clockRate = PES_CLOCK_RATE;
	readonly codec: Codec = { name: "MPEG-1/2 Video" };
	readonly codecAtEnd = this.codec;
	dropped = 0;

	push({ pts, dts, data }: TimedData): readonly ElementaryUnit[] {
		if (pts === null) {
			this.dropped++;
			return NO_UNITS;
		}
		return [{ pts, dts: dts ?? pts, randomAccess: hasSequenceHeader(data, 0, data.length), frames: [data] }];
	}

	reset(): void {
		// Nothing goes from one packet into the next.
	}
}

const MAX_CONFIG_BYTES = 4_096;

/** MPEG-4 part 2 video: each PES packet is a video object plane with the headers before it. */
export class Mpeg4VideoParser implements ElementaryParser {
	readonly kind = "video";
	readonly clockRate = PES_CLOCK_RATE;
	#codec: Mpeg4VideoCodec = { name: "MPEG-4 Video", config: null };
	dropped = 0;

	get codec(): Mpeg4VideoCodec | null {
		return this.#codec.config === null ? null : this.#codec;
	}

	get codecAtEnd(): Mpeg4VideoCodec {
		return this.#codec;
	}

	push({ pts, dts, data }: TimedData): readonly ElementaryUnit[] {
		if (pts === null) {
			this.dropped++;
			return NO_UNITS;
		}
		const config = mpeg4ConfigOf(data);
		const known = this.#codec.config;
		if (config !== null && config.length <= MAX_CONFIG_BYTES && (known === null || !sameBytes(known, config))) {
			this.#codec = { name: "MPEG-4 Video", config: config.slice() };
		}
		const randomAccess = isIntraVop(data, findVop(data, 0, data.length), data.length);
		return [{ pts, dts: dts ?? pts, randomAccess, frames: [data] }];
	}

	reset(): void {
		// Nothing goes from one packet into the next.
	}
}

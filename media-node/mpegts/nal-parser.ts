import { splitAnnexB } from "../codecs/annexb.ts";
import type { H264Codec, H265Codec } from "../codecs/codec.ts";
import { H264_NAL, h264NalType, isH264RandomAccess } from "../codecs/h264.ts";
import { H265_NAL, h265NalType, isH265RandomAccess } from "../codecs/h265.ts";
import { withParameterSets } from "../codecs/parameter-sets.ts";
import {
	type ElementaryParser,
	type ElementaryUnit,
	MAX_UNIT_FRAMES,
	NO_UNITS,
	PES_CLOCK_RATE,
	type TimedData,
} from "./elementary-parser.ts";

/** H.264 (ISO 13818-1 §2.14) and H.265 (§2.17): each PES packet is an access unit. Delimiters are left out. */
export class NalParser implements ElementaryParser {
	readonly kind = "video";
	readonly clockRate = PES_CLOCK_RATE;
	#codec: H264Codec | H265Codec;
	dropped = 0;

	constructor(name: "H264" | "H265") {
		this.#codec = name === "H264" ? { name, sps: null, pps: null } : { name: "H265", vps: null, sps: null, pps: null };
	}

	get codec(): H264Codec | H265Codec | null {
		const codec = this.#codec;
		if (codec.sps === null || codec.pps === null) return null;
		return codec.name === "H265" && codec.vps === null ? null : codec;
	}

	get codecAtEnd(): H264Codec | H265Codec {
		return this.#codec;
	}

	push({ pts, dts, data }: TimedData): readonly ElementaryUnit[] {
		const isH264 = this.#codec.name === "H264";
		const frames = splitAnnexB(data).filter((nal) =>
			isH264 ? h264NalType(nal) !== H264_NAL.aud : h265NalType(nal) !== H265_NAL.aud,
		);
		if (pts === null || frames.length === 0 || frames.length > MAX_UNIT_FRAMES) {
			this.dropped++;
			return NO_UNITS;
		}
		this.#codec = withParameterSets(this.#codec, frames);
		const randomAccess = frames.some(isH264 ? isH264RandomAccess : isH265RandomAccess);
		return [{ pts, dts: dts ?? pts, randomAccess, frames }];
	}

	reset(): void {
		// Nothing goes from one packet into the next.
	}
}

import { ProtocolError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { H264_NAL, h264NalType, isH264RandomAccess } from "../codecs/h264.ts";
import { H265_NAL, H265_NAL_HEADER_BYTES, h265NalType, isH265RandomAccess } from "../codecs/h265.ts";

/** The NAL units of one picture and what goes with it. */
export type PictureUnit = { readonly nals: readonly Uint8Array[]; readonly randomAccess: boolean };

const MAX_UNIT_NALS = 8_192;
const MAX_UNIT_BYTES = 8 * 1024 * 1024;

/** What a NAL unit is to an access unit: `before` begins the next one where a picture was seen. */
type Role = "delimiter" | "before" | "first slice" | "slice" | "after";

/**
 * Puts NAL units together to access units, by ITU-T H.264 §7.4.1.2.3 and H.265 §7.4.2.4.4. Delimiters are left out, for
 * no receiver needs them.
 */
export class AccessUnitSplitter {
	readonly #codec: "H264" | "H265";
	#nals: Uint8Array[] = [];
	#bytes = 0;
	#hasPicture = false;

	constructor(codec: "H264" | "H265") {
		this.#codec = codec;
	}

	/**
	 * Takes the next NAL unit, and gives the access unit that ends before it, if one does.
	 *
	 * @throws ProtocolError `bytes.limit` when an access unit has no end
	 */
	push(nal: Uint8Array): PictureUnit | null {
		const role = this.#codec === "H264" ? h264Role(nal) : h265Role(nal);
		const begins = role === "delimiter" || role === "before" || role === "first slice";
		const complete = begins && this.#hasPicture ? this.end() : null;
		if (role !== "delimiter") {
			this.#nals.push(nal);
			this.#bytes += nal.length;
		}
		this.#hasPicture ||= role === "first slice" || role === "slice";
		if (this.#nals.length > MAX_UNIT_NALS || this.#bytes > MAX_UNIT_BYTES) {
			throw new ProtocolError(
				"bytes.limit",
				`A picture has more than ${MAX_UNIT_NALS} NAL units or ${MAX_UNIT_BYTES} bytes`,
			);
		}
		return complete;
	}

	/** Gives the access unit in hand; `null` when there is no picture in it. */
	end(): PictureUnit | null {
		const nals = this.#nals;
		const hasPicture = this.#hasPicture;
		this.#nals = [];
		this.#bytes = 0;
		this.#hasPicture = false;
		if (!hasPicture) return null;
		return { nals, randomAccess: nals.some(this.#codec === "H264" ? isH264RandomAccess : isH265RandomAccess) };
	}
}

/** `first_mb_in_slice` is 0, and so its code one bit, in the first slice. Slice order is not arbitrary in any profile in use. */
function h264Role(nal: Uint8Array): Role {
	const type = h264NalType(nal);
	if (type === H264_NAL.aud) return "delimiter";
	if (type === H264_NAL.slice || type === H264_NAL.idr || type === DATA_PARTITION_A) {
		return nal.length > 1 && u8(nal, 1) >= 0x80 ? "first slice" : "slice";
	}
	return type === H264_NAL.sps || type === H264_NAL.pps || type === H264_NAL.sei || (type >= 14 && type <= 18)
		? "before"
		: "after";
}

const DATA_PARTITION_A = 2;

/** `first_slice_segment_in_pic_flag` is the first bit behind the header. */
function h265Role(nal: Uint8Array): Role {
	const type = h265NalType(nal);
	if (type === H265_NAL.aud) return "delimiter";
	if (type < H265_NAL.vps) {
		return nal.length > H265_NAL_HEADER_BYTES && u8(nal, H265_NAL_HEADER_BYTES) >= 0x80 ? "first slice" : "slice";
	}
	const isParameterSet = type <= H265_NAL.pps;
	const isReserved = (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
	return isParameterSet || type === PREFIX_SEI || isReserved ? "before" : "after";
}

const PREFIX_SEI = 39;

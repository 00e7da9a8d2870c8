import { hasCode } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import type { H264Codec, H265Codec } from "../codecs/codec.ts";
import { parseH264Sps } from "../codecs/h264.ts";
import { parseH265Sps } from "../codecs/h265.ts";
import { withParameterSets } from "../codecs/parameter-sets.ts";
import type { PictureUnit } from "./access-unit-splitter.ts";
import { h264OrderReader, h265OrderReader, type OrderCount, type ReadOrderCount } from "./order-count.ts";

/** A picture and its place in output order, from 0; places of pictures in decoding order are never before their own. */
export type RankedPicture = { readonly unit: PictureUnit; readonly rank: number };

type Pending = { readonly unit: PictureUnit; readonly count: number; rank: number | null };

/**
 * Finds the place of each picture in output order, as a decoder does (ITU-T H.264 §C.4.5.3, H.265 §C.5.2.4): of the
 * pictures that wait, the first goes out as soon as there are more than may be reordered.
 */
export class PictureOrder {
	#codec: H264Codec | H265Codec;
	#read: ReadOrderCount | null = null;
	#depth = 0;
	#pending: Pending[] = [];
	#waiting = 0;
	/** As late as the pictures are reordered, so that none is to be shown before it is decoded. */
	#nextRank = 0;
	#anchor = { msb: 0, lsb: 0 };
	#newest = 0;

	constructor(codec: H264Codec | H265Codec) {
		this.#codec = codec;
		this.#configure();
	}

	/** Takes the next picture in decoding order, and gives those whose place is known, in decoding order. */
	push(unit: PictureUnit): RankedPicture[] {
		const codec = unit.randomAccess ? withParameterSets(this.#codec, unit.nals) : this.#codec;
		const order = this.#orderOf(unit);
		if (order === null || order.resets) this.#putOut(0);
		if (codec !== this.#codec) {
			this.#codec = codec;
			this.#configure();
		}
		this.#pending.push({ unit, count: this.#countOf(order), rank: null });
		this.#waiting++;
		this.#putOut(order === null ? 0 : this.#depth);
		return this.#release();
	}

	/** Gives the pictures that still wait. */
	end(): RankedPicture[] {
		this.#putOut(0);
		return this.#release();
	}

	#configure(): void {
		const { sps, pps } = this.#codec;
		if (sps === null || pps === null) return;
		try {
			const isH264 = this.#codec.name === "H264";
			const depth = Math.max(this.#depth, (isH264 ? parseH264Sps : parseH265Sps)(sps).reorderFrames);
			this.#nextRank += depth - this.#depth;
			this.#depth = depth;
			this.#read = isH264 ? h264OrderReader(sps) : h265OrderReader(sps, pps);
		} catch (error) {
			if (!hasCode(error, "bytes.truncated", "bytes.malformed")) throw error;
		}
	}

	#orderOf({ nals }: PictureUnit): OrderCount | null {
		if (this.#depth === 0 || this.#read === null) return null;
		const isH264 = this.#codec.name === "H264";
		for (const nal of nals) {
			const isSlice = isH264 ? (u8(nal, 0) & 0x1f) <= 5 : u8(nal, 0) >> 1 < 32;
			if (isSlice) return this.#read(nal);
		}
		return null;
	}

	/** The whole picture order count, ITU-T H.264 §8.2.1.1 and H.265 §8.3.1. */
	#countOf(order: OrderCount | null): number {
		if (order === null) return ++this.#newest;
		const { lsb, lsbBits, resets, anchors } = order;
		if (resets) this.#anchor = { msb: 0, lsb: 0 };
		const range = 2 ** lsbBits;
		let { msb } = this.#anchor;
		if (lsb < this.#anchor.lsb && this.#anchor.lsb - lsb >= range / 2) msb += range;
		else if (lsb > this.#anchor.lsb && lsb - this.#anchor.lsb > range / 2) msb -= range;
		if (anchors) this.#anchor = { msb, lsb };
		this.#newest = msb + lsb;
		return this.#newest;
	}

	/** Gives pictures their place until at most `depth` wait. */
	#putOut(depth: number): void {
		while (this.#waiting > depth) {
			let first: Pending | null = null;
			for (const picture of this.#pending) {
				if (picture.rank === null && (first === null || picture.count < first.count)) first = picture;
			}
			if (first === null) return;
			first.rank = this.#nextRank++;
			this.#waiting--;
		}
	}

	#release(): RankedPicture[] {
		const ranked: RankedPicture[] = [];
		for (const { unit, rank } of this.#pending) {
			if (rank === null) break;
			ranked.push({ unit, rank });
		}
		this.#pending.splice(0, ranked.length);
		return ranked;
	}
}

import { hasCode, ProtocolError } from "#shared/problem.ts";
import { splitAnnexB } from "../codecs/annexb.ts";
import type { H264Codec, H265Codec } from "../codecs/codec.ts";
import { VIDEO_CLOCK_RATE } from "../codecs/dts.ts";
import { type H264Sps, parseH264Sps } from "../codecs/h264.ts";
import { type H265Sps, parseH265Sps } from "../codecs/h265.ts";
import { withParameterSets } from "../codecs/parameter-sets.ts";
import { rtpFormatOf } from "../stream/rtp-format-of.ts";
import { AccessUnitSplitter, type PictureUnit } from "./access-unit-splitter.ts";
import type { ByteSource } from "./byte-source.ts";
import type { FileUnit, MediaSource } from "./media-source.ts";
import { readNals } from "./nal-stream.ts";
import { PictureOrder } from "./picture-order.ts";

/** Frames per second of a stream that does not say its own, as ffmpeg assumes. */
const ASSUMED_FRAME_RATE = 25;
const MAX_FRAME_RATE = 1_000;

/** What parameter sets at the beginning of a byte stream say it is; `null` when they say nothing. Never throws. */
export function annexBCodecOf(head: Uint8Array): H264Codec | H265Codec | null {
	if (!beginsWithStartCode(head)) return null;
	const nals = splitAnnexB(head);
	const h264 = withParameterSets<H264Codec>({ name: "H264", sps: null, pps: null }, nals);
	if (h264.sps !== null && h264.pps !== null) return h264;
	const h265 = withParameterSets<H265Codec>({ name: "H265", vps: null, sps: null, pps: null }, nals);
	return h265.sps !== null && h265.pps !== null ? h265 : null;
}

/** Any number of zeros may stand before the first one: annex B of either, §B.1. */
function beginsWithStartCode(head: Uint8Array): boolean {
	const one = head.findIndex((byte) => byte !== 0);
	return one >= 2 && head[one] === 1;
}

/**
 * An H.264 or H.265 byte stream in a file: pictures at the frame rate that its parameter sets say, or at 25 a second.
 *
 * @throws ProtocolError `media.unsupported`, `bytes.malformed`
 */
export function openAnnexBSource(bytes: ByteSource, file: string, codec: H264Codec | H265Codec): MediaSource {
	const rtp = rtpFormatOf(codec, VIDEO_CLOCK_RATE, 0);
	const sps = spsOf(codec);
	if (rtp === null || sps === null) {
		throw new ProtocolError("bytes.malformed", `${file} has damaged parameter sets: encode it anew`);
	}
	const ticks = frameTicks(sps.frameRate);
	return {
		tracks: [{ kind: "video", codec, clockRate: VIDEO_CLOCK_RATE, rtp }],
		async *units(signal) {
			const order = new PictureOrder(codec);
			let count = 0;
			const timed = ({ unit, rank }: { unit: PictureUnit; rank: number }): FileUnit => ({
				trackIndex: 0,
				dts: Math.round(count * ticks),
				pts: Math.round(rank * ticks),
				duration: Math.round(++count * ticks) - Math.round((count - 1) * ticks),
				randomAccess: unit.randomAccess,
				frames: unit.nals,
			});
			for await (const unit of pictures(bytes, file, codec.name)) {
				if (signal.aborted) return;
				for (const ranked of order.push(unit)) yield timed(ranked);
			}
			for (const ranked of order.end()) yield timed(ranked);
		},
	};
}

async function* pictures(bytes: ByteSource, file: string, name: "H264" | "H265"): AsyncGenerator<PictureUnit> {
	const splitter = new AccessUnitSplitter(name);
	for await (const nal of readNals(bytes, file)) {
		const unit = splitter.push(nal);
		if (unit !== null) yield unit;
	}
	const last = splitter.end();
	if (last !== null) yield last;
}

function spsOf(codec: H264Codec | H265Codec): H264Sps | H265Sps | null {
	if (codec.sps === null) return null;
	try {
		return codec.name === "H264" ? parseH264Sps(codec.sps) : parseH265Sps(codec.sps);
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed")) return null;
		throw error;
	}
}

/** How long a picture lasts. It need not be whole. */
function frameTicks(frameRate: number | null): number {
	const believable = frameRate !== null && frameRate > 0 && frameRate <= MAX_FRAME_RATE;
	return VIDEO_CLOCK_RATE / (believable ? frameRate : ASSUMED_FRAME_RATE);
}

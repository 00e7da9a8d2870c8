import { ProtocolError } from "#shared/problem.ts";
import type { Codec } from "../codecs/codec.ts";
import { H264_NAL, h264NalType } from "../codecs/h264.ts";
import { H265_NAL, h265NalType } from "../codecs/h265.ts";
import { Mp4File, type Mp4Track } from "../mp4/reader/mp4-file.ts";
import { rtpFormatOf } from "../stream/rtp-format-of.ts";
import type { RtpFormat } from "../stream/track.ts";
import type { ByteSource } from "./byte-source.ts";
import type { FileUnit, MediaSource } from "./media-source.ts";

type PlayedTrack = Mp4Track & { readonly rtp: RtpFormat; readonly from: number };

/**
 * An MP4 file, fragmented or not. Parameter sets, which it has apart from the pictures, go before each picture that a
 * decoder can begin with, as cameras send them.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`, `media.unsupported`
 */
export async function openMp4Source(bytes: ByteSource, file: string): Promise<MediaSource> {
	const movie = await Mp4File.open(bytes);
	const tracks: PlayedTrack[] = [];
	for (const [from, track] of movie.tracks.entries()) {
		const rtp = rtpFormatOf(track.codec, track.clockRate, tracks.length);
		if (rtp !== null) tracks.push({ ...track, rtp, from });
	}
	if (tracks.length === 0) {
		throw new ProtocolError("media.unsupported", `${file} is an MP4 file without a codec that is supported`);
	}
	return {
		tracks: tracks.map(({ kind, codec, clockRate, rtp }) => ({ kind, codec, clockRate, rtp })),
		async *units(signal) {
			for await (const unit of movie.units(tracks.map(({ from }) => from))) {
				if (signal.aborted) return;
				const trackIndex = tracks.findIndex(({ from }) => from === unit.trackIndex);
				const codec = tracks[trackIndex]?.codec;
				if (codec !== undefined) yield dressed({ ...unit, trackIndex }, codec);
			}
		},
	};
}

/** Without delimiters, and with the parameter sets that a decoder wants to begin. */
function dressed(unit: FileUnit, codec: Codec): FileUnit {
	if (codec.name !== "H264" && codec.name !== "H265") return unit;
	const isH264 = codec.name === "H264";
	const typeOf = isH264 ? h264NalType : h265NalType;
	const frames = unit.frames.filter((nal) => typeOf(nal) !== (isH264 ? H264_NAL.aud : H265_NAL.aud));
	const hasSets = frames.some((nal) => typeOf(nal) === (isH264 ? H264_NAL.sps : H265_NAL.sps));
	if (!unit.randomAccess || hasSets) return { ...unit, frames };
	const sets = isH264 ? [codec.sps, codec.pps] : [codec.vps, codec.sps, codec.pps];
	return { ...unit, frames: [...sets.filter((set) => set !== null), ...frames] };
}

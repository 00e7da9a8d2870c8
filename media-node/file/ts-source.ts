import { ProtocolError } from "#shared/problem.ts";
import { type FrameTicks, frameTicksOf } from "../codecs/audio-duration.ts";
import { MAX_PROBE_BYTES, TsDemuxer, type TsTrack, type TsUnit } from "../mpegts/demuxer.ts";
import { rtpFormatOf } from "../stream/rtp-format-of.ts";
import type { ByteSource } from "./byte-source.ts";
import { Interleaver } from "./interleave.ts";
import type { FileUnit, MediaSource } from "./media-source.ts";

const CHUNK_BYTES = 512 * 188;

/**
 * An MPEG transport stream in a file.
 *
 * @throws ProtocolError `bytes.malformed`, `media.unsupported` when it has nothing to play
 */
export async function openTsSource(bytes: ByteSource, file: string): Promise<MediaSource> {
	const tracks = await probe(bytes);
	if (tracks === null) {
		throw new ProtocolError("bytes.malformed", `${file} is an MPEG transport stream without a program: record it anew`);
	}
	if (tracks.length === 0) {
		throw new ProtocolError(
			"media.unsupported",
			`${file} is an MPEG transport stream without a codec that is supported`,
		);
	}
	const durations = tracks.map(({ codec, clockRate }) => frameTicksOf(codec, clockRate));
	return {
		tracks,
		async *units(signal) {
			const demuxer = new TsDemuxer({ rtpFormat: rtpFormatOf });
			const interleaver = new Interleaver(tracks.map(({ clockRate }) => clockRate));
			for (let at = 0; at < bytes.size && !signal.aborted; at += CHUNK_BYTES) {
				const chunk = await bytes.read(at, CHUNK_BYTES);
				if (chunk.length === 0) break;
				for (const unit of demuxer.push(chunk)) yield* interleaver.push(timed(unit, durations));
			}
			for (const unit of demuxer.end()) yield* interleaver.push(timed(unit, durations));
			yield* interleaver.end();
		},
	};
}

/** Reads as far as the tracks are known; `null` when there is no program. */
async function probe(bytes: ByteSource): Promise<readonly TsTrack[] | null> {
	const demuxer = new TsDemuxer({ rtpFormat: rtpFormatOf });
	for (let at = 0; at < bytes.size && at <= MAX_PROBE_BYTES && demuxer.tracks === null; at += CHUNK_BYTES) {
		demuxer.push(await bytes.read(at, CHUNK_BYTES));
	}
	if (demuxer.tracks === null) demuxer.end();
	return demuxer.hasProgram ? demuxer.tracks : null;
}

function timed(unit: TsUnit, durations: readonly (FrameTicks | null)[]): FileUnit {
	const ticksOf = durations[unit.trackIndex] ?? null;
	let duration = 0;
	if (ticksOf !== null) for (const frame of unit.frames) duration += ticksOf(frame);
	return { ...unit, duration: Math.round(duration) };
}

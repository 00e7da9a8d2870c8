import { fileURLToPath } from "node:url";
import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { InputError, ProtocolError } from "#shared/problem.ts";
import { writeAudioSpecificConfig } from "../codecs/aac.ts";
import type { Codec } from "../codecs/codec.ts";
import { OPUS_CLOCK_RATE } from "../codecs/opus.ts";
import type { Publication } from "../stream/publication.ts";
import { rtpFormatOf } from "../stream/rtp-format-of.ts";
import type { Track } from "../stream/track.ts";
import { openByteSource } from "./byte-source.ts";
import type { FileUnit, MediaSource } from "./media-source.ts";
import { openMp4Source } from "./mp4-source.ts";
import { playFile, playMedia } from "./play-file.ts";
import { aacSilence, opusSilence, type Silence, sampleSilence } from "./silence.ts";

export type PlayOfflineOptions = {
	readonly config: Pick<PathConfig, "alwaysAvailableTracks" | "alwaysAvailableFile">;
	readonly signal: AbortSignal;
	readonly clock: Clock;
	/** Asked for once, before the first unit. */
	readonly publish: (tracks: readonly Omit<Track, "index">[]) => Promise<Publication>;
};

type WantedTrack = PathConfig["alwaysAvailableTracks"][number];

/** One track without an end: its first units again and again. `first` are in decoding order, from time 0. */
type Lane = {
	readonly track: Omit<Track, "index">;
	readonly first: readonly Omit<FileUnit, "trackIndex">[];
	/** Ticks until they begin again. */
	readonly period: number;
};

/**
 * Plays what a path shows while nobody publishes to it, in real time, until `signal` fires: its own file in a loop, or
 * the built-in pictures and silence.
 *
 * @throws InputError `config.invalid`: an AAC track has a sample rate that AAC does not have
 * @throws SluiceError what `playFile` throws
 */
export async function playOffline({ config, signal, clock, publish }: PlayOfflineOptions): Promise<void> {
	const { alwaysAvailableFile: file, alwaysAvailableTracks } = config;
	if (file !== "") return playFile({ file, signal, clock, publish });
	const media = await openOfflineClip(alwaysAvailableTracks);
	await playMedia({ media, name: "the offline clip", signal, clock, publish });
}

/** The built-in clip of some tracks. Its units have no end. */
export async function openOfflineClip(wanted: readonly WantedTrack[]): Promise<MediaSource> {
	const lanes = await Promise.all(wanted.map(openLane));
	return { tracks: lanes.map(({ track }) => track), units: (signal) => interleaved(lanes, signal) };
}

/** The units of all lanes in the order of their decoding times. */
async function* interleaved(lanes: readonly Lane[], signal: AbortSignal): AsyncGenerator<FileUnit, void, void> {
	const counts = lanes.map(() => 0);
	while (!signal.aborted) {
		let next: FileUnit | null = null;
		let earliest = Number.POSITIVE_INFINITY;
		for (const [trackIndex, lane] of lanes.entries()) {
			const unit = unitOf(lane, trackIndex, counts[trackIndex] ?? 0);
			const seconds = unit === null ? earliest : unit.dts / lane.track.clockRate;
			if (seconds >= earliest) continue;
			earliest = seconds;
			next = unit;
		}
		if (next === null) return;
		counts[next.trackIndex] = (counts[next.trackIndex] ?? 0) + 1;
		yield next;
	}
}

function unitOf({ first, period }: Lane, trackIndex: number, count: number): FileUnit | null {
	const unit = first[count % first.length];
	if (unit === undefined) return null;
	const since = Math.floor(count / first.length) * period;
	return { ...unit, trackIndex, pts: unit.pts + since, dts: unit.dts + since };
}

async function openLane(wanted: WantedTrack, index: number): Promise<Lane> {
	const { codec: name, sampleRate, channelCount: channels, muLaw } = wanted;
	switch (name) {
		case "H264":
		case "H265":
		case "VP9":
		case "AV1":
			return openPictures(PICTURES[name], index);
		case "Opus":
			return silent({ name, channels: 2 }, OPUS_CLOCK_RATE, opusSilence(2), index);
		case "MPEG4Audio":
			return silent({ name: "MPEG-4 Audio", config: aacConfig(wanted) }, sampleRate, aacSilence(channels), index);
		case "G711": {
			const codec = { name, law: muLaw ? "mu" : "a", sampleRate, channels } as const;
			return silent(codec, sampleRate, sampleSilence(codec), index);
		}
		case "LPCM": {
			const codec = { name, bitDepth: 16, sampleRate, channels } as const;
			return silent(codec, sampleRate, sampleSilence(codec), index);
		}
	}
}

/** Beside this file. Made as offline/README.md says. */
const PICTURES = { H264: "h264.mp4", H265: "h265.mp4", VP9: "vp9.mp4", AV1: "av1.mp4" } as const;

/** Reads a clip of pictures into memory, under the payload type of the track `index`. */
async function openPictures(name: string, index: number): Promise<Lane> {
	await using bytes = await openByteSource(fileURLToPath(new URL(`offline/${name}`, import.meta.url)));
	const media = await openMp4Source(bytes, name);
	const [track] = media.tracks;
	const first: FileUnit[] = [];
	for await (const unit of media.units(new AbortController().signal)) first.push(unit);
	const period = first.reduce((sum, { duration }) => sum + duration, 0);
	if (track === undefined || period === 0) throw new ProtocolError("bytes.malformed", `The clip ${name} is damaged`);
	return { track: trackOf("video", track.codec, track.clockRate, index), first, period };
}

function silent(codec: Codec, clockRate: number, { frame, ticks }: Silence, index: number): Lane {
	const unit = { pts: 0, dts: 0, duration: ticks, randomAccess: true, frames: [frame] };
	return { track: trackOf("audio", codec, clockRate, index), first: [unit], period: ticks };
}

function trackOf(kind: "video" | "audio", codec: Codec, clockRate: number, index: number): Omit<Track, "index"> {
	const rtp = rtpFormatOf(codec, clockRate, index);
	if (rtp === null) throw new ProtocolError("media.unsupported", `An offline clip cannot have ${index + 1} tracks`);
	return { kind, codec, clockRate, rtp };
}

function aacConfig({ sampleRate, channelCount: channels }: WantedTrack): Uint8Array {
	try {
		return writeAudioSpecificConfig({ sampleRate, channels });
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new InputError(
			"config.invalid",
			`AAC has no ${channels} channels at ${sampleRate} Hz: set a sampleRate such as 44100 or 48000 in alwaysAvailableTracks`,
			{ cause: error },
		);
	}
}

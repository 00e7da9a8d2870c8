import { readFile } from "node:fs/promises";
import { ByteReader } from "../../media-node/bytes/byte-reader.ts";
import { leb128End, readLeb128 } from "../../media-node/codecs/av1.ts";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { withParameterSets } from "../../media-node/codecs/parameter-sets.ts";
import type { Track } from "../../media-node/stream/track.ts";
import type { Unit } from "../../media-node/stream/unit.ts";
import { run } from "./program.ts";

/** A film as a stream has it: its tracks, and its units in the order in which a publisher would bring them. */
export type Film = { readonly tracks: readonly Track[]; readonly units: readonly Unit[] };

type ProbedStream = {
	readonly index: number;
	readonly codec_type: "video" | "audio";
	readonly codec_name: string;
	readonly time_base: string;
	readonly sample_rate?: string;
	readonly channels?: number;
	readonly extradata?: string;
};
type ProbedUnit = {
	readonly stream_index: number;
	readonly pts: number;
	readonly dts: number;
	readonly size: string;
	readonly pos: string;
	readonly flags: string;
};

/** Wall-clock time of a film's zero. */
export const FILM_START_MS = Date.UTC(2026, 0, 1);

/**
 * Reads an MP4 file that ffmpeg made. Video units carry their parameter sets at each key frame, as those of cameras do.
 * Where each unit lies is ffprobe's word, so nothing here knows what our own MP4 code does.
 */
export async function filmUnits(file: string): Promise<Film> {
	const args = ["-v", "error", "-show_streams", "-show_packets", "-show_data", "-of", "json", file];
	const streams = JSON.parse(
		(
			await run(
				"ffprobe",
				args.filter((arg) => arg !== "-show_packets"),
			)
		).toString(),
	).streams as ProbedStream[];
	const packets = JSON.parse(
		(
			await run(
				"ffprobe",
				args.filter((arg) => arg !== "-show_data"),
			)
		).toString(),
	).packets as ProbedUnit[];
	const bytes = new Uint8Array(await readFile(file));
	const tracks = streams.map(trackOf);
	const units = packets.map((packet): Unit => {
		const stream = streams[packet.stream_index]!;
		const track = tracks[packet.stream_index]!;
		const [numerator = 1, denominator = 1] = stream.time_base.split("/").map(Number);
		const scale = (numerator * track.clockRate) / denominator;
		const data = bytes.subarray(Number(packet.pos), Number(packet.pos) + Number(packet.size));
		const key = packet.flags.startsWith("K");
		return {
			track,
			pts: Math.round(packet.pts * scale),
			dts: Math.round(packet.dts * scale),
			wallclockMs: FILM_START_MS + (packet.pts * numerator * 1000) / denominator,
			randomAccess: key,
			frames: framesOf(track, data, key),
		};
	});
	// As a publisher sends in real time: by decoding time.
	const timeOf = (unit: Unit) => unit.dts / unit.track.clockRate;
	return { tracks, units: units.map(withKnownSets).toSorted((a, b) => timeOf(a) - timeOf(b)) };
}

/** As a stream gives it: with what the key frame says of itself. */
function withKnownSets(unit: Unit, index: number, units: readonly Unit[]): Unit {
	const { track } = unit;
	if (track.codec.name !== "AV1" && track.codec.name !== "VP9") return unit;
	const key = units.slice(0, index + 1).findLast((before) => before.track === track && before.randomAccess);
	return key === undefined ? unit : { ...unit, track: { ...track, codec: withParameterSets(track.codec, key.frames) } };
}

function framesOf({ codec, kind }: Track, sample: Uint8Array, key: boolean): Uint8Array[] {
	if (kind === "audio" || codec.name === "VP9") return [sample];
	if (codec.name === "AV1") return splitTemporalUnit(sample);
	return [...(key ? parameterSets(codec) : []), ...splitSample(sample)];
}

/** The units of `film` as if it had begun `ms` milliseconds later. */
export function later(film: Film, ms: number): Film {
	const units = film.units.map((unit) => {
		const ticks = Math.round((ms * unit.track.clockRate) / 1000);
		return { ...unit, pts: unit.pts + ticks, dts: unit.dts + ticks, wallclockMs: unit.wallclockMs + ms };
	});
	return { tracks: film.tracks, units };
}

function trackOf(stream: ProbedStream, index: number): Track {
	const extradata = fromHexDump(stream.extradata ?? "");
	const codec = codecOf(stream, extradata);
	const video = stream.codec_type === "video";
	return {
		index,
		kind: stream.codec_type,
		codec,
		clockRate: video ? 90_000 : Number(stream.sample_rate),
		rtp: { payloadType: 96 + index, encoding: stream.codec_name, fmtp: "" },
	};
}

function codecOf(stream: ProbedStream, extradata: Uint8Array): Codec {
	switch (stream.codec_name) {
		case "h264": {
			const r = new ByteReader(extradata, 6);
			const sps = r.bytes(r.u16());
			r.skip(1);
			return { name: "H264", sps, pps: r.bytes(r.u16()) };
		}
		case "hevc": {
			const r = new ByteReader(extradata, 22);
			const found = new Map<number, Uint8Array>();
			for (let arrays = r.u8(); arrays > 0; arrays--) {
				const type = r.u8() & 0x3f;
				for (let count = r.u16(); count > 0; count--) found.set(type, r.bytes(r.u16()));
			}
			return { name: "H265", vps: found.get(32) ?? null, sps: found.get(33) ?? null, pps: found.get(34) ?? null };
		}
		case "av1":
			return { name: "AV1" };
		case "vp9":
			return { name: "VP9" };
		case "aac":
			return { name: "MPEG-4 Audio", config: extradata };
		case "opus":
			return { name: "Opus", channels: stream.channels ?? 2 };
		default:
			return { name: "Generic" };
	}
}

function parameterSets(codec: Codec): Uint8Array[] {
	if (codec.name === "H264") return [codec.sps, codec.pps].filter((set) => set !== null);
	if (codec.name === "H265") return [codec.vps, codec.sps, codec.pps].filter((set) => set !== null);
	return [];
}

/** The NAL units of an MP4 sample. */
export function splitSample(sample: Uint8Array): Uint8Array[] {
	const r = new ByteReader(sample);
	const nals: Uint8Array[] = [];
	while (r.remaining > 0) nals.push(r.bytes(r.u32()));
	return nals;
}

/** The OBUs of an MP4 sample that ffmpeg wrote, without their size fields, AV1 specification §5.3. */
function splitTemporalUnit(sample: Uint8Array): Uint8Array[] {
	const obus: Uint8Array[] = [];
	for (let at = 0; at < sample.length; ) {
		const header = sample.subarray(at, at + (sample[at]! & 0x04 ? 2 : 1));
		const length = readLeb128(sample, at + header.length, sample.length);
		const payload = leb128End(sample, at + header.length);
		at = payload + length;
		obus.push(Uint8Array.of(header[0]! & ~0x02, ...header.subarray(1), ...sample.subarray(payload, at)));
	}
	return obus;
}

/** What ffprobe prints of bytes: lines of an offset, hexadecimal groups and text. */
function fromHexDump(dump: string): Uint8Array {
	const hex = dump
		.split("\n")
		.map((line) => line.slice(line.indexOf(":") + 1).slice(0, 41))
		.join("")
		.replaceAll(/\s/g, "");
	return Uint8Array.from(Buffer.from(hex, "hex"));
}

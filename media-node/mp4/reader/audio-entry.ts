import { hasCode } from "#shared/problem.ts";
import { u8 } from "../../bytes/big-endian.ts";
import { ByteReader } from "../../bytes/byte-reader.ts";
import { parseAudioSpecificConfig } from "../../codecs/aac.ts";
import { OPUS_CLOCK_RATE } from "../../codecs/opus.ts";
import { findBox, findPath, parseBoxes } from "./box-walk.ts";
import { parseEsds } from "./elementary-descriptor.ts";
import type { SampleDescription, SampleLayout } from "./sample-description.ts";

const WHOLE: SampleLayout = { kind: "whole" };
const MPEG_AUDIO_CLOCK_RATE = 90_000;
const MAX_CHANNELS = 8;
const MAX_SAMPLE_RATE = 192_000;

/** What an audio sample entry says in all its versions. */
type AudioEntry = {
	readonly channels: number;
	readonly sampleBits: number;
	readonly sampleRate: number;
	/** `formatSpecificFlags` of version 2 of QuickTime. */
	readonly flags: number;
	readonly child: (type: string) => Uint8Array | null;
};

/**
 * What an audio sample entry says, from behind `data_reference_index` on; `null` for a codec that is not carried
 * further.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 */
export function audioCodecOf(type: string, body: Uint8Array): SampleDescription | null {
	const entry = parseAudioEntry(body);
	const { channels, sampleRate, sampleBits, child } = entry;
	switch (type) {
		case "mp4a":
			return mp4a(entry);
		case ".mp3":
			return audio({ name: "MPEG-1/2 Audio" }, MPEG_AUDIO_CLOCK_RATE);
		case "Opus": {
			const count = u8OrNull(child("dOps"), 1) ?? channels;
			return count < 1 || count > MAX_CHANNELS ? null : audio({ name: "Opus", channels: count }, OPUS_CLOCK_RATE);
		}
		case "ac-3":
			return ac3(entry);
		case "ulaw":
		case "alaw":
			if (!isBelievable(channels, sampleRate)) return null;
			return {
				...audio({ name: "G711", law: type === "alaw" ? "a" : "mu", sampleRate, channels }, sampleRate),
				layout: { kind: "pcm", blockBytes: channels, swapBytes: 0 },
			};
		case "twos":
			return pcm(entry, sampleBits, false);
		case "sowt":
			return pcm(entry, sampleBits, true);
		case "in24":
			return pcm(entry, 24, u8OrNull(child("enda"), 1) === 1);
		case "lpcm": // flags: 1 floating point, 2 big endian, 4 signed
			return (entry.flags & 5) === 4 ? pcm(entry, sampleBits, (entry.flags & 2) === 0) : null;
		case "ipcm": {
			// PCM Config Box, ISO 23003-5 §5.1: format_flags 1 is little endian.
			const config = child("pcmC");
			const bits = u8OrNull(config, 5);
			return bits === null ? null : pcm(entry, bits, ((u8OrNull(config, 4) ?? 0) & 1) === 1);
		}
		default:
			return null;
	}
}

/** ISO 14496-12 §12.2.3.2; QuickTime File Format, "Sound Sample Description" versions 1 and 2. */
function parseAudioEntry(body: Uint8Array): AudioEntry {
	const r = new ByteReader(body);
	const version = r.u16();
	r.skip(6); // revision, vendor
	let channels = r.u16();
	let sampleBits = r.u16();
	r.skip(4); // compression ID, packet size
	let sampleRate = r.u16();
	r.skip(2); // the fraction of the rate
	let flags = 0;
	if (version === 1) r.skip(16);
	if (version === 2) {
		r.skip(4); // sizeOfStructOnly
		const high = r.u32();
		const low = r.u32();
		sampleRate = doubleOf(high, low);
		channels = r.u32();
		r.skip(4); // 0x7f000000
		sampleBits = r.u32();
		flags = r.u32();
		r.skip(8); // constBytesPerAudioPacket, constLPCMFramesPerAudioPacket
	}
	const boxes = parseBoxes(body, r.offset);
	const child = (type: string) => findBox(boxes, type) ?? findPath(boxes, "wave", type);
	return { channels, sampleBits, sampleRate, flags, child };
}

function doubleOf(high: number, low: number): number {
	const view = new DataView(new ArrayBuffer(8));
	view.setUint32(0, high);
	view.setUint32(4, low);
	const value = view.getFloat64(0);
	return Number.isFinite(value) ? Math.round(value) : 0;
}

/** Values of `objectTypeIndication`, ISO 14496-1 table 5. */
const MPEG4_AUDIO = 0x40;
const FIRST_MPEG2_AAC = 0x66;
const LAST_MPEG2_AAC = 0x68;
const MPEG2_AUDIO = 0x69;
const MPEG1_AUDIO = 0x6b;

function mp4a({ child }: AudioEntry): SampleDescription | null {
	const esds = child("esds");
	const config = esds === null ? null : parseEsds(esds);
	if (config === null) return null;
	const { objectType, specific } = config;
	if (objectType === MPEG2_AUDIO || objectType === MPEG1_AUDIO) {
		return audio({ name: "MPEG-1/2 Audio" }, MPEG_AUDIO_CLOCK_RATE);
	}
	if (objectType !== MPEG4_AUDIO && (objectType < FIRST_MPEG2_AAC || objectType > LAST_MPEG2_AAC)) return null;
	try {
		const { sampleRate } = parseAudioSpecificConfig(specific);
		return audio({ name: "MPEG-4 Audio", config: specific }, sampleRate);
	} catch (error) {
		if (hasCode(error, "media.unsupported")) return null;
		throw error;
	}
}

/** AC3SpecificBox, ETSI TS 102 366 §F.4. */
function ac3({ child, channels: told, sampleRate: toldRate }: AudioEntry): SampleDescription | null {
	const box = child("dac3");
	if (box === null || box.length < 3) return null;
	const sampleRate = [48_000, 44_100, 32_000][u8(box, 0) >> 6] ?? toldRate;
	const mode = (u8(box, 1) >> 3) & 7;
	const channels = ([2, 1, 2, 3, 3, 4, 4, 5][mode] ?? told) + ((u8(box, 1) >> 2) & 1);
	return audio({ name: "AC3", sampleRate, channels }, sampleRate);
}

function pcm({ channels, sampleRate }: AudioEntry, bitDepth: number, littleEndian: boolean): SampleDescription | null {
	// Of 8 bits, some are signed and some are not; RTP has no room for those of 32.
	if ((bitDepth !== 16 && bitDepth !== 24) || !isBelievable(channels, sampleRate)) return null;
	const sampleBytes = bitDepth / 8;
	return {
		...audio({ name: "LPCM", bitDepth, sampleRate, channels }, sampleRate),
		layout: { kind: "pcm", blockBytes: sampleBytes * channels, swapBytes: littleEndian ? sampleBytes : 0 },
	};
}

function isBelievable(channels: number, sampleRate: number): boolean {
	return channels >= 1 && channels <= MAX_CHANNELS && sampleRate >= 1 && sampleRate <= MAX_SAMPLE_RATE;
}

function audio(codec: SampleDescription["codec"], clockRate: number): SampleDescription {
	return { kind: "audio", codec, clockRate, layout: WHOLE };
}

function u8OrNull(bytes: Uint8Array | null, at: number): number | null {
	return bytes === null || at >= bytes.length ? null : u8(bytes, at);
}

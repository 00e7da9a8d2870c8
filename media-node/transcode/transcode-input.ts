import { hasCode } from "#shared/problem.ts";
import { parseAudioSpecificConfig } from "../codecs/aac.ts";
import { frameTicksOf } from "../codecs/audio-duration.ts";
import type { Codec } from "../codecs/codec.ts";
import { readMpegAudioHeader } from "../codecs/mpeg-audio.ts";
import { OPUS_CLOCK_RATE } from "../codecs/opus.ts";
import { opusStreamsOf } from "../codecs/opus-channels.ts";
import type { MatroskaAudio } from "./matroska-writer.ts";

/** A codec, as the program that decodes it is told of it. */
export type TranscodeInput = MatroskaAudio & {
	/** Name of the decoder, where the container's own is not the right one. */
	readonly decoder: string | null;
	/** There is a codec in here whose first frame tells more: {@link describedBy}. */
	readonly isOpen: boolean;
};

/** `wFormatTag` of RFC 2361, for codecs that Matroska has no name of its own for. */
const WAVE_TAGS = { G711A: 6, G711MU: 7, G726: 0x45, G722: 0x28f } as const;
/** G.722 samples at twice its clock: RFC 3551 §4.5.2. */
const G722_RATE = 16_000;

/** How sound of a codec is given to a decoder; `null` for what is not sound, or cannot be decoded. Never throws. */
export function transcodeInputOf(codec: Codec, clockRate: number): TranscodeInput | null {
	try {
		return frameTicksOf(codec, clockRate) === null ? null : inputOf(codec);
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
}

/** What the first frame says, where the codec's parameters are in its frames; `null` when it is not one. */
export function describedBy(input: TranscodeInput, frame: Uint8Array): TranscodeInput | null {
	if (!input.isOpen) return input;
	const header = readMpegAudioHeader(frame);
	if (header === null) return null;
	return { ...input, isOpen: false, sampleRate: header.sampleRate, channels: header.channels };
}

function inputOf(codec: Codec): TranscodeInput | null {
	switch (codec.name) {
		case "MPEG-4 Audio": {
			const { sampleRate, channels, extension } = parseAudioSpecificConfig(codec.config);
			const isWidened = extension?.parametricStereo === true && channels === 1;
			const sound = { sampleRate, channels: isWidened ? 2 : channels };
			return { ...plain("A_AAC", sound), codecPrivate: codec.config };
		}
		case "Opus":
			return opusInput(codec.channels);
		case "MPEG-1/2 Audio":
			return { ...plain("A_MPEG/L3", { sampleRate: 44_100, channels: 2 }), isOpen: true };
		case "AC3":
			return plain("A_AC3", codec);
		case "G711": {
			const tag = codec.law === "a" ? WAVE_TAGS.G711A : WAVE_TAGS.G711MU;
			return wave(tag, { ...codec, bits: 8 });
		}
		case "G722":
			return codec.channels === 1 ? wave(WAVE_TAGS.G722, { sampleRate: G722_RATE, channels: 1, bits: 4 }) : null;
		case "G726": {
			const input = wave(WAVE_TAGS.G726, { sampleRate: 8000, channels: 1, bits: codec.bitRate / 8 });
			return codec.packing === "aal2" ? input : { ...input, decoder: "adpcm_g726le" };
		}
		case "LPCM": {
			const id = codec.bitDepth === 8 ? "A_PCM/INT/LIT" : "A_PCM/INT/BIG";
			return { ...plain(id, codec), bitDepth: codec.bitDepth };
		}
		default:
			return null;
	}
}

function plain(codecId: string, sound: { readonly sampleRate: number; readonly channels: number }): TranscodeInput {
	const { sampleRate, channels } = sound;
	return { codecId, codecPrivate: null, sampleRate, channels, bitDepth: null, decoder: null, isOpen: false };
}

/** RFC 7845 §5.1: the header that Matroska has as `CodecPrivate`. There is nothing to skip in a stream that runs. */
function opusInput(channels: number): TranscodeInput | null {
	const streams = channels <= 2 ? null : opusStreamsOf(channels);
	if (channels < 1 || (channels > 2 && streams === null)) return null;
	const mapping = streams === null ? [] : [streams.streams, streams.coupled, ...streams.mapping];
	const head = new Uint8Array(19 + mapping.length);
	head.set(new TextEncoder().encode("OpusHead"));
	head[8] = 1; // version
	head[9] = channels;
	new DataView(head.buffer).setUint32(12, OPUS_CLOCK_RATE, true);
	head[18] = streams === null ? 0 : 1; // mapping family
	head.set(mapping, 19);
	return { ...plain("A_OPUS", { sampleRate: OPUS_CLOCK_RATE, channels }), codecPrivate: head };
}

/** A `WAVEFORMATEX`, little-endian, as `CodecPrivate`. */
function wave(tag: number, format: { sampleRate: number; channels: number; bits: number }): TranscodeInput {
	const { sampleRate, channels, bits } = format;
	const bytes = new Uint8Array(18);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, tag, true);
	view.setUint16(2, channels, true);
	view.setUint32(4, sampleRate, true);
	view.setUint32(8, (sampleRate * channels * bits) / 8, true);
	view.setUint16(12, Math.max(1, (channels * bits) >> 3), true); // block align
	view.setUint16(14, bits, true);
	return { ...plain("A_MS/ACM", { sampleRate, channels }), codecPrivate: bytes, bitDepth: bits };
}

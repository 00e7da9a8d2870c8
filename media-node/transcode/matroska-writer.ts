/** Frames of one audio track as Matroska (RFC 9559): what carries any codec to a program, each frame as soon as it is there. */

import { ByteWriter } from "../bytes/byte-writer.ts";

export type MatroskaAudio = {
	/** `CodecID`, such as `A_AAC`. */
	readonly codecId: string;
	readonly codecPrivate: Uint8Array | null;
	/** Hz. */
	readonly sampleRate: number;
	readonly channels: number;
	/** Of PCM. */
	readonly bitDepth: number | null;
};

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const CLUSTER = 0x1f43b675;
/** RFC 8794 §6.2: the size of an element that ends where the stream does. */
const UNKNOWN_SIZE = Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
/** `TimestampScale`: times are microseconds. */
const NANOSECONDS_PER_TICK = 1000;
const AUDIO_TRACK = 2;
/** Track number 1 as a variable-size integer, a time relative to the cluster's of 0, and the flag of a key frame. */
const SIMPLE_BLOCK_HEADER = Uint8Array.of(0x81, 0, 0, 0x80);

/** What comes before the first frame. */
export function matroskaHeader({ codecId, codecPrivate, sampleRate, channels, bitDepth }: MatroskaAudio): Uint8Array {
	const sound = [element(0xb5, float64(sampleRate)), element(0x9f, unsigned(channels))];
	if (bitDepth !== null) sound.push(element(0x6264, unsigned(bitDepth)));
	const entry = [
		element(0xd7, unsigned(1)), // TrackNumber
		element(0x73c5, unsigned(1)), // TrackUID
		element(0x9c, unsigned(0)), // FlagLacing
		element(0x83, unsigned(AUDIO_TRACK)),
		element(0x86, text(codecId)),
		...(codecPrivate === null ? [] : [element(0x63a2, codecPrivate)]),
		element(0xe1, joined(sound)),
	];
	const ebml = [
		element(0x4286, unsigned(1)), // EBMLVersion
		element(0x42f7, unsigned(1)), // EBMLReadVersion
		element(0x42f2, unsigned(4)), // EBMLMaxIDLength
		element(0x42f3, unsigned(8)), // EBMLMaxSizeLength
		element(0x4282, text("matroska")),
		element(0x4287, unsigned(4)), // DocTypeVersion
		element(0x4285, unsigned(2)), // DocTypeReadVersion
	];
	const info = [
		element(0x2ad7b1, unsigned(NANOSECONDS_PER_TICK)),
		element(0x4d80, text("sluice")), // MuxingApp
		element(0x5741, text("sluice")), // WritingApp
	];
	return joined([
		element(EBML, joined(ebml)),
		identifier(SEGMENT),
		UNKNOWN_SIZE,
		element(INFO, joined(info)),
		element(TRACKS, element(0xae, joined(entry))),
	]);
}

/** One frame, in a cluster of its own, so that its time may be any. `timeUs`: whole microseconds, not negative. */
export function matroskaFrame(timeUs: number, frame: Uint8Array): Uint8Array {
	const block = element(0xa3, joined([SIMPLE_BLOCK_HEADER, frame]));
	return element(CLUSTER, joined([element(0xe7, unsigned(timeUs)), block]));
}

function element(id: number, content: Uint8Array): Uint8Array {
	const w = new ByteWriter(content.length + 12);
	w.bytes(identifier(id));
	// RFC 8794 §4: eight bytes of size or one, whose highest bits tell.
	if (content.length < 0x7f) {
		w.u8(0x80 | content.length);
	} else {
		w.u32(0x0100_0000);
		w.u32(content.length);
	}
	w.bytes(content);
	return w.written;
}

/** An identifier has its length in itself: RFC 8794 §5. */
function identifier(id: number): Uint8Array {
	return bigEndian(id, id > 0xff_ffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
}

function unsigned(value: number): Uint8Array {
	let length = 1;
	while (length < 7 && value >= 2 ** (8 * length)) length++;
	return bigEndian(value, length);
}

function bigEndian(value: number, length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	let rest = value;
	for (let i = length - 1; i >= 0; i--) {
		bytes[i] = rest % 256;
		rest = Math.floor(rest / 256);
	}
	return bytes;
}

function float64(value: number): Uint8Array {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setFloat64(0, value);
	return bytes;
}

function text(value: string): Uint8Array {
	return new TextEncoder().encode(value);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

import { hasCode, ProtocolError } from "#shared/problem.ts";
import { sameBytes } from "../bytes/big-endian.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { readAudioSpecificConfig } from "./aac.ts";

/** How a StreamMuxConfig of one program of one layer lays out an AudioMuxElement. */
export type StreamMuxConfig = {
	/** AudioSpecificConfig, of whole bytes. */
	readonly config: Uint8Array;
	/** Frames in each element, 1 to 64. */
	readonly frames: number;
	/** Bits behind the frames that are no sound. */
	readonly otherBits: number;
};

/**
 * Parses the StreamMuxConfig that an SDP has, ISO 14496-3 §1.7.3.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`; `media.unsupported` for what is not AAC in one layer
 */
export function parseStreamMuxConfig(bytes: Uint8Array): StreamMuxConfig {
	return readStreamMuxConfig(bytes, new BitReader(bytes));
}

function readStreamMuxConfig(bytes: Uint8Array, r: BitReader): StreamMuxConfig {
	const version = r.bits(1);
	if (version === 1 && r.flag()) throw unsupported("audioMuxVersionA is 1");
	if (version === 1) readLatmValue(r); // taraBufferFullness
	if (!r.flag()) throw unsupported("streams are not framed alike");
	const frames = r.bits(6) + 1;
	if (r.bits(4) !== 0 || r.bits(3) !== 0) throw unsupported("there are several programs or layers");
	const config = version === 1 ? readSizedConfig(bytes, r) : readConfig(bytes, r);
	if (r.bits(3) !== 0) throw unsupported("frames do not tell their length");
	// GStreamer's rtpmp4apay cuts the rest off, which would say that there is nothing else.
	if (r.remaining < BUFFER_FULLNESS_BITS) return { config, frames, otherBits: 0 };
	r.skip(BUFFER_FULLNESS_BITS);
	let otherBits = 0;
	if (r.flag()) otherBits = version === 1 ? readLatmValue(r) : readEscaped(r);
	if (r.flag()) r.skip(8); // crcCheckSum
	return { config, frames, otherBits };
}

/** The configuration that ends where its last field does. */
function readConfig(bytes: Uint8Array, r: BitReader): Uint8Array {
	const from = bytes.length * 8 - r.remaining;
	readAudioSpecificConfig(r);
	skipSyncExtension(bytes, r);
	return bitsFrom(bytes, from, bytes.length * 8 - r.remaining - from);
}

/**
 * Band replication that is signalled behind the configuration, ISO 14496-3 §1.6.6.2. It belongs into a sized one, but is
 * sent in this one too; nothing else that may follow looks like it.
 */
function skipSyncExtension(bytes: Uint8Array, r: BitReader): void {
	const ahead = new BitReader(bytes);
	ahead.skip(bytes.length * 8 - r.remaining);
	if (ahead.remaining < SYNC_BITS + 6 || ahead.bits(SYNC_BITS) !== SYNC_EXTENSION) return;
	if (ahead.bits(5) !== OBJECT_TYPE_SBR) throw unsupported("it has an extension that is not known");
	r.skip(SYNC_BITS + 5);
	if (r.flag() && r.bits(4) === EXPLICIT_FREQUENCY) r.skip(24);
}

/** The configuration whose length is told, so that signalling of band replication may stand behind it. */
function readSizedConfig(bytes: Uint8Array, r: BitReader): Uint8Array {
	const length = readLatmValue(r);
	const from = bytes.length * 8 - r.remaining;
	r.skip(length);
	const config = bitsFrom(bytes, from, length);
	readAudioSpecificConfig(new BitReader(config));
	return config;
}

/** LatmGetValue, ISO 14496-3 table 1.45. */
function readLatmValue(r: BitReader): number {
	const bytes = r.bits(2) + 1;
	return r.bits(bytes * 8);
}

/** A number of whole bytes, each with a flag that another one follows: `otherDataLenBits`. */
function readEscaped(r: BitReader): number {
	let value = 0;
	for (let more = true; more; ) {
		more = r.flag();
		value = value * 256 + r.bits(8);
		if (value > MAX_OTHER_BITS) throw new ProtocolError("bytes.malformed", "LATM tells of other data without end");
	}
	return value;
}

const BUFFER_FULLNESS_BITS = 8;
/** `syncExtensionType`, and what it is of. */
const SYNC_BITS = 11;
const SYNC_EXTENSION = 0x2b7;
const OBJECT_TYPE_SBR = 5;
const EXPLICIT_FREQUENCY = 15;

/** Beyond what the largest element could have. */
const MAX_OTHER_BITS = 2 ** 24;

/** Copies `count` bits from bit `from` on into whole bytes; the last one is filled up with zeros. */
function bitsFrom(bytes: Uint8Array, from: number, count: number): Uint8Array {
	const out = new Uint8Array(Math.ceil(count / 8));
	const shift = from & 7;
	for (let i = 0, at = from >>> 3; i < out.length; i++, at++) {
		out[i] = ((bytes[at] ?? 0) << shift) | ((bytes[at + 1] ?? 0) >> (8 - shift));
	}
	const spare = out.length * 8 - count;
	const last = out.length - 1;
	if (spare > 0) out[last] = (out[last] ?? 0) & (0xff << spare);
	return out;
}

function unsupported(why: string): ProtocolError {
	return new ProtocolError("media.unsupported", `LATM of this layout is not supported: ${why}`);
}

/**
 * The frames of the AudioMuxElements that fill `bytes`, ISO 14496-3 table 1.41; `null` when they do not fill it, are
 * malformed, or bring another AudioSpecificConfig than `layout`. With `inBand`, the layout stands in the elements too.
 * Frames are views where they begin with a byte. Never throws.
 */
export function readAudioMuxElements(bytes: Uint8Array, layout: StreamMuxConfig, inBand: boolean): Uint8Array[] | null {
	const r = new BitReader(bytes);
	const frames: Uint8Array[] = [];
	let current = layout;
	try {
		while (r.remaining > 0) {
			if (inBand && !r.flag()) {
				current = readStreamMuxConfig(bytes, r);
				if (!sameBytes(current.config, layout.config)) return null;
			}
			for (let i = 0; i < current.frames; i++) {
				const frame = readFrame(bytes, r);
				if (frame.length > 0) frames.push(frame);
			}
			r.skip(current.otherBits);
			r.skip(r.remaining % 8); // ByteAlign
		}
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
	return frames.length === 0 ? null : frames;
}

/** PayloadLengthInfo and PayloadMux, tables 1.44 and 1.46: the length is a sum of bytes, of which the last is not 255. */
function readFrame(bytes: Uint8Array, r: BitReader): Uint8Array {
	let length = 0;
	for (let part = 255; part === 255; length += part) part = r.bits(8);
	const from = bytes.length * 8 - r.remaining;
	r.skip(length * 8);
	return (from & 7) === 0 ? bytes.subarray(from >>> 3, (from >>> 3) + length) : bitsFrom(bytes, from, length * 8);
}

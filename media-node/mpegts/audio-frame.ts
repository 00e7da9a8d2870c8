import { hasCode } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { type AdtsHeader, parseAdtsHeader } from "../codecs/aac.ts";
import { AC3_FRAME_SAMPLES, readAc3Header } from "../codecs/ac3.ts";
import type { Codec } from "../codecs/codec.ts";
import { readMpegAudioHeader } from "../codecs/mpeg-audio.ts";
import { PES_CLOCK_RATE } from "./elementary-parser.ts";

/** One frame in a run of bytes, or a few that are framed as one. */
export type AudioFrame = {
	/** With what frames it in the transport. */
	readonly bytes: number;
	/** As a track carries it: one, where the framing holds no more. */
	readonly frames: readonly Uint8Array[];
	/** How long each of them lasts on a clock of `clockRate`; it need not be whole. */
	readonly ticks: number;
	readonly clockRate: number;
	readonly codec: Codec;
};

/** Reads the frame at `at`. It is `damaged` where none begins, and `incomplete` where its end is not there yet. */
export type ReadFrame = (bytes: Uint8Array, at: number) => AudioFrame | "incomplete" | "damaged";

/** With a CRC. */
const ADTS_HEADER_BYTES = 9;
const AAC_FRAME_SAMPLES = 1_024;

/** AAC in ADTS, ISO 14496-3 §1.A.2. */
export const readAdtsFrame: ReadFrame = (bytes, at) => {
	if (bytes[at] !== 0xff) return "damaged";
	if (at + ADTS_HEADER_BYTES > bytes.length) return "incomplete";
	const header = adtsAt(bytes, at);
	if (header === null || header.frameBytes === header.headerBytes) return "damaged";
	const { headerBytes, frameBytes, sampleRate } = header;
	if (at + frameBytes > bytes.length) return "incomplete";
	return {
		bytes: frameBytes,
		frames: [bytes.subarray(at + headerBytes, at + frameBytes)],
		ticks: AAC_FRAME_SAMPLES,
		clockRate: sampleRate,
		codec: { name: "MPEG-4 Audio", config: adtsConfig(bytes, at) },
	};
};

function adtsAt(bytes: Uint8Array, at: number): AdtsHeader | null {
	try {
		return parseAdtsHeader(bytes, at);
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed")) return null;
		throw error;
	}
}

/** The AudioSpecificConfig of the fields that an ADTS header has of it. */
function adtsConfig(bytes: Uint8Array, at: number): Uint8Array {
	const objectType = (u8(bytes, at + 2) >> 6) + 1;
	const rate = (u8(bytes, at + 2) >> 2) & 0x0f;
	const channels = ((u8(bytes, at + 2) & 1) << 2) | (u8(bytes, at + 3) >> 6);
	return Uint8Array.of((objectType << 3) | (rate >> 1), ((rate & 1) << 7) | (channels << 3));
}

/** MPEG-1 and MPEG-2 audio of all layers. RTP counts its time in 1/90000 s: RFC 3551 §4.5.13. */
export const readMpegAudioFrame: ReadFrame = (bytes, at) => {
	if (bytes[at] !== 0xff) return "damaged";
	if (at + 4 > bytes.length) return "incomplete";
	const header = readMpegAudioHeader(bytes, at);
	if (header === null || header.frameBytes === 0) return "damaged";
	const end = at + header.frameBytes;
	if (end > bytes.length) return "incomplete";
	return {
		bytes: header.frameBytes,
		frames: [bytes.subarray(at, end)],
		ticks: (header.frameSamples * PES_CLOCK_RATE) / header.sampleRate,
		clockRate: PES_CLOCK_RATE,
		codec: { name: "MPEG-1/2 Audio" },
	};
};

const AC3_HEADER_BYTES = 7;

/** AC-3, as ATSC A/53 part 3 and ETSI TS 101 154 annex C put it into transport streams. */
export const readAc3Frame: ReadFrame = (bytes, at) => {
	if (bytes[at] !== 0x0b) return "damaged";
	if (at + AC3_HEADER_BYTES > bytes.length) return "incomplete";
	const header = readAc3Header(bytes, at);
	if (header === null || header.frameBytes === 0) return "damaged";
	const end = at + header.frameBytes;
	if (end > bytes.length) return "incomplete";
	const { sampleRate, channels } = header;
	return {
		bytes: header.frameBytes,
		frames: [bytes.subarray(at, end)],
		ticks: AC3_FRAME_SAMPLES,
		clockRate: sampleRate,
		codec: { name: "AC3", sampleRate, channels },
	};
};

import { u8 } from "../bytes/big-endian.ts";

/** What the header of an AC-3 sync frame says, ETSI TS 102 366 §4.3 and §4.4. */
export type Ac3Header = {
	/** In Hz. */
	readonly sampleRate: number;
	/** 1 to 6, with that of low frequencies. */
	readonly channels: number;
	/** With the header. */
	readonly frameBytes: number;
};

/** Samples of each channel in every frame. */
export const AC3_FRAME_SAMPLES = 1_536;

/** Up to where the channel of low frequencies is told. */
const HEADER_BYTES = 7;
/** Versions that are read like 8; above are 16, which is E-AC-3, and what there is not yet. §4.4.2.1. */
const MAX_VERSION = 10;
/** `fscod`, table 4.1. */
const SAMPLE_RATES = [48_000, 44_100, 32_000];
/** Kbit/s by half of `frmsizecod`, table 4.13. */
const BIT_RATES = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
/** Full channels by `acmod`, table 4.3. */
const CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];

/** Reads the header of the sync frame at `offset`; `null` when there is none or it is damaged. Never throws. */
export function readAc3Header(bytes: Uint8Array, offset = 0): Ac3Header | null {
	if (bytes.length < offset + HEADER_BYTES) return null;
	if (u8(bytes, offset) !== 0x0b || u8(bytes, offset + 1) !== 0x77) return null;
	const rates = u8(bytes, offset + 4);
	const sampleRate = SAMPLE_RATES[rates >> 6];
	const kbps = BIT_RATES[(rates & 0x3f) >> 1];
	const version = u8(bytes, offset + 5) >> 3;
	if (sampleRate === undefined || kbps === undefined || version > MAX_VERSION) return null;

	// Words of 16 bits. At 44.1 kHz they do not come out even: an odd code is of a frame that is one longer.
	const words = Math.floor((AC3_FRAME_SAMPLES * kbps * 1_000) / (16 * sampleRate));
	const padding = sampleRate === 44_100 ? rates & 1 : 0;
	// Versions 9 and 10 are of half and of a quarter of the rate.
	const divisor = 1 << Math.max(0, version - 8);
	return {
		sampleRate: sampleRate / divisor,
		channels: channelsOf(u8(bytes, offset + 6)),
		frameBytes: (words + padding) * 2,
	};
}

/** From `acmod` on: mixing levels that only some modes have stand between it and `lfeon`, §4.3.2. */
function channelsOf(byte: number): number {
	const mode = byte >> 5;
	let at = 3;
	if ((mode & 1) !== 0 && mode !== 1) at += 2; // cmixlev
	if ((mode & 4) !== 0) at += 2; // surmixlev
	if (mode === 2) at += 2; // dsurmod
	return (CHANNELS[mode] ?? 0) + ((byte >> (7 - at)) & 1);
}

/** How long a frame lasts on a clock of `clockRate`, not rounded; 0 when it is malformed. Never throws. */
export function ac3Ticks(frame: Uint8Array, clockRate: number): number {
	const header = readAc3Header(frame);
	return header === null ? 0 : (AC3_FRAME_SAMPLES * clockRate) / header.sampleRate;
}

import { u8 } from "../bytes/big-endian.ts";

/** What the header of a frame of MPEG-1 or MPEG-2 audio says, ISO 11172-3 §2.4.2.3 and 13818-3 §2.4.2.3. */
export type MpegAudioHeader = {
	/** 1 to 3: 3 is MP3. */
	readonly layer: number;
	/** In Hz, 8,000 to 48,000. */
	readonly sampleRate: number;
	/** 1 or 2. */
	readonly channels: number;
	/** With the header. */
	readonly frameBytes: number;
	/** Of each channel. */
	readonly frameSamples: number;
};

const HEADER_BYTES = 4;

/** Of MPEG-1, in Hz. MPEG-2 halves them, and what everybody calls MPEG-2.5 halves them again. */
const SAMPLE_RATES = [44_100, 48_000, 32_000] as const;

/** Kbit/s, by `bitrate_index`. The first is free format, whose frames do not tell their size. */
const MPEG1_LAYER1 = [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const MPEG1_LAYER2 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const MPEG1_LAYER3 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG2_LAYER1 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const MPEG2_LAYER23 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/**
 * Reads the header of the frame at `offset`; `null` when there is none, or it is of free format or damaged. Never
 * throws.
 */
export function readMpegAudioHeader(bytes: Uint8Array, offset = 0): MpegAudioHeader | null {
	if (bytes.length < offset + HEADER_BYTES) return null;
	const kind = u8(bytes, offset + 1);
	const rates = u8(bytes, offset + 2);
	if (u8(bytes, offset) !== 0xff || (kind & 0xe0) !== 0xe0) return null;
	const version = (kind >> 3) & 3; // 0: MPEG-2.5, 2: MPEG-2, 3: MPEG-1
	const layer = 4 - ((kind >> 1) & 3);
	if (version === 1 || layer === 4) return null;
	const isMpeg1 = version === 3;

	const kbps = bitRates(isMpeg1, layer)[rates >> 4];
	const fullRate = SAMPLE_RATES[(rates >> 2) & 3];
	if (kbps === undefined || kbps === 0 || fullRate === undefined) return null;
	const sampleRate = isMpeg1 ? fullRate : version === 2 ? fullRate / 2 : fullRate / 4;

	// Slots of 4 bytes in layer I, else of 1 byte, as many as the bit rate fills during the samples, and one for padding.
	const frameSamples = layer === 1 ? 384 : layer === 3 && !isMpeg1 ? 576 : 1_152;
	const slotBytes = layer === 1 ? 4 : 1;
	const slots = Math.floor((frameSamples * kbps * 1_000) / (8 * slotBytes * sampleRate)) + ((rates >> 1) & 1);
	return {
		layer,
		sampleRate,
		channels: u8(bytes, offset + 3) >> 6 === 3 ? 1 : 2,
		frameBytes: slots * slotBytes,
		frameSamples,
	};
}

function bitRates(isMpeg1: boolean, layer: number): readonly number[] {
	if (isMpeg1) return layer === 1 ? MPEG1_LAYER1 : layer === 2 ? MPEG1_LAYER2 : MPEG1_LAYER3;
	return layer === 1 ? MPEG2_LAYER1 : MPEG2_LAYER23;
}

/** How long a frame lasts on a clock of `clockRate`, not rounded; 0 when it is malformed. Never throws. */
export function mpegAudioTicks(frame: Uint8Array, clockRate: number): number {
	const header = readMpegAudioHeader(frame);
	return header === null ? 0 : (header.frameSamples * clockRate) / header.sampleRate;
}

import { ProtocolError } from "#shared/problem.ts";
import { BitReader } from "../bytes/bit-reader.ts";

/** What an AudioSpecificConfig says. */
export type AacConfig = {
	/** Audio object type of the core, ISO 14496-3 table 1.17: 1 Main, 2 LC, 3 SSR, 4 LTP. */
	readonly objectType: number;
	/** Of the core, in Hz: half of what comes out when spectral band replication is on. */
	readonly sampleRate: number;
	/** 1 to 8, of the core. */
	readonly channels: number;
	/** Samples of the core in each access unit: 1024, or 960. */
	readonly frameSamples: number;
	/** Spectral band replication (HE-AAC) that is told explicitly, and parametric stereo (HE-AAC v2) on top of it. */
	readonly extension: { readonly sampleRate: number; readonly parametricStereo: boolean } | null;
};

const AOT_SBR = 5;
const AOT_PS = 29;
/** ISO 14496-3 table 1.18. */
const SAMPLE_RATES: readonly number[] = [
	96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];
/** Channels of each `channelConfiguration`, ISO 14496-3 table 1.19; 0 where it is reserved or told otherwise. */
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8];

/**
 * Parses an AudioSpecificConfig, ISO 14496-3 §1.6.2.1.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`; `media.unsupported` for what is not AAC-LC, Main, SSR, LTP
 * or HE-AAC
 */
export function parseAudioSpecificConfig(bytes: Uint8Array): AacConfig {
	const r = new BitReader(bytes);
	const config = readAudioSpecificConfig(r);
	return config.extension === null ? { ...config, extension: readSyncExtension(r) } : config;
}

/**
 * Reads an AudioSpecificConfig up to its last bit, where more follows it, as in a StreamMuxConfig. What is signalled
 * behind it, for it has no length of its own, is not read.
 *
 * @throws ProtocolError as `parseAudioSpecificConfig`
 */
export function readAudioSpecificConfig(r: BitReader): AacConfig {
	const start = r.remaining;
	let objectType = readObjectType(r);
	const sampleRate = readSampleRate(r);
	const channelConfig = r.bits(4);
	let extension: AacConfig["extension"] = null;
	if (objectType === AOT_SBR || objectType === AOT_PS) {
		extension = { parametricStereo: objectType === AOT_PS, sampleRate: readSampleRate(r) };
		objectType = readObjectType(r);
	}
	if (objectType < 1 || objectType > 4) {
		throw new ProtocolError("media.unsupported", `MPEG-4 audio object type ${objectType} is not supported`);
	}
	// GASpecificConfig, §4.4.1
	const frameSamples = r.flag() ? 960 : 1024;
	if (r.flag()) r.skip(14); // coreCoderDelay
	r.skip(1); // extensionFlag, which these object types do not use
	const channels = channelConfig === 0 ? readProgramChannels(r, start) : CHANNELS[channelConfig];
	if (channels === undefined || channels === 0) {
		throw new ProtocolError("bytes.malformed", `The AAC channel configuration ${channelConfig} is reserved`);
	}
	return { objectType, sampleRate, channels, frameSamples, extension };
}

function readObjectType(r: BitReader): number {
	const type = r.bits(5);
	return type === 31 ? 32 + r.bits(6) : type;
}

function readSampleRate(r: BitReader): number {
	const index = r.bits(4);
	const rate = index === 15 ? r.bits(24) : SAMPLE_RATES[index];
	if (rate === undefined || rate === 0) {
		throw new ProtocolError("bytes.malformed", `The AAC sampling frequency index ${index} is reserved`);
	}
	return rate;
}

/** Channels of a program_config_element, ISO 14496-3 §4.4.1.1, in a configuration that began with `start` bits left. */
function readProgramChannels(r: BitReader, start: number): number {
	r.skip(10); // element_instance_tag, object_type, sampling_frequency_index
	const elements = r.bits(4) + r.bits(4) + r.bits(4); // front, side, back
	const lfe = r.bits(2);
	const associatedData = r.bits(3);
	const coupling = r.bits(4);
	for (let i = 0; i < 2; i++) if (r.flag()) r.skip(4); // mono and stereo mixdown
	if (r.flag()) r.skip(3); // matrix mixdown
	let channels = lfe;
	for (let i = 0; i < elements; i++) {
		channels += r.flag() ? 2 : 1; // is_cpe
		r.skip(4);
	}
	r.skip((lfe + associatedData) * 4 + coupling * 5);
	const past = (start - r.remaining) % 8;
	r.skip(past === 0 ? 0 : 8 - past); // byte_alignment, counted from the beginning of the configuration
	r.skip(r.bits(8) * 8); // comment_field_data
	return channels <= 8 ? channels : 0;
}

/** Backward-compatible signalling of band replication behind the configuration, ISO 14496-3 §1.6.6.1. */
function readSyncExtension(r: BitReader): AacConfig["extension"] {
	if (r.remaining < 17 || r.bits(11) !== 0x2b7 || readObjectType(r) !== AOT_SBR) return null;
	if (!r.flag() || r.remaining < 4) return null;
	const sampleRate = readSampleRate(r);
	const parametricStereo = r.remaining >= 12 && r.bits(11) === 0x548 && r.flag();
	return { sampleRate, parametricStereo };
}

/**
 * How long an access unit lasts on a clock of `clockRate`. With band replication the clock may count the samples that
 * come out, two for each of the core.
 */
export function aacFrameTicks({ frameSamples, sampleRate }: AacConfig, clockRate: number): number {
	return Math.round((frameSamples * clockRate) / sampleRate);
}

/** The AudioSpecificConfig of AAC-LC without extension. `channels` is 1 to 8, but not 7. */
export function writeAudioSpecificConfig({
	sampleRate,
	channels,
}: Pick<AacConfig, "sampleRate" | "channels">): Uint8Array {
	const index = SAMPLE_RATES.indexOf(sampleRate);
	const channelConfig = channels === 0 ? -1 : CHANNELS.indexOf(channels);
	if (index === -1 || channelConfig === -1) {
		throw new RangeError(`Cannot write an AAC configuration of ${channels} channels at ${sampleRate} Hz`);
	}
	return Uint8Array.of((2 << 3) | (index >> 1), ((index & 1) << 7) | (channelConfig << 3));
}

/** The codec string of RFC 6381 §3.3 and ISO 14496-3. */
export function aacCodecString({ objectType, extension }: AacConfig): string {
	if (extension === null) return `mp4a.40.${objectType}`;
	return extension.parametricStereo ? `mp4a.40.${AOT_PS}` : `mp4a.40.${AOT_SBR}`;
}

/** The header before each frame of an ADTS stream, ISO 14496-3 §1.A.2. */
export type AdtsHeader = {
	readonly objectType: number;
	readonly sampleRate: number;
	readonly channels: number;
	readonly headerBytes: number;
	/** With the header. */
	readonly frameBytes: number;
};

/**
 * Parses the ADTS header at `offset`.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 */
export function parseAdtsHeader(bytes: Uint8Array, offset = 0): AdtsHeader {
	const r = new BitReader(bytes, offset);
	if (r.bits(12) !== 0xfff) throw new ProtocolError("bytes.malformed", "There is no ADTS header here");
	r.skip(3); // ID, layer
	const headerBytes = r.flag() ? 7 : 9; // without or with CRC
	const objectType = r.bits(2) + 1;
	const sampleRate = SAMPLE_RATES[r.bits(4)];
	r.skip(1); // private_bit
	const channels = CHANNELS[r.bits(3)];
	r.skip(4);
	const frameBytes = r.bits(13);
	r.skip(11); // adts_buffer_fullness
	const blocks = r.bits(2) + 1;
	if (sampleRate === undefined || channels === undefined || channels === 0 || blocks > 1 || frameBytes < headerBytes) {
		throw new ProtocolError("bytes.malformed", "The ADTS header is damaged or of a kind that is not supported");
	}
	return { objectType, sampleRate, channels, headerBytes, frameBytes };
}

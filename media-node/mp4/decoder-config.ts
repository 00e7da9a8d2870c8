/** What a decoder must know before the first sample, as the boxes of each codec's sample entry say it. */

import type { ByteWriter } from "../bytes/byte-writer.ts";
import { withAv1Size } from "../codecs/av1.ts";
import type { Av1Sequence } from "../codecs/av1-sequence.ts";
import type { H264Sps } from "../codecs/h264.ts";
import { H265_NAL, type H265Sps } from "../codecs/h265.ts";
import type { Vp9Configuration } from "../codecs/vp9-configuration.ts";
import { fullBox } from "./box.ts";

/** Bytes of the length before each NAL unit in a sample. */
export const NAL_LENGTH_BYTES = 4;

/** Profiles for which an `avcC` tells chroma format and bit depths, ISO 14496-15 §5.3.3.1.2. */
const PROFILES_WITH_CHROMA: readonly number[] = [100, 110, 122, 144];

/** AVC Configuration Box: the AVCDecoderConfigurationRecord, ISO 14496-15 §5.3.3.1. */
export function avcC(w: ByteWriter, info: H264Sps, sps: Uint8Array, pps: Uint8Array): void {
	w.box("avcC", () => {
		w.u8(1); // configurationVersion
		w.u8(info.profile); // AVCProfileIndication
		w.u8(info.constraints); // profile_compatibility
		w.u8(info.level); // AVCLevelIndication
		w.u8(0xfc | (NAL_LENGTH_BYTES - 1)); // reserved, lengthSizeMinusOne
		w.u8(0xe0 | 1); // reserved, numOfSequenceParameterSets
		writeNal(w, sps);
		w.u8(1); // numOfPictureParameterSets
		writeNal(w, pps);
		if (!PROFILES_WITH_CHROMA.includes(info.profile)) return;
		w.u8(0xfc | info.chromaFormat);
		w.u8(0xf8 | (info.bitDepthLuma - 8));
		w.u8(0xf8 | (info.bitDepthChroma - 8));
		w.u8(0); // numOfSequenceParameterSetExt
	});
}

/** HEVC Configuration Box: the HEVCDecoderConfigurationRecord, ISO 14496-15 §8.3.3.1. */
export function hvcC(w: ByteWriter, info: H265Sps, vps: Uint8Array, sps: Uint8Array, pps: Uint8Array): void {
	w.box("hvcC", () => {
		w.u8(1); // configurationVersion
		w.bytes(info.profileTierLevel); // general_profile_space to general_level_idc
		w.u16(0xf000); // reserved, min_spatial_segmentation_idc: unknown
		w.u8(0xfc); // reserved, parallelismType: unknown
		w.u8(0xfc | info.chromaFormat);
		w.u8(0xf8 | (info.bitDepthLuma - 8));
		w.u8(0xf8 | (info.bitDepthChroma - 8));
		w.u16(0); // avgFrameRate: unspecified
		// constantFrameRate: unknown, numTemporalLayers, temporalIdNested, lengthSizeMinusOne
		w.u8((info.temporalLayers << 3) | (info.temporalIdNested ? 4 : 0) | (NAL_LENGTH_BYTES - 1));
		w.u8(3); // numOfArrays
		writeNalArray(w, H265_NAL.vps, vps);
		writeNalArray(w, H265_NAL.sps, sps);
		writeNalArray(w, H265_NAL.pps, pps);
	});
}

function writeNalArray(w: ByteWriter, type: number, nal: Uint8Array): void {
	w.u8(0x80 | type); // array_completeness, NAL_unit_type
	w.u16(1); // numNalus
	writeNal(w, nal);
}

function writeNal(w: ByteWriter, nal: Uint8Array): void {
	w.u16(nal.length);
	w.bytes(nal);
}

/** AV1 Codec Configuration Box, AV1 Codec ISO Media File Format Binding §2.3. `sequenceHeader` has no size field. */
export function av1C(w: ByteWriter, info: Av1Sequence, sequenceHeader: Uint8Array): void {
	w.box("av1C", () => {
		w.u8(0x81); // marker, version
		w.u8((info.profile << 5) | info.level);
		w.u8(
			(info.tier << 7) |
				(info.bitDepth > 8 ? 0x40 : 0) |
				(info.bitDepth === 12 ? 0x20 : 0) |
				(info.monochrome ? 0x10 : 0) |
				(info.subsamplingX ? 0x08 : 0) |
				(info.subsamplingY ? 0x04 : 0) |
				info.chromaSamplePosition,
		);
		w.u8(0); // initial_presentation_delay: not told
		w.bytes(withAv1Size(sequenceHeader)); // configOBUs
	});
}

/** VP Codec Configuration Box, VP Codec ISO Media File Format Binding. */
export function vpcC(w: ByteWriter, info: Vp9Configuration): void {
	const { primaries, transfer, matrix, fullRange } = info.color;
	fullBox(w, "vpcC", 1, 0, () => {
		w.u8(info.profile);
		w.u8(info.level);
		w.u8((info.bitDepth << 4) | (info.chromaSubsampling << 1) | Number(fullRange));
		w.u8(primaries);
		w.u8(transfer);
		w.u8(matrix);
		w.u16(0); // codecInitializationDataSize: none
	});
}

/** Descriptor tags of ISO 14496-1 table 1. */
const DESCRIPTOR = { es: 3, decoderConfig: 4, decoderSpecificInfo: 5, slConfig: 6 } as const;

/** ES Descriptor Box, ISO 14496-14 §5.6, for MPEG-4 audio: carries the AudioSpecificConfig. */
export function esds(w: ByteWriter, audioSpecificConfig: Uint8Array): void {
	const specific = descriptorBytes(audioSpecificConfig.length);
	const decoder = descriptorBytes(13 + specific);
	const syncLayer = descriptorBytes(1);
	fullBox(w, "esds", 0, 0, () => {
		descriptor(w, DESCRIPTOR.es, 3 + decoder + syncLayer);
		w.u16(0); // ES_ID
		w.u8(0); // no dependency, URL or OCR stream
		descriptor(w, DESCRIPTOR.decoderConfig, 13 + specific);
		w.u8(0x40); // objectTypeIndication: ISO 14496-3
		w.u8((5 << 2) | 1); // streamType: audio, not upstream, reserved
		w.u24(0); // bufferSizeDB
		w.u32(0); // maxBitrate: unknown
		w.u32(0); // avgBitrate: unknown
		descriptor(w, DESCRIPTOR.decoderSpecificInfo, audioSpecificConfig.length);
		w.bytes(audioSpecificConfig);
		descriptor(w, DESCRIPTOR.slConfig, 1);
		w.u8(2); // predefined: reserved for MP4 files
	});
}

/** A descriptor's tag and the size of its body, seven bits a byte, ISO 14496-1 §8.3.3. */
function descriptor(w: ByteWriter, tag: number, size: number): void {
	w.u8(tag);
	for (let shift = (sizeBytes(size) - 1) * 7; shift > 0; shift -= 7) w.u8(0x80 | ((size >>> shift) & 0x7f));
	w.u8(size & 0x7f);
}

function descriptorBytes(size: number): number {
	return 1 + sizeBytes(size) + size;
}

function sizeBytes(size: number): number {
	return size < 0x80 ? 1 : size < 0x4000 ? 2 : 3;
}

/** Opus Specific Box, "Encapsulation of Opus in ISO Base Media File Format" §4.3.2. */
export function dOps(w: ByteWriter, channels: number, sampleRate: number): void {
	w.box("dOps", () => {
		w.u8(0); // Version
		w.u8(channels); // OutputChannelCount
		w.u16(0); // PreSkip: a live stream is cut into in the middle, where nothing primes the decoder
		w.u32(sampleRate); // InputSampleRate
		w.u16(0); // OutputGain
		w.u8(0); // ChannelMappingFamily: mono or stereo
	});
}

import { u8, u32 } from "../bytes/big-endian.ts";
import { aacCodecString, parseAudioSpecificConfig } from "./aac.ts";
import { type Av1Sequence, type ColorDescription, parseAv1SequenceHeader, UNSPECIFIED_COLOR } from "./av1-sequence.ts";
import type { Codec } from "./codec.ts";
import { parseH265Sps } from "./h265.ts";
import { type Vp9Configuration, vp9Configuration } from "./vp9-configuration.ts";

/**
 * The codec string of RFC 6381, as `CODECS` of a playlist and a browser want it. `null` while the parameter sets are
 * not known, and for a codec that ISO files do not carry.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `media.unsupported`: the parameter sets are of no use
 */
export function codecString(codec: Codec): string | null {
	switch (codec.name) {
		case "H264":
			return codec.sps === null || codec.sps.length < 4 ? null : `avc1.${hex(codec.sps.subarray(1, 4)).join("")}`;
		case "H265":
			return codec.sps === null ? null : h265CodecString(parseH265Sps(codec.sps).profileTierLevel);
		case "AV1":
			return codec.sequenceHeader === undefined ? null : av1CodecString(parseAv1SequenceHeader(codec.sequenceHeader));
		case "VP9":
			return codec.picture === undefined ? null : vp9CodecString(vp9Configuration(codec.picture));
		case "MPEG-4 Audio":
			return aacCodecString(parseAudioSpecificConfig(codec.config));
		case "Opus":
			return "opus";
		default:
			return null;
	}
}

/** ISO 14496-15 §E.3. `profileTierLevel` is the 12 bytes that begin `profile_tier_level()`, ITU-T H.265 §7.3.3. */
function h265CodecString(profileTierLevel: Uint8Array): string {
	const general = u8(profileTierLevel, 0);
	const space = ["", "A", "B", "C"][general >> 6];
	const tier = general & 0x20 ? "H" : "L";
	const compatibility = reverseBits(u32(profileTierLevel, 1)).toString(16).toUpperCase();
	const constraints = hex(profileTierLevel.subarray(5, 11));
	while (constraints.at(-1) === "00") constraints.pop();
	const level = u8(profileTierLevel, 11);
	return [`hvc1.${space}${general & 0x1f}`, compatibility, `${tier}${level}`, ...constraints].join(".");
}

/** AV1 Codec ISO Media File Format Binding §5. */
function av1CodecString(sequence: Av1Sequence): string {
	const { profile, level, tier, bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition } = sequence;
	const begin = `av01.${profile}.${decimal(level)}${tier === 0 ? "M" : "H"}.${decimal(bitDepth)}`;
	const chroma = `${Number(subsamplingX)}${Number(subsamplingY)}${chromaSamplePosition}`;
	if (!monochrome && chroma === "110" && isUsual(sequence.color)) return begin;
	return [begin, Number(monochrome), chroma, ...colorFields(sequence.color), Number(sequence.color.fullRange)].join(
		".",
	);
}

/** VP Codec ISO Media File Format Binding, "Codecs Parameter String". */
function vp9CodecString({ profile, level, bitDepth, chromaSubsampling, color }: Vp9Configuration): string {
	const begin = `vp09.${[profile, level, bitDepth].map(decimal).join(".")}`;
	if (chromaSubsampling === 1 && isUsual(color)) return begin;
	return [begin, decimal(chromaSubsampling), ...colorFields(color), decimal(Number(color.fullRange))].join(".");
}

/** What both codecs take for granted where a string ends early, BT.709 of limited range; or nothing is known. */
function isUsual({ primaries, transfer, matrix, fullRange }: ColorDescription): boolean {
	return !fullRange && [primaries, transfer, matrix].every((code) => code === 1 || code === UNSPECIFIED_COLOR);
}

function colorFields({ primaries, transfer, matrix }: ColorDescription): string[] {
	return [primaries, transfer, matrix].map(decimal);
}

function decimal(value: number): string {
	return String(value).padStart(2, "0");
}

function hex(bytes: Uint8Array): string[] {
	return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
}

function reverseBits(value: number): number {
	let reversed = 0;
	for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((value >>> bit) & 1);
	return reversed >>> 0;
}

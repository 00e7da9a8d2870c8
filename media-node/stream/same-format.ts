import { ProtocolError } from "#shared/problem.ts";
import { sameBytes } from "../bytes/big-endian.ts";
import { parseAudioSpecificConfig, writeAudioSpecificConfig } from "../codecs/aac.ts";
import type { Codec } from "../codecs/codec.ts";
import { isLatm } from "../rtp/latm-format.ts";
import type { Track } from "./track.ts";

type Format = Omit<Track, "index">;

/**
 * Says whether a reader that was told of tracks `a` can decode `b` as well. Parameter sets that only one side knows do
 * not count: who does not know them before sends or gets them with the key frames.
 */
export function sameFormats(a: readonly Format[], b: readonly Format[]): boolean {
	return a.length === b.length && a.every((track, i) => sameFormat(track, b[i] as Format));
}

/** Says whether two publishers bring the same kinds of media, whatever their parameter sets and hints to decoders are. */
export function sameCodecs(a: readonly Format[], b: readonly Format[]): boolean {
	return a.length === b.length && a.every((track, i) => sameFormat(withoutSets(track), withoutSets(b[i] as Format)));
}

function withoutSets(track: Format): Format {
	const { codec } = track;
	if (codec.name === "H264") return { ...track, codec: { ...codec, sps: null, pps: null } };
	if (codec.name === "H265") return { ...track, codec: { ...codec, vps: null, sps: null, pps: null } };
	// Any decoder takes both: that there are two channels is a hint, RFC 7587 §7.1.
	if (codec.name === "Opus" && codec.channels < 2) return { ...track, codec: { ...codec, channels: 2 } };
	if (codec.name === "MPEG-4 Audio") return { ...track, codec: { ...codec, config: plainAacConfig(codec.config) } };
	return track;
}

/** An AudioSpecificConfig as short as it can be: encoders may say behind it that there is no band replication. */
function plainAacConfig(config: Uint8Array): Uint8Array {
	try {
		const parsed = parseAudioSpecificConfig(config);
		const plain = writeAudioSpecificConfig(parsed);
		return parsed.extension === null && sameBytes(plain, config.subarray(0, plain.length)) ? plain : config;
	} catch (error) {
		// A configuration of an odd rate or layout, or a damaged one: then it is the same only as it stands.
		if (error instanceof RangeError || error instanceof ProtocolError) return config;
		throw error;
	}
}

function sameFormat(a: Format, b: Format): boolean {
	if (a.kind !== b.kind || a.clockRate !== b.clockRate) return false;
	if (a.codec.name !== "Generic" || b.codec.name !== "Generic")
		return sameCodec(a.codec, b.codec) && sameAacPacking(a, b);
	return a.rtp.encoding.toLowerCase() === b.rtp.encoding.toLowerCase() && a.rtp.fmtp === b.rtp.fmtp;
}

/** AAC has two payload formats: what is LATM goes on with the very same layout. */
function sameAacPacking(a: Format, b: Format): boolean {
	if (a.codec.name !== "MPEG-4 Audio") return true;
	const latm = isLatm(a.rtp.encoding);
	return latm === isLatm(b.rtp.encoding) && (!latm || a.rtp.fmtp === b.rtp.fmtp);
}

function sameCodec(a: Codec, b: Codec): boolean {
	if (a.name === "H264" && b.name === "H264") return sameIfKnown(a.sps, b.sps) && sameIfKnown(a.pps, b.pps);
	if (a.name === "H265" && b.name === "H265") {
		return sameIfKnown(a.vps, b.vps) && sameIfKnown(a.sps, b.sps) && sameIfKnown(a.pps, b.pps);
	}
	if (a.name === "MPEG-4 Video" && b.name === "MPEG-4 Video") return sameIfKnown(a.config, b.config);
	if (a.name === "AV1" || a.name === "VP9" || a.name === "VP8") return a.name === b.name;
	if (a.name === "MPEG-1/2 Video" || a.name === "M-JPEG") return a.name === b.name;
	if (a.name === "MPEG-4 Audio" && b.name === "MPEG-4 Audio") return sameBytes(a.config, b.config);
	if (a.name === "Opus" && b.name === "Opus") return a.channels === b.channels;
	if (a.name === "G711" && b.name === "G711") {
		return a.law === b.law && a.sampleRate === b.sampleRate && a.channels === b.channels;
	}
	if (a.name === "AC3" && b.name === "AC3") return a.sampleRate === b.sampleRate && a.channels === b.channels;
	if (a.name === "G722" && b.name === "G722") return a.channels === b.channels;
	if (a.name === "G726" && b.name === "G726") return a.bitRate === b.bitRate && a.packing === b.packing;
	if (a.name === "LPCM" && b.name === "LPCM") {
		return a.bitDepth === b.bitDepth && a.sampleRate === b.sampleRate && a.channels === b.channels;
	}
	if (a.name === "MPEG-1/2 Audio" || a.name === "KLV" || a.name === "MPEG-TS") return a.name === b.name;
	return false;
}

function sameIfKnown(a: Uint8Array | null, b: Uint8Array | null): boolean {
	return a === null || b === null || sameBytes(a, b);
}

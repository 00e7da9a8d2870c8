import { hasCode } from "#shared/problem.ts";
import { parseAudioSpecificConfig } from "../codecs/aac.ts";
import type { Codec } from "../codecs/codec.ts";
import { VIDEO_CLOCK_RATE } from "../codecs/dts.ts";
import { OPUS_CLOCK_RATE } from "../codecs/opus.ts";
import { withParameterSets } from "../codecs/parameter-sets.ts";
import { AAC_HBR, aacFormatOf } from "./aac-format.ts";
import { bytesOfHex, MAX_PARAMETER_TEXT, parseFmtp } from "./fmtp.ts";
import { latmFormatOf } from "./latm-format.ts";
import { describeMpeg4Video, mpeg4VideoOf } from "./mpeg4-video-format.ts";
import { describeOpus, multiopusOf } from "./multiopus.ts";
import { STATIC_PAYLOAD_TYPES } from "./static-payload-type.ts";

/** What a media section of an SDP says of one payload type. */
export type MediaDescription = {
	/** 0 to 127. */
	readonly payloadType: number;
	/** `a=rtpmap` after the payload type; `null` when there is none. */
	readonly rtpmap: string | null;
	/** `a=fmtp` after the payload type; empty when there is none. */
	readonly fmtp: string;
};

export type TrackFormat = {
	readonly codec: Codec;
	/** Ticks per second. */
	readonly clockRate: number;
	/** What `a=rtpmap` says, or would say. */
	readonly encoding: string;
};

/** The fastest clock that is believed: above what any payload format uses. */
const MAX_CLOCK_RATE = 10_000_000;
const MAX_CHANNELS = 64;
/** Of MPEG audio and of transport streams, RFC 2250 §2 and §3. */
const MPEG_CLOCK_RATE = 90_000;
/** G.722 is of 16 kHz; its clock is of 8 kHz for the sake of an old mistake. RFC 3551 §4.5.2. */
const G72X_CLOCK_RATE = 8_000;

/**
 * What a media section carries. What is not known, or is described in a way that is of no use, is `Generic`, and can
 * still be passed through. `null` when there is no valid clock rate. Never throws.
 */
export function formatOf({ payloadType, rtpmap, fmtp }: MediaDescription): TrackFormat | null {
	const encoding = rtpmap?.trim() ?? STATIC_PAYLOAD_TYPES.get(payloadType);
	const match = /^([^\s/]+)\/(\d{1,9})(?:\/(\d{1,3}))?$/.exec(encoding ?? "");
	if (encoding === undefined || match === null) return null;
	// RFC 4184 §6.1: AC-3 has six channels at most when nothing is said.
	const [, name = "", rate, channels = /^AC3$/i.test(name) ? "6" : "1"] = match;
	const clockRate = Number(rate);
	if (clockRate < 1 || clockRate > MAX_CLOCK_RATE) return null;
	const codec = codecOf(name.toUpperCase(), clockRate, Number(channels), fmtp);
	return { codec: codec ?? { name: "Generic" }, clockRate, encoding };
}

/** The codec of an encoding name in capitals; `null` when it is not known or its parameters are of no use. */
function codecOf(name: string, clockRate: number, channels: number, fmtp: string): Codec | null {
	switch (name) {
		case "H264":
			return clockRate === VIDEO_CLOCK_RATE ? h264Of(fmtp) : null;
		case "H265":
			return clockRate === VIDEO_CLOCK_RATE ? h265Of(fmtp) : null;
		case "AV1":
		case "VP9":
		case "VP8":
			return clockRate === VIDEO_CLOCK_RATE ? { name } : null;
		case "MP4V-ES":
			return clockRate === VIDEO_CLOCK_RATE ? mpeg4VideoOf(fmtp) : null;
		case "MPV":
			return clockRate === VIDEO_CLOCK_RATE ? { name: "MPEG-1/2 Video" } : null;
		case "JPEG":
			return clockRate === VIDEO_CLOCK_RATE ? { name: "M-JPEG" } : null;
		case "MPEG4-GENERIC":
			return aacOf(fmtp, clockRate);
		case "OPUS": {
			// RFC 7587 §7: always two channels in the map; whether they differ is a parameter.
			const stereo = parseFmtp(fmtp).get("sprop-stereo") === "1";
			return clockRate === OPUS_CLOCK_RATE && channels === 2 ? { name: "Opus", channels: stereo ? 2 : 1 } : null;
		}
		case "MULTIOPUS":
			return clockRate === OPUS_CLOCK_RATE ? multiopusOf(channels, fmtp) : null;
		case "MP4A-LATM":
			return latmOf(fmtp, clockRate);
		case "MPA":
			return clockRate === MPEG_CLOCK_RATE ? { name: "MPEG-1/2 Audio" } : null;
		case "AC3":
			return channels >= 1 && channels <= 6 ? { name: "AC3", sampleRate: clockRate, channels } : null;
		case "G722":
			if (clockRate !== G72X_CLOCK_RATE || channels < 1 || channels > MAX_CHANNELS) return null;
			return { name: "G722", channels };
		case "G726-16":
		case "G726-24":
		case "G726-32":
		case "G726-40":
		case "AAL2-G726-16":
		case "AAL2-G726-24":
		case "AAL2-G726-32":
		case "AAL2-G726-40": {
			const packing = name.startsWith("AAL2") ? "aal2" : "rfc3551";
			const isPlain = clockRate === G72X_CLOCK_RATE && channels === 1;
			return isPlain ? { name: "G726", bitRate: Number(name.slice(-2)), packing } : null;
		}
		case "L8":
		case "L16":
		case "L24":
			if (channels < 1 || channels > MAX_CHANNELS) return null;
			return { name: "LPCM", bitDepth: Number(name.slice(1)), sampleRate: clockRate, channels };
		case "SMPTE336M":
			return { name: "KLV" };
		case "MP2T":
			return clockRate === MPEG_CLOCK_RATE ? { name: "MPEG-TS" } : null;
		case "PCMA":
		case "PCMU":
			if (channels < 1 || channels > MAX_CHANNELS) return null;
			return { name: "G711", law: name === "PCMA" ? "a" : "mu", sampleRate: clockRate, channels };
		default:
			return null;
	}
}

/** RFC 6184 §8.1. Packetization mode 2 interleaves, which nobody sends. */
function h264Of(fmtp: string): Codec | null {
	const parameters = parseFmtp(fmtp);
	if (parameters.get("packetization-mode") === "2") return null;
	return withParameterSets({ name: "H264", sps: null, pps: null }, nalsOf(parameters.get("sprop-parameter-sets")));
}

/** RFC 7798 §7.1. */
function h265Of(fmtp: string): Codec {
	const parameters = parseFmtp(fmtp);
	const nals = ["sprop-vps", "sprop-sps", "sprop-pps"].flatMap((name) => nalsOf(parameters.get(name)));
	return withParameterSets({ name: "H265", vps: null, sps: null, pps: null }, nals);
}

/** RFC 3640 §4.1. Only a configuration and a layout that can be read make it more than something to pass through. */
function aacOf(fmtp: string, clockRate: number): Codec | null {
	const config = bytesOfHex(parseFmtp(fmtp).get("config") ?? "");
	return config === null || aacFormatOf(fmtp) === null ? null : mpeg4AudioOf(config, clockRate);
}

/** RFC 6416 §7.3. */
function latmOf(fmtp: string, clockRate: number): Codec | null {
	const format = latmFormatOf(fmtp);
	return format === null ? null : mpeg4AudioOf(format.layout.config, clockRate);
}

function mpeg4AudioOf(config: Uint8Array, clockRate: number): Codec | null {
	try {
		// The clock counts samples, of the core or with band replication. Frames could not be timed by another one.
		const { sampleRate } = parseAudioSpecificConfig(config);
		const countsSamples = clockRate === sampleRate || clockRate === sampleRate * 2;
		return countsSamples ? { name: "MPEG-4 Audio", config } : null;
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
}

/** What describes a codec in an SDP, packed as `createPacketizer` does; `null` for what is only passed through. */
export function describeCodec(codec: Codec, clockRate: number): { encoding: string; fmtp: string } | null {
	switch (codec.name) {
		case "H264": {
			const { sps, pps } = codec;
			const parameters = ["packetization-mode=1"];
			if (sps !== null && pps !== null) {
				parameters.push(`sprop-parameter-sets=${base64(sps)},${base64(pps)}`);
				parameters.push(`profile-level-id=${hexOf(sps.subarray(1, 4))}`);
			}
			return { encoding: `H264/${clockRate}`, fmtp: parameters.join("; ") };
		}
		case "H265": {
			const parameters: string[] = [];
			for (const set of ["vps", "sps", "pps"] as const) {
				const nal = codec[set];
				if (nal !== null) parameters.push(`sprop-${set}=${base64(nal)}`);
			}
			return { encoding: `H265/${clockRate}`, fmtp: parameters.join("; ") };
		}
		case "AV1":
		case "VP9":
		case "VP8":
			return { encoding: `${codec.name}/${clockRate}`, fmtp: "" };
		case "MPEG-4 Video":
			return { encoding: `MP4V-ES/${clockRate}`, fmtp: describeMpeg4Video(codec) };
		case "MPEG-1/2 Video":
			return { encoding: `MPV/${clockRate}`, fmtp: "" };
		case "M-JPEG":
			return { encoding: `JPEG/${clockRate}`, fmtp: "" };
		case "MPEG-4 Audio": {
			const { channels } = parseAudioSpecificConfig(codec.config);
			const { sizeBits, indexBits, indexDeltaBits } = AAC_HBR;
			return {
				encoding: `mpeg4-generic/${clockRate}/${channels}`,
				fmtp:
					`streamtype=5; profile-level-id=1; mode=AAC-hbr; sizelength=${sizeBits}; indexlength=${indexBits}; ` +
					`indexdeltalength=${indexDeltaBits}; config=${hexOf(codec.config)}`,
			};
		}
		case "Opus":
			return describeOpus(codec.channels);
		case "MPEG-1/2 Audio":
			return { encoding: `MPA/${clockRate}`, fmtp: "" };
		case "AC3":
			return { encoding: `AC3/${clockRate}/${codec.channels}`, fmtp: "" };
		case "G711":
			return { encoding: `${codec.law === "a" ? "PCMA" : "PCMU"}/${clockRate}${suffixOf(codec)}`, fmtp: "" };
		case "G722":
			return { encoding: `G722/${clockRate}${suffixOf(codec)}`, fmtp: "" };
		case "G726":
			return { encoding: `${codec.packing === "aal2" ? "AAL2-" : ""}G726-${codec.bitRate}/${clockRate}`, fmtp: "" };
		case "LPCM":
			return { encoding: `L${codec.bitDepth}/${clockRate}${suffixOf(codec)}`, fmtp: "" };
		case "KLV":
			return { encoding: `smpte336m/${clockRate}`, fmtp: "" };
		case "MPEG-TS":
			return { encoding: `MP2T/${clockRate}`, fmtp: "" };
		default:
			return null;
	}
}

/** One channel need not be told: RFC 3551 §4.1. */
function suffixOf({ channels }: { readonly channels: number }): string {
	return channels === 1 ? "" : `/${channels}`;
}

const MAX_PARAMETER_SETS = 16;

/** The NAL units of a list in base64. */
function nalsOf(list: string | undefined): Uint8Array[] {
	if (list === undefined || list.length > MAX_PARAMETER_TEXT) return [];
	const nals = list.split(",", MAX_PARAMETER_SETS).map((text) => new Uint8Array(Buffer.from(text, "base64")));
	return nals.filter((nal) => nal.length > 0);
}

function base64(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function hexOf(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex").toUpperCase();
}

/** A track as MediaMTX's API shows it: its codec, and what its parameter sets say. Pure. */

import { SluiceError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import { parseAudioSpecificConfig } from "../codecs/aac.ts";
import { parseH264Sps } from "../codecs/h264.ts";
import { parseH265Sps } from "../codecs/h265.ts";
import { parseFmtp } from "../rtp/fmtp.ts";
import type { Track } from "../stream/track.ts";

type CodecProps = Readonly<Record<string, number | string | boolean>>;

export type TrackJson = { readonly codec: string; readonly codecProps: CodecProps | null };

/** The codec by MediaMTX's name. AAC in LATM has one of its own. */
export function codecNameOf({ codec, rtp }: Track): string {
	const isLatm = codec.name === "MPEG-4 Audio" && /^MP4A-LATM\//i.test(rtp.encoding);
	return isLatm ? "MPEG-4 Audio LATM" : codec.name;
}

export function trackJson(track: Track): TrackJson {
	return { codec: codecNameOf(track), codecProps: propsOf(track) };
}

function propsOf(track: Track): CodecProps | null {
	const { codec } = track;
	switch (codec.name) {
		case "H264":
			return picture(codec.sps, h264Props);
		case "H265":
			return picture(codec.sps, h265Props);
		case "AV1": {
			// RTP payload format for AV1 §7.2.1
			const said = numbers(track, ["profile", "level-idx", "tier"]);
			return { width: 0, height: 0, profile: said[0] ?? 0, level: said[1] ?? 0, tier: said[2] ?? 0 };
		}
		case "VP9":
			return { profile: numbers(track, ["profile-id"])[0] ?? 0 };
		case "Opus":
			return { channelCount: codec.channels };
		case "MPEG-4 Audio":
			return codecNameOf(track) === codec.name ? aacProps(codec.config) : null;
		case "AC3":
			return { sampleRate: codec.sampleRate, channelCount: codec.channels };
		case "G711":
			return { muLaw: codec.law === "mu", sampleRate: codec.sampleRate, channelCount: codec.channels };
		case "LPCM":
			return { bitDepth: codec.bitDepth, sampleRate: codec.sampleRate, channelCount: codec.channels };
		default:
			return null;
	}
}

function picture(sps: Uint8Array | null, read: (sps: Uint8Array) => CodecProps): CodecProps {
	const nothing = { width: 0, height: 0, profile: "", level: "" };
	return sps === null ? nothing : (orNull(() => read(sps)) ?? nothing);
}

/** ITU-T H.264 §A.2. */
const H264_PROFILES: ReadonlyMap<number, string> = new Map([
	[66, "Baseline"],
	[77, "Main"],
	[88, "Extended"],
	[100, "High"],
	[110, "High 10"],
	[122, "High 4:2:2"],
	[244, "High 4:4:4 Predictive"],
]);

function h264Props(sps: Uint8Array): CodecProps {
	const { width, height, profile, level } = parseH264Sps(sps);
	return { width, height, profile: H264_PROFILES.get(profile) ?? String(profile), level: String(level / 10) };
}

/** ITU-T H.265 §A.3, from `general_profile_idc` 1 on. */
const H265_PROFILES: readonly string[] = [
	"Main",
	"Main 10",
	"Main Still Picture",
	"Range Extensions",
	"High Throughput",
	"Multiview Main",
	"Scalable Main",
	"3D Main",
	"Screen Content Coding Extensions",
	"Scalable Range Extensions",
];

function h265Props(sps: Uint8Array): CodecProps {
	const { width, height, profileTierLevel } = parseH265Sps(sps);
	const profile = u8(profileTierLevel, 0) & 0x1f;
	// Thirty times the level, §A.4.1.
	const level = u8(profileTierLevel, 11);
	return {
		width,
		height,
		profile: H265_PROFILES[profile - 1] ?? String(profile),
		level: level % 30 === 0 ? String(level / 30) : (level / 30).toFixed(1),
	};
}

function aacProps(config: Uint8Array): CodecProps {
	const aac = orNull(() => parseAudioSpecificConfig(config));
	return { sampleRate: aac?.sampleRate ?? 0, channelCount: aac?.channels ?? 0 };
}

function numbers({ rtp }: Track, keys: readonly string[]): (number | undefined)[] {
	const parameters = parseFmtp(rtp.fmtp);
	return keys.map((key) => {
		const text = parameters.get(key) ?? "";
		return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
	});
}

/** Publishers may send any bytes: what cannot be read is not told. */
function orNull<T>(read: () => T): T | null {
	try {
		return read();
	} catch (error) {
		if (error instanceof SluiceError) return null;
		throw error;
	}
}

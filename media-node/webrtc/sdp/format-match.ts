/** Which payload type of a viewer takes a track. Pure. */

import type { Codec, H264Codec, H265Codec } from "../../codecs/codec.ts";
import { numberOf, parseFmtp } from "../../rtp/fmtp.ts";
import type { Track } from "../../stream/track.ts";
import type { OfferedFormat } from "./offered-format.ts";

/** The best of the viewer's formats for a track; `null` when it takes none. */
export function matchFormat(track: Track, formats: readonly OfferedFormat[]): OfferedFormat | null {
	let best: OfferedFormat | null = null;
	let bestRank = Number.POSITIVE_INFINITY;
	for (const format of formats) {
		const rank = rankOf(track, format);
		if (rank === null || rank >= bestRank) continue;
		best = format;
		bestRank = rank;
	}
	return best;
}

/** How far a format is from what the track needs; 0 fits, `null` does not. */
function rankOf({ codec, rtp }: Track, format: OfferedFormat): number | null {
	const offered = format.codec;
	switch (codec.name) {
		case "H264":
			return offered.name === "H264" ? rankOfH264(profileOfH264(codec, rtp.fmtp), format.fmtp) : null;
		case "H265":
			return offered.name === "H265" ? sameNumber(profileOfH265(codec, rtp.fmtp), format.fmtp, "profile-id", 1) : null;
		case "VP8":
			return offered.name === "VP8" ? 0 : null;
		case "VP9":
			return offered.name === "VP9" ? sameParameter(rtp.fmtp, format.fmtp, "profile-id", 0) : null;
		case "AV1":
			return offered.name === "AV1" ? sameParameter(rtp.fmtp, format.fmtp, "profile", 0) : null;
		case "Opus":
			// One and two channels are the same format, RFC 7587 §7; more are in the order of Vorbis at both ends.
			return offered.name === "Opus" && Math.max(2, offered.channels) === Math.max(2, codec.channels) ? 0 : null;
		default:
			return isSame(codec, offered) ? 0 : null;
	}
}

/** G711, G722 and L16: nothing about them is negotiable. */
function isSame(codec: Codec, offered: Codec): boolean {
	const fields = new Set([...Object.keys(codec), ...Object.keys(offered)]);
	return [...fields].every((field) => fieldOf(codec, field) === fieldOf(offered, field));
}

function fieldOf(codec: Codec, field: string): unknown {
	return Object.entries(codec).find(([name]) => name === field)?.[1];
}

function sameParameter(ours: string, theirs: string, name: string, otherwise: number): number | null {
	return sameNumber(numberOf(parseFmtp(ours), name, otherwise), theirs, name, otherwise);
}

function sameNumber(ours: number, theirs: string, name: string, otherwise: number): number | null {
	return ours === numberOf(parseFmtp(theirs), name, otherwise) ? 0 : null;
}

type H264Profile = { readonly idc: number; readonly constraints: number; readonly level: number };

const BASELINE = 66;
const MAIN = 77;
const HIGH = 100;
/** Decoders of WebRTC are of High in truth, and some of its profiles are all that they offer. */
const COMMON_PROFILES: readonly number[] = [BASELINE, MAIN, HIGH];

/**
 * RFC 6184 §8.2.2: both ends use the same packetization mode, which must allow what is too large for a packet, and the
 * same profile. Among the profiles of which no decoder of WebRTC is known to fail, another one is taken where the same
 * one is not offered: else no picture of a camera, most of which are of Main or High, would show. The level may differ,
 * as it does with `level-asymmetry-allowed`.
 */
function rankOfH264(ours: H264Profile | null, fmtp: string): number | null {
	const parameters = parseFmtp(fmtp);
	if (parameters.get("packetization-mode") !== "1") return null;
	// RFC 6184 §8.1: Baseline of level 1 where nothing is said.
	const theirs = parseProfile(parameters.get("profile-level-id") ?? "42000a");
	if (theirs === null) return null;
	if (ours === null) return COMMON_PROFILES.includes(theirs.idc) ? 3 : null;
	const isLower = ours.level <= theirs.level;
	if (ours.idc === theirs.idc && isConstrained(ours) === isConstrained(theirs)) return isLower ? 0 : 1;
	if (!COMMON_PROFILES.includes(ours.idc) || !COMMON_PROFILES.includes(theirs.idc)) return null;
	const isSubset = isConstrained(ours) ? true : ours.idc !== BASELINE && ours.idc <= theirs.idc;
	return isSubset ? 2 : 3 + Math.abs(COMMON_PROFILES.indexOf(ours.idc) - COMMON_PROFILES.indexOf(theirs.idc));
}

/** Constrained Baseline: `constraint_set1_flag` of Baseline, ITU-T H.264 §A.2.1.1. */
function isConstrained({ idc, constraints }: H264Profile): boolean {
	return idc === BASELINE && (constraints & 0x40) !== 0;
}

/** From the parameter set, which is what is sent; from the description while there is none. */
function profileOfH264({ sps }: H264Codec, fmtp: string): H264Profile | null {
	const [, idc, constraints, level] = sps ?? [];
	if (idc !== undefined && constraints !== undefined && level !== undefined) return { idc, constraints, level };
	return parseProfile(parseFmtp(fmtp).get("profile-level-id") ?? "");
}

function parseProfile(text: string): H264Profile | null {
	if (!/^[0-9a-f]{6}$/i.test(text)) return null;
	const bits = Number.parseInt(text, 16);
	return { idc: bits >> 16, constraints: (bits >> 8) & 0xff, level: bits & 0xff };
}

/** `general_profile_idc`, ITU-T H.265 §7.3.3, after the NAL unit's header and one byte. */
function profileOfH265({ sps }: H265Codec, fmtp: string): number {
	const byte = sps?.[3];
	return byte === undefined ? numberOf(parseFmtp(fmtp), "profile-id", 1) : byte & 0x1f;
}

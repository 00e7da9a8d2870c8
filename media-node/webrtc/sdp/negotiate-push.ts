/** Offers the tracks of a stream to a WHIP server, RFC 9725 §4.2. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import type { Codec } from "../../codecs/codec.ts";
import { parseFmtp } from "../../rtp/fmtp.ts";
import { describeOpus } from "../../rtp/multiopus.ts";
import { STATIC_PAYLOAD_TYPES } from "../../rtp/static-payload-type.ts";
import type { Track } from "../../stream/track.ts";
import { AUDIO_FEEDBACK, type OfferedSection, offerOf, withRetransmissions } from "./client-offer.ts";
import { matchFormat } from "./format-match.ts";
import type { OutgoingTrack } from "./negotiate-read.ts";
import type { LocalTransport } from "./negotiation.ts";
import { agreedExtensions, extensionsToOffer, isCarried, offeredFormats, withoutParameters } from "./offered-format.ts";
import type { PayloadType, Sdp } from "./sdp.ts";

const EXTENSIONS = ["mid", "transportSequence"] as const;
const VIDEO_TYPE = 96;
const OTHER_VIDEO_TYPE = 98;
const AUDIO_TYPE = 111;
/** What every WHIP server knows. */
const CONSTRAINED_BASELINE = "42e01f";
const PARAMETER_SETS = ["sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"];

export type PushOptions = {
	readonly local: LocalTransport;
	/** RFC 7022; also names the media stream. */
	readonly cname: string;
	/** 32 bits by chance, other ones at each call. */
	readonly newSsrc: () => number;
};

/** A track that is offered, in the order of the sections. */
type Offered = {
	readonly track: Track;
	readonly ssrc: number;
	readonly rtxSsrc: number | null;
	readonly cname: string;
};

export type PushOffer = {
	readonly offer: Sdp;
	readonly offered: readonly Offered[];
	/** What WebRTC does not carry, or has enough of. */
	readonly leftOut: readonly Track[];
};

/**
 * Offers the first video and the first audio that WebRTC carries.
 * @throws ProtocolError `media.unsupported` when there is neither
 */
export function pushOffer(tracks: readonly Track[], { local, cname, newSsrc }: PushOptions): PushOffer {
	const kinds = ["video", "audio"] as const;
	const chosen = kinds.flatMap((kind) => tracks.find((track) => track.kind === kind && isCarried(track.codec)) ?? []);
	if (chosen.length === 0) {
		const names = tracks.map(({ codec }) => codec.name).join(", ");
		throw new ProtocolError("media.unsupported", `The stream has no codec that WebRTC carries: ${names}`);
	}
	const offered = chosen.map((track) => {
		return { track, ssrc: newSsrc(), rtxSsrc: track.kind === "video" ? newSsrc() : null, cname };
	});
	const leftOut = tracks.filter((track) => !chosen.includes(track));
	return { offer: offerOf(local, offered.map(sectionOf)), offered, leftOut };
}

/**
 * The tracks that the server takes.
 * @throws ProtocolError `media.unsupported` when it takes none
 */
export function pushedTracks({ offered }: PushOffer, answer: Sdp): readonly OutgoingTrack[] {
	const tracks = offered.flatMap(({ track, ssrc, rtxSsrc, cname }, at): OutgoingTrack[] => {
		const section = answer.sections[at];
		if (section === undefined || section.port === 0) return [];
		if (section.direction !== "recvonly" && section.direction !== "sendrecv") return [];
		const format = matchFormat(track, offeredFormats(section));
		if (format === null) return [];
		const { ids } = agreedExtensions(section.extensions, EXTENSIONS);
		const { payloadType, feedback, rtx } = format;
		return [
			{
				...{ mid: `${at}`, track, payloadType, ssrc, cname, extensions: ids },
				rtxPayloadType: rtxSsrc === null ? null : (rtx?.payloadType ?? null),
				rtxSsrc: rtx === null ? null : rtxSsrc,
				hasNack: feedback.includes("nack"),
				hasTransportCc: feedback.includes("transport-cc") && ids.transportSequence > 0,
				hasRemb: feedback.includes("goog-remb"),
			},
		];
	});
	if (tracks.length > 0) return tracks;
	const names = offered.map(({ track }) => track.codec.name).join(", ");
	throw new ProtocolError("media.unsupported", `The server takes no codec of the stream: ${names}`);
}

function sectionOf({ track, ssrc, rtxSsrc, cname }: Offered): OfferedSection {
	const msid = `${cname} ${track.kind}`;
	return {
		kind: track.kind === "video" ? "video" : "audio",
		direction: "sendonly",
		payloadTypes: track.kind === "video" ? videoTypes(track) : audioTypes(track),
		extensions: extensionsToOffer(...EXTENSIONS),
		msid,
		ssrcs: [ssrc, ...(rtxSsrc === null ? [] : [rtxSsrc])].map((each) => ({ ssrc: each, cname, msid })),
		ssrcGroups: rtxSsrc === null ? [] : [{ semantics: "FID", ssrcs: [ssrc, rtxSsrc] }],
	};
}

function videoTypes({ codec, rtp }: Track): PayloadType[] {
	if (codec.name !== "H264") return withRetransmissions(VIDEO_TYPE, rtp.encoding, bare(rtp.fmtp));
	const profile = hexOf(codec.sps) ?? parseFmtp(rtp.fmtp).get("profile-level-id") ?? CONSTRAINED_BASELINE;
	const fmtp = (level: string) => `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${level}`;
	// Decoders of WebRTC know every common profile, and servers often only the name of this one.
	return [
		...withRetransmissions(VIDEO_TYPE, rtp.encoding, fmtp(profile)),
		...(profile.slice(0, 4) === CONSTRAINED_BASELINE.slice(0, 4)
			? []
			: withRetransmissions(OTHER_VIDEO_TYPE, rtp.encoding, fmtp(CONSTRAINED_BASELINE))),
	];
}

function audioTypes({ codec, rtp }: Track): PayloadType[] {
	const { encoding, fmtp } = codec.name === "Opus" ? describedOpus(codec) : { encoding: rtp.encoding, fmtp: rtp.fmtp };
	const known = [...STATIC_PAYLOAD_TYPES].find(([, name]) => name.toUpperCase() === encoding.toUpperCase());
	return [{ payloadType: known?.[0] ?? AUDIO_TYPE, encoding, fmtp: bare(fmtp), feedback: AUDIO_FEEDBACK }];
}

function describedOpus({ channels }: Extract<Codec, { readonly name: "Opus" }>) {
	const { encoding, fmtp } = describeOpus(channels);
	return channels === 2 ? { encoding, fmtp: `minptime=10;stereo=1;${fmtp};useinbandfec=1` } : { encoding, fmtp };
}

/** Without blanks, and without parameter sets, which go with the key frames. */
function bare(fmtp: string): string {
	return withoutParameters(fmtp, ...PARAMETER_SETS)
		.replaceAll(/;\s+/g, ";")
		.trim();
}

/** `profile-level-id`: three bytes after the header of the NAL unit. RFC 6184 §8.1. */
function hexOf(sps: Uint8Array | undefined | null): string | null {
	return sps === undefined || sps === null || sps.length < 4 ? null : Buffer.from(sps.subarray(1, 4)).toString("hex");
}

/** Answers the offer of a viewer, draft-ietf-wish-whep §4.3. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import type { Track } from "../../stream/track.ts";
import { type FecFormat, sentFec } from "./fec-format.ts";
import { matchFormat } from "./format-match.ts";
import type { ExtensionIds } from "./header-extensions.ts";
import {
	acceptedSection,
	answerOf,
	type DataChannel,
	dataChannelOf,
	dataChannelSection,
	isOffered,
	type LocalTransport,
	type RemoteTransport,
	rejectedSection,
	remoteTransport,
} from "./negotiation.ts";
import {
	agreedExtensions,
	answeredPayloadTypes,
	isCarried,
	type OfferedFormat,
	offeredFormats,
	withoutParameters,
} from "./offered-format.ts";
import type { MediaSection, Sdp } from "./sdp.ts";

/** A track as a viewer gets it. */
export type OutgoingTrack = {
	readonly mid: string;
	/** Of the stream; how the viewer wants it is below. */
	readonly track: Track;
	readonly payloadType: number;
	/** Of retransmissions, RFC 4588; `null` when there are none, and so is its SSRC. */
	readonly rtxPayloadType: number | null;
	readonly ssrc: number;
	readonly rtxSsrc: number | null;
	readonly cname: string;
	/** The viewer asks again for what it lost: `a=rtcp-fb nack`. */
	readonly hasNack: boolean;
	/** It tells how packets arrive, draft-holmer-rmcat-transport-wide-cc-extensions: the header extension is agreed too. */
	readonly hasTransportCc: boolean;
	/** `a=rtcp-fb goog-remb` */
	readonly hasRemb: boolean;
	readonly extensions: ExtensionIds;
	/** How what is lost can be made of what is not; absent when the viewer knows no way. */
	readonly fec?: FecFormat;
	/** Of FlexFEC; absent without it. */
	readonly fecSsrc?: number;
};

/** A track as a viewer gets it over a data channel. */
export type DataTrack = {
	readonly channel: DataChannel;
	readonly track: Track;
	/** What the node is in DTLS. */
	readonly role: "client" | "server";
};

/** A track that a viewer does not get, and a sentence why. */
export type LeftOutTrack = { readonly track: Track; readonly reason: string };

export type ReadAgreement = {
	readonly answer: Sdp;
	readonly remote: RemoteTransport;
	/** One of video and one of audio at most. */
	readonly tracks: readonly OutgoingTrack[];
	readonly leftOut: readonly LeftOutTrack[];
	/** KLV, which goes over a data channel; `null` where the stream has none, or the viewer offers no channels. */
	readonly data: DataTrack | null;
};

export type ReadOptions = {
	readonly local: LocalTransport;
	/** RFC 7022: names the sender to tell which tracks belong together; also the name of the media stream. */
	readonly cname: string;
	/** 32 bits by chance, other ones at each call. RFC 3550 §8.1. */
	readonly newSsrc: () => number;
};

/**
 * Answers with the first video and the first audio of the stream that the viewer takes. Media that it asks for and that
 * are not there stay inactive.
 *
 * @throws InputError `input.invalid` for an offer that WHEP does not allow
 * @throws ProtocolError `media.unsupported` when it takes nothing of the stream
 */
export function answerViewer(offer: Sdp, tracks: readonly Track[], options: ReadOptions): ReadAgreement {
	const { local } = options;
	const remote = remoteTransport(offer);
	const outgoing: OutgoingTrack[] = [];
	const klv = tracks.find(({ codec }) => codec.name === "KLV");
	let data: DataTrack | null = null;
	const sections = offer.sections.map((section) => {
		const channel = klv === undefined || data !== null ? null : dataChannelOf(section);
		if (klv !== undefined && channel !== null) {
			data = { channel, track: klv, role: remote.setup === "active" ? "client" : "server" };
			return dataChannelSection(section, local, remote.setup);
		}
		if (!isAsked(section)) return idleSection(section, local, remote);
		const isTaken = outgoing.some(({ track }) => track.kind === section.kind);
		const match = isTaken ? null : firstMatch(section, tracks);
		if (match === null) return idleSection(section, local, remote);
		const { answer, sent } = answerMedia(section, match, remote, options);
		outgoing.push(sent);
		return answer;
	});
	const leftOut = tracks
		.filter((track) => (data === null || track !== klv) && !outgoing.some((sent) => sent.track === track))
		.map((track) => ({ track, reason: reasonOf(track, offer, outgoing) }));
	if (outgoing.length === 0 && data === null) {
		const names = [...new Set(tracks.map(nameOf))].join(", ");
		const reasons = leftOut.map(({ reason }) => reason).join("; ");
		throw new ProtocolError(
			"media.unsupported",
			`The stream has no codec that the viewer takes: ${names} (${reasons})`,
		);
	}
	return { answer: answerOf(offer, local, sections), remote, tracks: outgoing, leftOut, data };
}

function isAsked(section: MediaSection): boolean {
	const { kind, direction } = section;
	const isMedia = kind === "video" || kind === "audio";
	return isMedia && isOffered(section) && (direction === "recvonly" || direction === "sendrecv");
}

type Match = { readonly track: Track; readonly format: OfferedFormat };

function firstMatch(section: MediaSection, tracks: readonly Track[]): Match | null {
	const formats = offeredFormats(section);
	for (const track of tracks) {
		const format = track.kind === section.kind ? matchFormat(track, formats) : null;
		if (format !== null) return { track, format };
	}
	return null;
}

const EXTENSIONS = ["mid", "absSendTime", "transportSequence"] as const;

function answerMedia(
	section: MediaSection,
	{ track, format }: Match,
	remote: RemoteTransport,
	{ local, cname, newSsrc }: ReadOptions,
): { readonly answer: MediaSection; readonly sent: OutgoingTrack } {
	const { extensions, ids } = agreedExtensions(section.extensions, EXTENSIONS);
	const { payloadType, feedback } = format;
	const ssrc = newSsrc();
	const rtxSsrc = format.rtx === null ? null : newSsrc();
	const fec = sentFec(section, format);
	const fecSsrc = typeof fec?.format.flexfec === "number" ? newSsrc() : null;
	const repairs = [
		{ semantics: "FID", ssrc: rtxSsrc },
		{ semantics: "FEC-FR", ssrc: fecSsrc },
	].flatMap((repair) => (repair.ssrc === null ? [] : [{ ...repair, ssrc: repair.ssrc }]));
	const msid = `${cname} ${section.kind}`;
	const answer: MediaSection = {
		...acceptedSection(section, local, remote.setup),
		direction: "sendonly",
		payloadTypes: [...answeredPayloadTypes(format, answeredFmtp(track, format)), ...(fec?.payloadTypes ?? [])],
		extensions,
		rtcpMux: true,
		rtcpMuxOnly: true,
		rtcpReducedSize: section.rtcpReducedSize,
		msid,
		ssrcs: [ssrc, ...repairs.map((repair) => repair.ssrc)].map((each) => ({ ssrc: each, cname, msid })),
		ssrcGroups: repairs.map((repair) => ({ semantics: repair.semantics, ssrcs: [ssrc, repair.ssrc] })),
	};
	const sent: OutgoingTrack = {
		mid: section.mid,
		track,
		payloadType,
		rtxPayloadType: format.rtx?.payloadType ?? null,
		ssrc,
		rtxSsrc,
		cname,
		hasNack: feedback.includes("nack"),
		hasTransportCc: feedback.includes("transport-cc") && ids.transportSequence > 0,
		hasRemb: feedback.includes("goog-remb"),
		extensions: ids,
		...(fec === null ? {} : { fec: fec.format }),
		...(fecSsrc === null ? {} : { fecSsrc }),
	};
	return { answer, sent };
}

/** RFC 7587 §7.1: what is said of stereo is of one direction each. */
function answeredFmtp({ codec }: Track, { fmtp }: OfferedFormat): string {
	if (codec.name !== "Opus" || codec.channels > 2) return fmtp;
	const kept = withoutParameters(fmtp, "sprop-stereo", "sprop-maxcapturerate");
	if (codec.channels < 2) return kept;
	return kept === "" ? "sprop-stereo=1" : `${kept};sprop-stereo=1`;
}

/** Media without a track: inactive rather than rejected, so that the transport of the first section is there to stay. */
function idleSection(section: MediaSection, local: LocalTransport, remote: RemoteTransport): MediaSection {
	const [first] = section.payloadTypes;
	if (!isOffered(section) || first === undefined) return rejectedSection(section);
	return {
		...acceptedSection(section, local, remote.setup),
		direction: "inactive",
		payloadTypes: [{ ...first, feedback: [] }],
		rtcpMux: true,
		rtcpMuxOnly: true,
	};
}

function reasonOf(track: Track, offer: Sdp, outgoing: readonly OutgoingTrack[]): string {
	const name = nameOf(track);
	if (outgoing.some((sent) => sent.track.kind === track.kind))
		return `${name}: a viewer gets one track of ${track.kind}`;
	if (track.codec.name === "KLV") {
		const hasChannels = offer.sections.some((section) => dataChannelOf(section) !== null);
		return hasChannels ? "KLV: a viewer gets one track of it" : "KLV: the viewer offers no data channels";
	}
	if (!isCarried(track.codec)) return `${name}: WebRTC does not carry it`;
	const asked = offer.sections.filter((section) => isAsked(section) && section.kind === track.kind);
	if (asked.length === 0) return `${name}: the viewer asks for no ${track.kind}`;
	const taken = [...new Set(asked.flatMap(offeredFormats).map(({ encoding }) => encoding.split("/")[0]))].join(", ");
	return `${name}: of ${track.kind}, the viewer takes ${taken === "" ? "nothing that is known" : taken}`;
}

/** For people. */
function nameOf({ codec, rtp }: Track): string {
	if (codec.name === "Opus" && codec.channels > 2) return `Opus of ${codec.channels} channels`;
	return codec.name === "Generic" ? rtp.encoding : codec.name;
}

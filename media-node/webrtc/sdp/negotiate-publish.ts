/** Answers the offer of a publisher, RFC 9725 §4.2 and §4.4. Pure. */

import { InputError, ProtocolError } from "#shared/problem.ts";
import type { Codec } from "../../codecs/codec.ts";
import { parseFmtp } from "../../rtp/fmtp.ts";
import type { IncomingTrack } from "../receive/incoming-track.ts";
import { publishedFec } from "./fec-format.ts";
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
	type OfferedFormat,
	offeredFormats,
	withoutParameters,
} from "./offered-format.ts";
import type { MediaSection, Sdp } from "./sdp.ts";

/** A track of a publisher with the header extensions of its packets. */
export type PublishedMedia = IncomingTrack & { readonly extensions: ExtensionIds };

export type PublishAgreement = {
	readonly answer: Sdp;
	readonly remote: RemoteTransport;
	/** One of video and one of audio at most, in the order of the offer. */
	readonly media: readonly PublishedMedia[];
	/** `null` when there is none, or it was not to be accepted. */
	readonly dataChannel: DataChannel | null;
};

export type PublishOptions = { readonly local: LocalTransport; readonly acceptDataChannel: boolean };

/**
 * Answers with one codec for each media, the first of the offer that the node knows: a stream says what its tracks are
 * before their first packet. Media that cannot be met refuse the whole offer, RFC 9725 §4.4.3.
 *
 * @throws InputError `input.invalid` for an offer that WHIP does not allow
 * @throws ProtocolError `media.unsupported` when one of its media has no codec that is known
 */
export function answerPublisher(offer: Sdp, { local, acceptDataChannel }: PublishOptions): PublishAgreement {
	const remote = remoteTransport(offer);
	for (const kind of ["video", "audio"] as const) {
		if (offer.sections.filter((section) => isSent(section) && section.kind === kind).length < 2) continue;
		throw new InputError("input.invalid", `The offer has several tracks of ${kind}: publish one (RFC 9725 §4.4.2)`);
	}
	const media: PublishedMedia[] = [];
	let dataChannel: DataChannel | null = null;
	const sections = offer.sections.map((section) => {
		if (isSent(section)) {
			const { answer, published } = answerMedia(section, local, remote);
			media.push(published);
			return answer;
		}
		const channel = acceptDataChannel && dataChannel === null ? dataChannelOf(section) : null;
		if (channel === null) return rejectedSection(section);
		dataChannel = channel;
		return dataChannelSection(section, local, remote.setup);
	});
	if (media.length === 0) {
		throw new InputError("input.invalid", "The offer sends neither video nor audio (a=sendonly): add a track");
	}
	return { answer: answerOf(offer, local, sections), remote, media, dataChannel };
}

function isSent(section: MediaSection): boolean {
	const { kind, direction } = section;
	const isMedia = kind === "video" || kind === "audio";
	return isMedia && isOffered(section) && (direction === "sendonly" || direction === "sendrecv");
}

function answerMedia(
	section: MediaSection,
	local: LocalTransport,
	remote: RemoteTransport,
): { readonly answer: MediaSection; readonly published: PublishedMedia } {
	const [format] = offeredFormats(section);
	if (format === undefined) {
		const names = [...new Set(section.payloadTypes.map(({ encoding }) => encoding.split("/")[0]))].join(", ");
		throw new ProtocolError(
			"media.unsupported",
			`The ${section.kind} of the offer is of no codec that is known: ${names}`,
		);
	}
	const { extensions, ids } = agreedExtensions(section.extensions, EXTENSIONS);
	const rids = sentLayers(section);
	const fec = publishedFec(section);
	const answer: MediaSection = {
		...acceptedSection(section, local, remote.setup),
		direction: "recvonly",
		payloadTypes: [...answeredPayloadTypes(format, answeredFmtp(format)), ...(fec?.payloadTypes ?? [])],
		extensions,
		rtcpMux: true,
		rtcpMuxOnly: true,
		rtcpReducedSize: section.rtcpReducedSize,
		rids: rids.map((id) => ({ id, direction: "recv" })),
		simulcast: rids.length === 0 ? null : { send: [], recv: rids.map((id) => [id]) },
	};
	const protection = fec === null ? {} : { fec: fec.format };
	return { answer, published: { ...publishedTrack(section, format), rids, extensions: ids, ...protection } };
}

/**
 * In kbit/s. Chromium begins with 300 and finds out by and by what the network carries, which takes it half a minute; what
 * is too much it takes back within a second.
 */
const START_BITRATE = "x-google-start-bitrate=2000";

function isPicture(name: Codec["name"]): boolean {
	return name === "H264" || name === "H265" || name === "VP8" || name === "VP9" || name === "AV1";
}

const EXTENSIONS = ["mid", "rid", "repairedRid", "absSendTime", "transportSequence"] as const;

/** What a section says of the track that its peer sends in a format. */
export function publishedTrack(section: MediaSection, format: OfferedFormat): Omit<IncomingTrack, "rids"> {
	const { payloadType, clockRate, encoding, fmtp, feedback, rtx } = format;
	return {
		mid: section.mid,
		track: {
			kind: section.kind === "video" ? "video" : "audio",
			codec: codecOf(format),
			clockRate,
			rtp: { payloadType, encoding, fmtp },
		},
		rtxPayloadType: rtx?.payloadType ?? null,
		hasNack: feedback.includes("nack"),
		keyFrameRequest: feedback.includes("nack pli") ? "pli" : feedback.includes("ccm fir") ? "fir" : null,
		ssrcs: sentSsrcs(section),
	};
}

/** Browsers say nothing of what they send, and send what the answer asks for: two channels. RFC 7587 §7.1. */
function codecOf({ codec, fmtp }: OfferedFormat): Codec {
	if (codec.name !== "Opus" || codec.channels > 2) return codec;
	return { name: "Opus", channels: parseFmtp(fmtp).get("sprop-stereo") === "0" ? 1 : 2 };
}

function answeredFmtp({ codec, fmtp }: OfferedFormat): string {
	if (codec.name === "Opus" && codec.channels <= 2) {
		const kept = withoutParameters(fmtp, "stereo", "sprop-stereo", "sprop-maxcapturerate");
		return kept === "" ? "stereo=1" : `${kept};stereo=1`;
	}
	const kept = withoutParameters(fmtp, "sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps");
	return [...(kept === "" ? [] : [kept]), ...(isPicture(codec.name) ? [START_BITRATE] : [])].join(";");
}

/** The layers in the order of `a=simulcast`, the first alternative of each, as far as `a=rid` knows them. RFC 8853 §5.3. */
function sentLayers({ simulcast, rids }: MediaSection): string[] {
	const sent = new Set(rids.filter(({ direction }) => direction === "send").map(({ id }) => id));
	const layers = (simulcast?.send ?? []).flatMap((alternatives) => alternatives.find((id) => sent.has(id)) ?? []);
	return [...new Set(layers)];
}

/** The SSRCs of media, each with that of its retransmissions, RFC 5576 §4.2. */
function sentSsrcs({ ssrcs, ssrcGroups }: MediaSection): { readonly ssrc: number; readonly rtx: number | null }[] {
	const repairs = new Map<number, number>();
	const secondary = new Set<number>();
	for (const { semantics, ssrcs: group } of ssrcGroups) {
		const [first, second] = group;
		if (first === undefined || second === undefined || semantics === "SIM") continue;
		if (semantics === "FID") repairs.set(first, second);
		secondary.add(second);
	}
	return ssrcs.filter(({ ssrc }) => !secondary.has(ssrc)).map(({ ssrc }) => ({ ssrc, rtx: repairs.get(ssrc) ?? null }));
}

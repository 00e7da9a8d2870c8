/** Asks a WHEP server for media, draft-ietf-wish-whep §4.2. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import { AUDIO_FEEDBACK, offerOf, withRetransmissions } from "./client-offer.ts";
import { type PublishedMedia, publishedTrack } from "./negotiate-publish.ts";
import type { LocalTransport } from "./negotiation.ts";
import { agreedExtensions, extensionsToOffer, offeredFormats } from "./offered-format.ts";
import type { MediaSection, PayloadType, Sdp } from "./sdp.ts";

/** Best first. Servers send what they have: decoding is left to others. */
const VIDEO: readonly (readonly [encoding: string, fmtp: string])[] = [
	["AV1/90000", "profile=0"],
	["VP9/90000", "profile-id=0"],
	["VP9/90000", "profile-id=2"],
	["VP8/90000", ""],
	["H265/90000", "level-id=186;profile-id=1;tier-flag=0;tx-mode=SRST"],
	["H265/90000", "level-id=186;profile-id=2;tier-flag=0;tx-mode=SRST"],
	["H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640034"],
	["H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d0034"],
	["H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034"],
	["H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=420034"],
];
const FIRST_VIDEO_TYPE = 96;

/** With the numbers of RFC 3551 §6 where there are any, and of the lower range of RFC 5761 §4. */
const AUDIO: readonly (readonly [payloadType: number, encoding: string, fmtp: string])[] = [
	[63, "opus/48000/2", "minptime=10;stereo=1;useinbandfec=1"],
	[62, "multiopus/48000/6", "channel_mapping=0,4,1,2,3,5;coupled_streams=2;num_streams=4"],
	[61, "multiopus/48000/8", "channel_mapping=0,6,1,2,3,4,5,7;coupled_streams=3;num_streams=5"],
	[9, "G722/8000", ""],
	[0, "PCMU/8000", ""],
	[8, "PCMA/8000", ""],
	[60, "PCMU/8000/2", ""],
	[59, "PCMA/8000/2", ""],
	[58, "L16/48000/2", ""],
	[57, "L16/48000/1", ""],
	[10, "L16/44100/2", ""],
	[11, "L16/44100/1", ""],
	[56, "L16/16000/1", ""],
	[55, "L16/8000/1", ""],
];

const EXTENSIONS = ["mid", "transportSequence"] as const;

/** Asks for one video and one audio. */
export function pullOffer(local: LocalTransport): Sdp {
	const extensions = extensionsToOffer(...EXTENSIONS);
	const video: PayloadType[] = VIDEO.flatMap(([encoding, fmtp], at) =>
		withRetransmissions(FIRST_VIDEO_TYPE + 2 * at, encoding, fmtp),
	);
	const audio: PayloadType[] = AUDIO.map(([payloadType, encoding, fmtp]) => {
		return { payloadType, encoding, fmtp, feedback: AUDIO_FEEDBACK };
	});
	return offerOf(local, [
		{ kind: "video", direction: "recvonly", payloadTypes: video, extensions },
		{ kind: "audio", direction: "recvonly", payloadTypes: audio, extensions },
	]);
}

/**
 * What a server may send by its answer: of each media, the formats that it may choose among, its best first.
 * @throws ProtocolError `media.unsupported` when it sends nothing that is known
 */
export function pulledMedia(offer: Sdp, answer: Sdp): readonly (readonly PublishedMedia[])[] {
	const media = answer.sections.flatMap((section, at) => {
		const formats = isSent(section) ? offeredFormats(section) : [];
		const asked = offer.sections[at]?.payloadTypes ?? [];
		const { ids } = agreedExtensions(section.extensions, EXTENSIONS);
		const choices = formats
			.filter((format) => asked.some(({ payloadType }) => payloadType === format.payloadType))
			.map((format) => ({ ...publishedTrack(section, format), rids: [], extensions: ids }));
		return choices.length === 0 ? [] : [choices];
	});
	if (media.length > 0) return media;
	throw new ProtocolError("media.unsupported", "The server sends no media of a codec that is known");
}

function isSent({ kind, port, direction }: MediaSection): boolean {
	return (kind === "video" || kind === "audio") && port > 0 && (direction === "sendonly" || direction === "sendrecv");
}

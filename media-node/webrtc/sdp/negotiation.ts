/** What offer and answer agree upon besides media: the transport, RFC 9143 and RFC 8842. Pure. */

import { InputError } from "#shared/problem.ts";
import type { LocalDescription, RemoteDescription } from "../transport/transport.ts";
import { type Candidate, parseCandidate } from "./candidate.ts";
import { EMPTY_SECTION, type Fingerprint, type IceCredentials, type MediaSection, type Sdp } from "./sdp.ts";

/** What the node tells of its end of the transport. */
export type LocalTransport = {
	/** 1 to 20 digits. */
	readonly sessionId: string;
	readonly ice: IceCredentials;
	readonly fingerprint: Fingerprint;
	/** All there are: the node does not trickle. */
	readonly candidates: readonly Candidate[];
};

/** What the node needs to know of the other end. */
export type RemoteTransport = {
	readonly ice: IceCredentials;
	/** Any of them may be that of the peer's certificate. */
	readonly fingerprints: readonly Fingerprint[];
	/** What the node is in DTLS; a server (`passive`) wherever the peer leaves it open. */
	readonly setup: "active" | "passive";
	/** The first ones; more may be trickled. */
	readonly candidates: readonly Candidate[];
};

/** A section of data channels that was accepted. */
export type DataChannel = {
	readonly mid: string;
	readonly sctpPort: number;
	/** Bytes; 64 KiB where the peer says nothing, RFC 8841 §6.1. */
	readonly maxMessageSize: number;
};

const DEFAULT_MAX_MESSAGE_SIZE = 65_536;
/** RFC 8841 §5: what all of WebRTC uses. */
export const OUR_SCTP_PORT = 5000;
/** The most that the node takes in one message. */
const OUR_MAX_MESSAGE_SIZE = 65_536;

/**
 * The peer's end of the transport, which all its sections have in common.
 *
 * @throws InputError `input.invalid` for an offer without BUNDLE, RTCP multiplexing, ICE or DTLS, or of an ICE-lite peer
 */
export function remoteTransport(offer: Sdp): RemoteTransport {
	const sections = offer.sections.filter(isOffered);
	const [first] = sections;
	if (first === undefined) throw invalid("has no media");
	const mids = sections.map(({ mid }) => mid);
	if (sections.length > 1) {
		if (new Set(mids).size < mids.length || mids.includes(""))
			throw invalid("has media without a name of their own (a=mid)");
		if (!mids.every((mid) => offer.bundle?.includes(mid))) throw invalid("does not bundle its media (a=group:BUNDLE)");
	}
	if (sections.some((section) => section.payloadTypes.length > 0 && !section.rtcpMux)) {
		throw invalid("does not multiplex RTP and RTCP (a=rtcp-mux)");
	}
	if (offer.iceLite) throw invalid("is of an ICE-lite peer, as the node is itself: one of the two must do full ICE");
	const { ice, fingerprints, setup } = first;
	if (ice === null) throw invalid("has no credentials of ICE (a=ice-ufrag, a=ice-pwd)");
	if (fingerprints.length === 0) throw invalid("has no fingerprint of a certificate (a=fingerprint)");
	if (setup === "holdconn") throw invalid("holds its connection back (a=setup:holdconn)");
	const candidates = sections.flatMap((section) => section.candidates);
	return { ice, fingerprints, setup: setup === "passive" ? "active" : "passive", candidates };
}

/** What an answer says of a transport. `sessionId`: 1 to 20 digits by chance. */
export function localTransportOf(description: LocalDescription, sessionId: string): LocalTransport {
	const { ufrag, pwd, fingerprint, candidates } = description;
	const parsed = candidates.flatMap((line) => parseCandidate(line.replace(/^candidate:/, "")) ?? []);
	return { sessionId, ice: { ufrag, pwd }, fingerprint, candidates: parsed };
}

/** What a transport is told of its peer: of several fingerprints, the one of the hash that browsers use. */
export function remoteDescriptionOf({ ice, fingerprints, setup }: RemoteTransport): RemoteDescription {
	const fingerprint = fingerprints.find(({ algorithm }) => algorithm === "sha-256") ?? fingerprints[0];
	if (fingerprint === undefined) throw new RangeError("A remote transport has at least one fingerprint");
	return { ...ice, fingerprint, setup: setup === "active" ? "passive" : "active" };
}

/** Says whether a section is there: `bundle-only` ones have port 0 in an offer, RFC 9143 §7.2.1. */
export function isOffered({ port, bundleOnly }: MediaSection): boolean {
	return port > 0 || bundleOnly;
}

/** The answer of these sections, one for each offered. */
export function answerOf(offer: Sdp, local: LocalTransport, sections: readonly MediaSection[]): Sdp {
	const mids = sections.filter(({ port }) => port > 0).map(({ mid }) => mid);
	return {
		sessionId: local.sessionId,
		sessionVersion: "1",
		bundle: offer.bundle === null ? null : mids,
		iceLite: true,
		extmapAllowMixed: offer.extmapAllowMixed,
		sections,
	};
}

/** What answers a section that is accepted, without its media. */
export function acceptedSection(
	offered: MediaSection,
	local: LocalTransport,
	setup: "active" | "passive",
): MediaSection {
	return {
		...EMPTY_SECTION,
		mid: offered.mid,
		kind: offered.kind,
		protocol: offered.protocol,
		formats: offered.formats,
		ice: local.ice,
		fingerprints: [local.fingerprint],
		setup,
		candidates: local.candidates,
		endOfCandidates: true,
	};
}

/** What answers a section that is not, RFC 3264 §6. */
export function rejectedSection({ mid, kind, protocol, formats, payloadTypes }: MediaSection): MediaSection {
	const first = payloadTypes.slice(0, 1).map((type) => ({ ...type, fmtp: "", feedback: [] }));
	return { ...EMPTY_SECTION, mid, kind, protocol, formats, payloadTypes: first, port: 0, direction: "inactive" };
}

/** The channel that a section offers; `null` when it offers none. */
export function dataChannelOf(section: MediaSection): DataChannel | null {
	const { mid, kind, formats, sctpPort, maxMessageSize } = section;
	if (!isOffered(section) || kind !== "application" || sctpPort === null) return null;
	if (!formats.includes("webrtc-datachannel")) return null;
	// RFC 8841 §6.1: 0 is no limit.
	const size = maxMessageSize === 0 ? Number.MAX_SAFE_INTEGER : (maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE);
	return { mid, sctpPort, maxMessageSize: size };
}

/** What answers a section of data channels. */
export function dataChannelSection(
	offered: MediaSection,
	local: LocalTransport,
	setup: "active" | "passive",
): MediaSection {
	return { ...acceptedSection(offered, local, setup), sctpPort: OUR_SCTP_PORT, maxMessageSize: OUR_MAX_MESSAGE_SIZE };
}

function invalid(why: string): InputError {
	return new InputError("input.invalid", `The offer cannot be met: it ${why}`);
}

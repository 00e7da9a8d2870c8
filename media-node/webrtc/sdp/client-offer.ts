/** What offers of ours, and the answers to them, say of the transport. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import type { LocalTransport, RemoteTransport } from "./negotiation.ts";
import { EMPTY_SECTION, type MediaSection, type PayloadType, type Sdp } from "./sdp.ts";

/** RFC 4585 §4.2, RFC 5104 §7.1, and two of libwebrtc. */
export const VIDEO_FEEDBACK = ["nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"] as const;
export const AUDIO_FEEDBACK = ["nack", "transport-cc"] as const;

/** What a section is about, to which the transport is added. */
export type OfferedSection = Pick<MediaSection, "kind" | "direction" | "payloadTypes" | "extensions"> &
	Partial<Pick<MediaSection, "msid" | "ssrcs" | "ssrcGroups">>;

/** An offer of all sections over one transport. Their mids are their places. RFC 8829 §5.2.1, RFC 8842 §5.2. */
export function offerOf(local: LocalTransport, sections: readonly OfferedSection[]): Sdp {
	return {
		sessionId: local.sessionId,
		sessionVersion: "1",
		bundle: sections.map((_section, at) => `${at}`),
		iceLite: false,
		extmapAllowMixed: false,
		sections: sections.map((section, at) => ({
			...EMPTY_SECTION,
			...section,
			mid: `${at}`,
			ice: local.ice,
			fingerprints: [local.fingerprint],
			setup: "actpass",
			rtcpMux: true,
			rtcpReducedSize: true,
			candidates: local.candidates,
			endOfCandidates: true,
		})),
	};
}

/** A payload type with its retransmissions, which have the next number. RFC 4588 §8.1. */
export function withRetransmissions(payloadType: number, encoding: string, fmtp: string): PayloadType[] {
	return [
		{ payloadType, encoding, fmtp, feedback: VIDEO_FEEDBACK },
		{ payloadType: payloadType + 1, encoding: "rtx/90000", fmtp: `apt=${payloadType}`, feedback: [] },
	];
}

/**
 * The peer's end of the transport, by its answer.
 * @throws ProtocolError `webrtc.failed` for an answer to something else, or without ICE, DTLS or BUNDLE
 */
export function transportOfAnswer(offer: Sdp, answer: Sdp): RemoteTransport {
	if (answer.sections.length !== offer.sections.length) throw failed("has other media than the offer");
	const sections = answer.sections.filter(({ port }) => port > 0);
	const [first] = sections;
	if (first === undefined) throw failed("takes no media of the offer");
	if (sections.length > 1 && !sections.every(({ mid }) => answer.bundle?.includes(mid))) {
		throw failed("does not bundle its media (a=group:BUNDLE)");
	}
	if (sections.some(({ rtcpMux }) => !rtcpMux)) throw failed("does not multiplex RTP and RTCP (a=rtcp-mux)");
	const { ice, fingerprints, setup } = first;
	if (ice === null) throw failed("has no credentials of ICE (a=ice-ufrag, a=ice-pwd)");
	if (fingerprints.length === 0) throw failed("has no fingerprint of a certificate (a=fingerprint)");
	if (setup === "holdconn") throw failed("holds its connection back (a=setup:holdconn)");
	const candidates = sections.flatMap((section) => section.candidates);
	// RFC 4145 §4: who says nothing begins.
	return { ice, fingerprints, setup: setup === "active" || setup === null ? "passive" : "active", candidates };
}

function failed(why: string): ProtocolError {
	return new ProtocolError("webrtc.failed", `The answer of the server cannot be used: it ${why}`);
}

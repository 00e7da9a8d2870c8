/** Writes session descriptions, RFC 8866, in the order of attributes that browsers use. Pure. */

import { candidateText } from "./candidate.ts";
import type { MediaSection, Sdp } from "./sdp.ts";

/** The text of a description, with CRLF. What comes from a peer is written as it was read, which has no line breaks. */
export function writeSdp(sdp: Sdp): string {
	const session = [
		"v=0",
		`o=- ${sdp.sessionId} ${sdp.sessionVersion} IN IP4 127.0.0.1`,
		"s=-",
		"t=0 0",
		...(sdp.bundle === null ? [] : [`a=group:${["BUNDLE", ...sdp.bundle].join(" ")}`]),
		...flag(sdp.extmapAllowMixed, "extmap-allow-mixed"),
		...flag(sdp.iceLite, "ice-lite"),
		"a=msid-semantic:WMS *",
	];
	return `${[...session, ...sdp.sections.flatMap(sectionLines)].join("\r\n")}\r\n`;
}

function sectionLines(section: MediaSection): string[] {
	const { kind, port, protocol, payloadTypes, ice, mid } = section;
	const carriesRtp = payloadTypes.length > 0;
	const formats = carriesRtp ? payloadTypes.map(({ payloadType }) => payloadType) : section.formats;
	return [
		`m=${kind} ${port} ${protocol} ${formats.join(" ")}`,
		"c=IN IP4 0.0.0.0",
		...(carriesRtp ? ["a=rtcp:9 IN IP4 0.0.0.0"] : []),
		...section.candidates.map((candidate) => `a=candidate:${candidateText(candidate)}`),
		...flag(section.endOfCandidates, "end-of-candidates"),
		...(ice === null ? [] : [`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`]),
		...(section.iceOptions.length === 0 ? [] : [`a=ice-options:${section.iceOptions.join(" ")}`]),
		...section.fingerprints.map(({ algorithm, value }) => `a=fingerprint:${algorithm} ${value}`),
		...(section.setup === null ? [] : [`a=setup:${section.setup}`]),
		...(mid === "" ? [] : [`a=mid:${mid}`]),
		...flag(section.bundleOnly, "bundle-only"),
		...rtpLines(section),
		...dataChannelLines(section),
	];
}

function dataChannelLines({ sctpPort, maxMessageSize }: MediaSection): string[] {
	return [
		...(sctpPort === null ? [] : [`a=sctp-port:${sctpPort}`]),
		...(maxMessageSize === null ? [] : [`a=max-message-size:${maxMessageSize}`]),
	];
}

function rtpLines(section: MediaSection): string[] {
	return [
		...section.extensions.map(
			({ id, uri, direction }) => `a=extmap:${id}${direction === null ? "" : `/${direction}`} ${uri}`,
		),
		`a=${section.direction}`,
		...(section.msid === null ? [] : [`a=msid:${section.msid}`]),
		...flag(section.rtcpMux, "rtcp-mux"),
		...flag(section.rtcpMuxOnly, "rtcp-mux-only"),
		...flag(section.rtcpReducedSize, "rtcp-rsize"),
		...section.payloadTypes.flatMap(({ payloadType, encoding, fmtp, feedback }) => [
			...(encoding === "" ? [] : [`a=rtpmap:${payloadType} ${encoding}`]),
			...feedback.map((text) => `a=rtcp-fb:${payloadType} ${text}`),
			...(fmtp === "" ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
		]),
		...section.rids.map(({ id, direction }) => `a=rid:${id} ${direction}`),
		...simulcastLines(section),
		...section.ssrcGroups.map(({ semantics, ssrcs }) => `a=ssrc-group:${[semantics, ...ssrcs].join(" ")}`),
		...section.ssrcs.flatMap(({ ssrc, cname, msid }) => [
			...(cname === "" ? [] : [`a=ssrc:${ssrc} cname:${cname}`]),
			...(msid === null ? [] : [`a=ssrc:${ssrc} msid:${msid}`]),
			...(cname === "" && msid === null ? [`a=ssrc:${ssrc}`] : []),
		]),
	];
}

function simulcastLines({ simulcast }: MediaSection): string[] {
	if (simulcast === null) return [];
	const list = (direction: "send" | "recv") =>
		simulcast[direction].length === 0
			? []
			: [`${direction} ${simulcast[direction].map((layer) => layer.join(",")).join(";")}`];
	return [`a=simulcast:${[...list("send"), ...list("recv")].join(" ")}`];
}

function flag(isSet: boolean, name: string): string[] {
	return isSet ? [`a=${name}`] : [];
}

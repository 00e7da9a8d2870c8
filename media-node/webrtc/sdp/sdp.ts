/**
 * A session description as plain data: the subset of RFC 8866, RFC 8839, RFC 8829 and RFC 8853 that WebRTC needs.
 * `sdp-parse.ts` reads it, `sdp-write.ts` writes it. What applies to the whole session, such as the credentials of ICE,
 * stands in each section.
 */

import type { Candidate } from "./candidate.ts";

/** As MediaMTX: many times what a browser with every codec sends. */
export const MAX_SDP_BYTES = 128 * 1024;
export const MAX_SDP_LINES = 4_096;
export const MAX_SECTIONS = 32;
/** All values that RFC 5761 §4 leaves. */
export const MAX_PAYLOAD_TYPES = 128;
/** Of one section, each: candidates, header extensions, SSRCs, groups of SSRCs, layers, fingerprints. */
export const MAX_CANDIDATES = 64;
export const MAX_EXTENSIONS = 32;
export const MAX_SSRCS = 64;
export const MAX_SSRC_GROUPS = 32;
export const MAX_RIDS = 16;
export const MAX_FINGERPRINTS = 8;
/** Of one payload type. */
export const MAX_FEEDBACK = 16;
/** Of names, ICE credentials (256, RFC 8839 §5.4) and other words. */
export const MAX_WORD = 256;

export type Sdp = {
	/** Digits, up to 20: RFC 8866 §5.2. */
	readonly sessionId: string;
	readonly sessionVersion: string;
	/** Mids of the sections of the first group BUNDLE, RFC 9143; `null` when there is none. */
	readonly bundle: readonly string[] | null;
	readonly iceLite: boolean;
	/** RFC 8285 §6. */
	readonly extmapAllowMixed: boolean;
	readonly sections: readonly MediaSection[];
};

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";
export type DtlsSetup = "active" | "passive" | "actpass" | "holdconn";

/** RFC 8866 §8.2.1, and RFC 6466. */
export const MEDIA_KINDS = ["video", "audio", "application", "text", "message", "image"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

export type MediaSection = {
	/** Empty when there is none. */
	readonly mid: string;
	readonly kind: MediaKind;
	/** 0: rejected, unless it is `bundleOnly`. */
	readonly port: number;
	readonly bundleOnly: boolean;
	/** Such as `UDP/TLS/RTP/SAVPF`. */
	readonly protocol: string;
	readonly direction: Direction;
	/** In order of preference. Empty in a section that carries no RTP. */
	readonly payloadTypes: readonly PayloadType[];
	/** What stands in place of payload types in a section that carries no RTP, such as `webrtc-datachannel`. */
	readonly formats: readonly string[];
	readonly extensions: readonly HeaderExtension[];
	readonly ssrcs: readonly Ssrc[];
	readonly ssrcGroups: readonly SsrcGroup[];
	/** `a=msid`, RFC 8830: stream and track; `null` when there is none. */
	readonly msid: string | null;
	/** RFC 8851. */
	readonly rids: readonly Rid[];
	/** RFC 8853; `null` when there is none. */
	readonly simulcast: Simulcast | null;
	readonly ice: IceCredentials | null;
	/** Of `a=ice-options`. */
	readonly iceOptions: readonly string[];
	readonly fingerprints: readonly Fingerprint[];
	readonly setup: DtlsSetup | null;
	readonly rtcpMux: boolean;
	/** RFC 8858. */
	readonly rtcpMuxOnly: boolean;
	/** RFC 5506. */
	readonly rtcpReducedSize: boolean;
	readonly candidates: readonly Candidate[];
	readonly endOfCandidates: boolean;
	/** RFC 8841; `null` in a section that is no data channel. */
	readonly sctpPort: number | null;
	/** Bytes; `null` when it does not say. */
	readonly maxMessageSize: number | null;
};

export type PayloadType = {
	/** 0 to 127. */
	readonly payloadType: number;
	/** `a=rtpmap` after the payload type, or what RFC 3551 says of a static one; empty when neither is there. */
	readonly encoding: string;
	/** `a=fmtp` after the payload type; empty when there is none. */
	readonly fmtp: string;
	/** `a=rtcp-fb` after the payload type, such as `nack pli`. */
	readonly feedback: readonly string[];
};

export type HeaderExtension = {
	/** 1 to 255, RFC 8285. */
	readonly id: number;
	readonly uri: string;
	/** `null`: as the section. */
	readonly direction: Direction | null;
};

export type Ssrc = {
	readonly ssrc: number;
	/** Empty when it is not said. */
	readonly cname: string;
	/** Stream and track; `null` when it is not said. */
	readonly msid: string | null;
};

/** RFC 5576 §4.2. */
export type SsrcGroup = {
	/** Such as `FID`: a stream and what is sent again of it. */
	readonly semantics: string;
	readonly ssrcs: readonly number[];
};

export type Rid = { readonly id: string; readonly direction: "send" | "recv" };

/** Layers by preference; each is a list of alternatives. Whether a layer begins paused is left out. */
export type Simulcast = {
	readonly send: readonly (readonly string[])[];
	readonly recv: readonly (readonly string[])[];
};

export type IceCredentials = { readonly ufrag: string; readonly pwd: string };

export type Fingerprint = {
	/** In lower case, such as `sha-256`. */
	readonly algorithm: string;
	/** Capital hexadecimal with colons. */
	readonly value: string;
};

/** A section that says nothing, to begin with. */
export const EMPTY_SECTION: MediaSection = {
	mid: "",
	kind: "application",
	port: 9,
	bundleOnly: false,
	protocol: "UDP/TLS/RTP/SAVPF",
	direction: "sendrecv",
	payloadTypes: [],
	formats: [],
	extensions: [],
	ssrcs: [],
	ssrcGroups: [],
	msid: null,
	rids: [],
	simulcast: null,
	ice: null,
	iceOptions: [],
	fingerprints: [],
	setup: null,
	rtcpMux: false,
	rtcpMuxOnly: false,
	rtcpReducedSize: false,
	candidates: [],
	endOfCandidates: false,
	sctpPort: null,
	maxMessageSize: null,
};

/** The payload types of an offer that the node knows, each with what belongs to it. Pure. */

import type { Codec } from "../../codecs/codec.ts";
import { numberOf, parseFmtp } from "../../rtp/fmtp.ts";
import { formatOf } from "../../rtp/format.ts";
import { type ExtensionIds, NO_EXTENSIONS } from "./header-extensions.ts";
import type { HeaderExtension, MediaSection, PayloadType } from "./sdp.ts";

/** A payload type of an offer, with its codec. */
export type OfferedFormat = {
	readonly payloadType: number;
	readonly codec: Codec;
	/** Ticks per second. */
	readonly clockRate: number;
	readonly encoding: string;
	readonly fmtp: string;
	/** Of those that the node knows. */
	readonly feedback: readonly string[];
	/** The payload type of its retransmissions, RFC 4588 §8.1; `null` when it has none. */
	readonly rtx: PayloadType | null;
};

/** RFC 4585 §4.2, RFC 5104 §7.1, and two of libwebrtc. */
const FEEDBACK = ["nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"];
const VIDEO: readonly Codec["name"][] = ["H264", "H265", "VP8", "VP9", "AV1"];
const AUDIO: readonly Codec["name"][] = ["Opus", "G711", "G722", "LPCM"];

/** What WebRTC carries of a codec. L8 and L24 are known to no peer. */
export function isCarried(codec: Codec): boolean {
	if (codec.name === "LPCM") return codec.bitDepth === 16;
	return VIDEO.includes(codec.name) || AUDIO.includes(codec.name);
}

/** The formats of a section that the node knows, in its order. */
export function offeredFormats({ kind, payloadTypes }: MediaSection): OfferedFormat[] {
	const names = kind === "video" ? VIDEO : kind === "audio" ? AUDIO : [];
	return payloadTypes.flatMap(({ payloadType, encoding, fmtp, feedback }) => {
		const format = formatOf({ payloadType, rtpmap: encoding === "" ? null : encoding, fmtp });
		if (format === null || !names.includes(format.codec.name) || !isCarried(format.codec)) return [];
		const known = feedback.filter((text) => FEEDBACK.includes(text));
		return [{ ...format, payloadType, fmtp, feedback: known, rtx: rtxOf(payloadTypes, payloadType) }];
	});
}

function rtxOf(payloadTypes: readonly PayloadType[], payloadType: number): PayloadType | null {
	const isRtx = ({ encoding, fmtp }: PayloadType) =>
		/^rtx\//i.test(encoding) && numberOf(parseFmtp(fmtp), "apt", -1) === payloadType;
	return payloadTypes.find(isRtx) ?? null;
}

/** What answers a format: the two ends use the same numbers, and parameters that mean both directions. */
export function answeredPayloadTypes(
	{ payloadType, encoding, feedback, rtx }: OfferedFormat,
	fmtp: string,
): PayloadType[] {
	const own = { payloadType, encoding, fmtp, feedback };
	return rtx === null ? [own] : [own, { ...rtx, feedback: [] }];
}

/** Parameters without those of the names, such as parameter sets, which say what an offerer sends. */
export function withoutParameters(fmtp: string, ...names: string[]): string {
	const isKept = (part: string) => !names.includes((part.split("=", 1)[0] ?? "").trim().toLowerCase());
	return fmtp.split(";").filter(isKept).join(";");
}

const EXTENSIONS: Readonly<Record<keyof ExtensionIds, string>> = {
	mid: "urn:ietf:params:rtp-hdrext:sdes:mid",
	rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	repairedRid: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
	absSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	transportSequence: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
};

/** Header extensions to offer, numbered from 1. */
export function extensionsToOffer(...names: (keyof ExtensionIds)[]): HeaderExtension[] {
	return names.map((name, at) => ({ id: at + 1, uri: EXTENSIONS[name], direction: null }));
}

/** Greater ones need headers of two bytes, RFC 8285 §4.2. */
const MAX_ONE_BYTE_ID = 14;

/** Those of the header extensions offered that are asked for: as answered, and as numbers. */
export function agreedExtensions(
	offered: readonly HeaderExtension[],
	wanted: readonly (keyof ExtensionIds)[],
): { readonly extensions: HeaderExtension[]; readonly ids: ExtensionIds } {
	const found = wanted.flatMap((name) => {
		const extension = offered.find(({ uri, id }) => uri === EXTENSIONS[name] && id <= MAX_ONE_BYTE_ID);
		return extension === undefined ? [] : [{ name, extension: { ...extension, direction: null } }];
	});
	const ids = Object.fromEntries(found.map(({ name, extension }) => [name, extension.id]));
	return { extensions: found.map(({ extension }) => extension), ids: { ...NO_EXTENSIONS, ...ids } };
}

/**
 * The session description of a source, RFC 8866, read with patience: cameras write what they like, and the operator
 * cannot mend them. What a publisher sends to us is read by `sdp.ts`, strictly.
 */

import { ProtocolError } from "#shared/problem.ts";
import { formatOf } from "../rtp/format.ts";
import { STATIC_PAYLOAD_TYPES } from "../rtp/static-payload-type.ts";
import type { Track } from "../stream/track.ts";
import { MAX_MEDIA } from "./sdp.ts";
import { keyManagementOf } from "./secure.ts";

const MAX_LINES = 2048;
const MAX_FORMATS = 32;
const MAX_PAYLOAD_TYPE = 127;
/** Longer than any message of keys that can be used. */
const MAX_KEY_MANAGEMENT_LENGTH = 8 * 1024;
const VIDEO_CLOCK_RATE = 90_000;

export type SourceMedia = {
	/** The `a=control` of the section; empty when there is none. */
	readonly control: string;
	/** The address of `c=`, of the section or of the session; of a multicast group, perhaps. */
	readonly address: string | null;
	/** The port of the media line; 0 when there is none. */
	readonly port: number;
	/** What `a=key-mgmt:mikey` says, of the section or of the session, in base64; `null` when there is none. */
	readonly keyManagement: string | null;
	readonly track: Omit<Track, "index">;
};

export type SourceDescription = {
	/** The `a=control` of the session; empty when there is none. */
	readonly control: string;
	/** What can be set up. */
	readonly media: readonly SourceMedia[];
	/** What the source wants to be sent, when it was asked for it; those with a known codec first. */
	readonly backChannels: readonly SourceMedia[];
	/** Why some media is left out: a sentence for the log each. */
	readonly skipped: readonly string[];
};

type Section = { readonly media: string; readonly attributes: Attribute[]; address: string | null };
type Attribute = { readonly name: string; readonly value: string };

/**
 * `isTls`: it came over TLS, which covers media that is interleaved with it, and the keys of SRTP that comes beside it.
 * `isAsked`: the source knows that we want to talk to it.
 * @throws ProtocolError `media.unsupported` when there is no media that can be received, `bytes.limit`
 */
export function parseSourceDescription(text: string, isTls = false, isAsked = false): SourceDescription {
	const [session, ...sections] = sectionsOf(text) as [Section, ...Section[]];
	const skipped: string[] = [];
	const isBackChannel = backChannelsOf(sections, isAsked);
	const media: SourceMedia[] = [];
	const backChannels: SourceMedia[] = [];
	for (const [index, section] of sections.entries()) {
		const isBack = isBackChannel[index] === true;
		const found = isBack && !isAsked ? "is a channel to talk back" : mediaOf(section, session, isTls);
		if (typeof found === "string") skipped.push(`Media ${index} (m=${section.media.slice(0, 60)}) ${found}`);
		else (isBack ? backChannels : media).push(found);
	}
	if (media.length === 0) {
		throw new ProtocolError(
			"media.unsupported",
			["The source describes no media that can be received", ...skipped].join(". "),
		);
	}
	backChannels.sort(knownFirst);
	return { control: attributeOf(session, "control") ?? "", media, backChannels, skipped };
}

/** The session's lines, and those of each media. */
function sectionsOf(text: string): Section[] {
	let current: Section = { media: "", attributes: [], address: null };
	const sections = [current];
	for (const raw of text.split(/\r\n|\n|\r/, MAX_LINES)) {
		const line = raw.trim();
		const match = /^([a-z])\s*=\s*(.*)$/i.exec(line);
		const value = match?.[2] ?? "";
		switch (match?.[1]?.toLowerCase()) {
			case "m":
				if (sections.length > MAX_MEDIA) {
					throw new ProtocolError("bytes.limit", `The source describes more than ${MAX_MEDIA} media`);
				}
				current = { media: value, attributes: [], address: null };
				sections.push(current);
				break;
			case "a": {
				const colon = value.indexOf(":");
				const name = colon === -1 ? value : value.slice(0, colon);
				current.attributes.push({
					name: name.trim().toLowerCase(),
					value: colon === -1 ? "" : value.slice(colon + 1).trim(),
				});
				break;
			}
			case "c":
				current.address = /^IN\s+IP[46]\s+([0-9a-f.:]+)/i.exec(value)?.[1] ?? null;
		}
	}
	return sections;
}

function attributeOf({ attributes }: Section, name: string): string | undefined {
	return attributes.find((attribute) => attribute.name === name)?.value;
}

/** Of several protocols of key management, MIKEY. RFC 4567 §3.1. */
function keysOf({ attributes }: Section): string | null {
	for (const { name, value } of attributes) {
		const message = name === "key-mgmt" ? keyManagementOf(value.slice(0, MAX_KEY_MANAGEMENT_LENGTH)) : null;
		if (message !== null) return message;
	}
	return null;
}

/**
 * ONVIF writes the direction as the client's: `sendonly` is a channel to talk back. Most cameras write either word for
 * what they send, so it only counts beside other audio that says the opposite; in an answer to who asked for the channel
 * (§5.3.1.1), already beside anything that does not say the same.
 */
function backChannelsOf(sections: readonly Section[], isAsked: boolean): boolean[] {
	const isAudio = ({ media }: Section) => /^audio\b/i.test(media);
	const says = (section: Section, word: string) => attributeOf(section, word) !== undefined;
	const isMeant = isAsked
		? sections.some((section) => !says(section, "sendonly"))
		: sections.some((section) => isAudio(section) && says(section, "recvonly"));
	return sections.map((section) => isMeant && isAudio(section) && says(section, "sendonly"));
}

/** What the section carries, or why it cannot be received. */
function mediaOf(section: Section, session: Section, isTls: boolean): SourceMedia | string {
	const [kind = "", port = "", profile = "", ...formats] = section.media.split(/\s+/);
	const match = /RTP\/(S?)AVPF?/i.exec(profile);
	if (match === null) return "is not RTP";
	if (match[1] !== "" && !isTls) {
		return "is encrypted (SRTP), which is only supported for rtsps:// sources: use that, or let it send plain RTP";
	}
	const track = formatsOf(section, formats)
		.map((payloadType) => trackOf(section, kind.toLowerCase(), payloadType))
		.filter((found) => found !== null)
		// Of several formats, one that is known; cameras send the first of them.
		.sort((a, b) => knownFirst({ track: a }, { track: b }))[0];
	if (track === undefined) return "has no payload type with a clock rate (a=rtpmap)";
	const portNumber = /^\d{1,5}/.exec(port)?.[0];
	return {
		control: attributeOf(section, "control") ?? "",
		address: section.address ?? session.address,
		port: portNumber === undefined ? 0 : Math.min(65_535, Number(portNumber)),
		keyManagement: keysOf(section) ?? keysOf(session),
		track,
	};
}

type OfTrack = { readonly track: Pick<Track, "codec"> };

function knownFirst(a: OfTrack, b: OfTrack): number {
	return Number(a.track.codec.name === "Generic") - Number(b.track.codec.name === "Generic");
}

/** The payload types of the media line; of its maps when it has none. */
function formatsOf(section: Section, formats: readonly string[]): number[] {
	const texts =
		formats.length > 0
			? formats
			: section.attributes.filter(({ name }) => name === "rtpmap").map(({ value }) => value.split(/\s+/, 1)[0] ?? "");
	return texts
		.slice(0, MAX_FORMATS)
		.filter((text) => /^\d{1,3}$/.test(text))
		.map(Number)
		.filter((type) => type <= MAX_PAYLOAD_TYPE);
}

function trackOf(section: Section, kind: string, payloadType: number): Omit<Track, "index"> | null {
	const about = (name: string) => {
		const found = section.attributes
			.filter((attribute) => attribute.name === name)
			.map(({ value }) => /^(\d{1,3})\s+(.*)$/.exec(value))
			.find((match) => Number(match?.[1]) === payloadType);
		return found?.[2]?.trim();
	};
	const fmtp = about("fmtp") ?? "";
	const format = formatOf({ payloadType, rtpmap: mapOf(about("rtpmap"), kind, payloadType), fmtp });
	if (format === null) return null;
	return {
		kind: kind === "video" || kind === "audio" ? kind : "application",
		codec: format.codec,
		clockRate: format.clockRate,
		rtp: { payloadType, encoding: format.encoding, fmtp },
	};
}

/** A map without spaces in it, and with the clock rate that a video has if it does not say one. */
function mapOf(rtpmap: string | undefined, kind: string, payloadType: number): string | null {
	const map = rtpmap
		?.replace(/\s*\/\s*/g, "/")
		.replace(/\/+$/, "")
		.split(/\s/, 1)[0];
	if (map === undefined || map === "") return null;
	if (map.includes("/")) return map;
	if (STATIC_PAYLOAD_TYPES.has(payloadType)) return null;
	return kind === "video" ? `${map}/${VIDEO_CLOCK_RATE}` : map;
}

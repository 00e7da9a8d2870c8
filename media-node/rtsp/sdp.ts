/** Session descriptions, RFC 8866: the part of them that RTSP needs. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import { formatOf } from "../rtp/format.ts";
import type { RtpFormat, Track } from "../stream/track.ts";
import { controlOf } from "./rtsp-url.ts";
import { keyManagementOf } from "./secure.ts";

export const MAX_MEDIA = 16;
const MAX_LINES = 1024;

/** What an announced media section carries. */
export type AnnouncedMedia = {
	/** The `a=control` of the section; empty when there is none. */
	readonly control: string;
	/** What `a=key-mgmt:mikey` says, in base64; `null` when there is none. */
	readonly keyManagement: string | null;
	readonly track: Omit<Track, "index">;
};

type Section = { readonly kind: string; readonly payloadTypes: readonly number[]; readonly attributes: string[] };

/**
 * Reads what a publisher announces: one track for each media section, by its first payload type.
 * @throws ProtocolError `rtsp.malformed`, `media.unsupported`, `bytes.limit`
 */
export function parseAnnouncement(text: string): AnnouncedMedia[] {
	const sections = parseSections(text);
	if (sections.length === 0) throw new ProtocolError("media.unsupported", "The session description has no media");
	return sections.map(mediaOf);
}

function parseSections(text: string): Section[] {
	const lines = text.split(/\r?\n/, MAX_LINES);
	if (lines[0]?.trim() !== "v=0")
		throw new ProtocolError("rtsp.malformed", "The body is not a session description: it does not begin with v=0");
	const sections: Section[] = [];
	for (const line of lines) {
		if (line.startsWith("m=")) {
			if (sections.length === MAX_MEDIA)
				throw new ProtocolError("bytes.limit", `The session description has more than ${MAX_MEDIA} media`);
			sections.push(parseMediaLine(line));
		} else if (line.startsWith("a=")) {
			sections.at(-1)?.attributes.push(line.slice(2).trim());
		}
	}
	return sections;
}

/** `m=<media> <port>[/<count>] <proto> <fmt> …`, RFC 8866 §5.14. */
function parseMediaLine(line: string): Section {
	const match = /^m=(\w+) +\d{1,5}(?:\/\d+)? +(\S+) +(.+)$/.exec(line.trim());
	const payloadTypes = (match?.[3] ?? "").split(/ +/).map((text) => (/^\d{1,3}$/.test(text) ? Number(text) : -1));
	if (match === null || payloadTypes.some((type) => type < 0 || type > 127)) {
		throw new ProtocolError(
			"rtsp.malformed",
			`The session description has a media line that cannot be read: ${line.slice(0, 80)}`,
		);
	}
	if (!/^RTP\/S?AVPF?$/i.test(match[2] ?? "")) {
		throw new ProtocolError(
			"media.unsupported",
			`The media protocol ${match[2]?.slice(0, 40)} is not supported: use RTP/AVP`,
		);
	}
	return { kind: match[1] ?? "", payloadTypes, attributes: [] };
}

function mediaOf(section: Section): AnnouncedMedia {
	const payloadType = section.payloadTypes[0] ?? 0;
	const about = (name: string) => {
		const prefix = `${name}:${payloadType} `;
		return section.attributes
			.find((attribute) => attribute.startsWith(prefix))
			?.slice(prefix.length)
			.trim();
	};
	const fmtp = about("fmtp") ?? "";
	const format = formatOf({ payloadType, rtpmap: about("rtpmap") ?? null, fmtp });
	if (format === null) {
		throw new ProtocolError(
			"media.unsupported",
			`The ${section.kind} media with payload type ${payloadType} has no a=rtpmap with a clock rate`,
		);
	}
	const { codec, clockRate, encoding } = format;
	return {
		keyManagement: keyManagementOf(
			section.attributes.find((attribute) => attribute.startsWith("key-mgmt:"))?.slice("key-mgmt:".length) ?? "",
		),
		control: section.attributes.find((attribute) => attribute.startsWith("control:"))?.slice("control:".length) ?? "",
		track: { kind: kindOf(section.kind), codec, clockRate, rtp: { payloadType, encoding, fmtp } },
	};
}

function kindOf(media: string): Track["kind"] {
	return media === "video" || media === "audio" ? media : "application";
}

export type DescriptionOptions = {
	/** One line. */
	readonly title: string;
	/** The reader came over IPv6, and is to open sockets of that family for UDP. */
	readonly isV6: boolean;
	/** The MIKEY message of a track, in base64, for readers that get SRTP; `null` for those that get RTP. */
	readonly keyOf: ((track: number) => string) | null;
	/** What the reader, who asked for that, can send; its media stands behind the tracks. */
	readonly backChannel?: RtpFormat | null;
};

/** Describes a stream to a reader. */
export function writeDescription(
	tracks: readonly Track[],
	{ title, isV6, keyOf, backChannel = null }: DescriptionOptions,
): string {
	const lines = [
		"v=0",
		"o=- 0 0 IN IP4 127.0.0.1",
		`s=${title}`,
		isV6 ? "c=IN IP6 ::" : "c=IN IP4 0.0.0.0",
		"t=0 0",
		"a=control:*",
		"a=range:npt=now-",
	];
	const add = (index: number, kind: string, rtp: RtpFormat, direction: string | null) => {
		const profile = keyOf === null ? "RTP/AVP" : "RTP/SAVP";
		lines.push(`m=${kind} 0 ${profile} ${rtp.payloadType}`, `a=rtpmap:${rtp.payloadType} ${rtp.encoding}`);
		if (rtp.fmtp !== "") lines.push(`a=fmtp:${rtp.payloadType} ${rtp.fmtp}`);
		// RFC 4567 §3.1.
		if (keyOf !== null) lines.push(`a=key-mgmt:mikey ${keyOf(index)}`);
		lines.push(`a=control:${controlOf(index)}`);
		if (direction !== null) lines.push(`a=${direction}`);
	};
	// ONVIF means the client's direction: a=sendonly on a track would be taken for a channel that the client sends on.
	for (const { index, kind, rtp } of tracks) add(index, kind, rtp, backChannel === null ? null : "recvonly");
	if (backChannel !== null) add(tracks.length, "audio", backChannel, "sendonly");
	return `${lines.join("\r\n")}\r\n`;
}

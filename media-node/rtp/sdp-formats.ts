/** What the media of a session description are, RFC 8866, without how they are transported or asked for. Pure. */

import { formatOf, type TrackFormat } from "./format.ts";

export const MAX_SDP_MEDIA = 16;
const MAX_LINES = 1024;
const MAX_PAYLOAD_TYPES = 32;

/** What one media section carries. */
export type SdpFormat = TrackFormat & {
	readonly kind: "video" | "audio" | "application";
	/** 0 to 127. */
	readonly payloadType: number;
	/** `a=fmtp` after the payload type; empty when there is none. */
	readonly fmtp: string;
};

type Section = { readonly line: string; readonly attributes: string[] };

/**
 * The format of each media section, in order, or a sentence why it has none. Of several payload types in a section the
 * first one counts whose codec is known. Sections after {@link MAX_SDP_MEDIA} are left out. Never throws.
 */
export function sdpFormats(text: string): (SdpFormat | string)[] {
	const sections: Section[] = [];
	for (const raw of text.split(/\r\n|\n|\r/, MAX_LINES)) {
		const line = raw.trim();
		if (line.startsWith("m=")) sections.push({ line: line.slice(2), attributes: [] });
		else if (line.startsWith("a=")) sections.at(-1)?.attributes.push(line.slice(2));
	}
	return sections.slice(0, MAX_SDP_MEDIA).map(formatOfSection);
}

/** `<media> <port>[/<count>] <proto> <fmt> …`, RFC 8866 §5.14. */
function formatOfSection({ line, attributes }: Section): SdpFormat | string {
	const [media = "", , protocol = "", ...types] = line.split(/\s+/);
	const shown = `m=${line.slice(0, 60)}`;
	if (!/^RTP\/AVPF?$/i.test(protocol)) return `${shown} is not plain RTP (RTP/AVP)`;
	const formats = types
		.slice(0, MAX_PAYLOAD_TYPES)
		.filter((type) => /^\d{1,3}$/.test(type) && Number(type) <= 127)
		.map((type) => formatOfType(kindOf(media), Number(type), attributes))
		.filter((format) => format !== null);
	const known = formats.find(({ codec }) => codec.name !== "Generic");
	return known ?? formats[0] ?? `${shown} has no payload type with a clock rate (a=rtpmap)`;
}

function formatOfType(kind: SdpFormat["kind"], payloadType: number, attributes: readonly string[]): SdpFormat | null {
	const about = (name: string) =>
		attributes
			.map((attribute) => /^([a-z]+):\s*(\d{1,3})\s+(.*)$/i.exec(attribute))
			.find((match) => match?.[1]?.toLowerCase() === name && Number(match[2]) === payloadType)?.[3]
			?.trim();
	const fmtp = about("fmtp") ?? "";
	const format = formatOf({ payloadType, rtpmap: about("rtpmap") ?? null, fmtp });
	return format === null ? null : { ...format, kind, payloadType, fmtp };
}

function kindOf(media: string): SdpFormat["kind"] {
	const kind = media.toLowerCase();
	return kind === "video" || kind === "audio" ? kind : "application";
}

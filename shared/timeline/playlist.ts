/** HLS playlists (RFC 8216, draft-pantos-hls-rfc8216bis) of a timeline record. Pure text. */

import type { Rendition, SegmentEntry, TimelineRecord } from "./record.ts";

export type MultivariantOptions = {
	/** The URL of a rendition's media playlist. */
	readonly urlOf: (renditionId: string) => string;
};

export type MediaOptions = {
	/** The URL of a media or init segment, by the `file` or `init` of its part. */
	readonly uriOf: (file: string) => string;
};

/** Segments in fragmented MP4: EXT-X-MAP without EXT-X-I-FRAMES-ONLY needs 6, and 7 is what players expect. */
const VERSION = 7;
/** What stands where a rendition has no segment. EXT-X-GAP tells players not to load it. */
const GAP_URI = "gap.m4s";

/**
 * The multivariant playlist: each video rendition with each group of audio renditions of one codec, which share a
 * group so that a player needs to know one codec of each kind. Without video, each audio rendition is a variant.
 */
export function renderMultivariant(record: TimelineRecord, { urlOf }: MultivariantOptions): string {
	const videos = record.renditions.filter((rendition) => rendition.kind === "video");
	const audios = record.renditions.filter((rendition) => rendition.kind === "audio");
	let text = `#EXTM3U\n#EXT-X-VERSION:${VERSION}\n#EXT-X-INDEPENDENT-SEGMENTS\n`;
	if (videos.length === 0) {
		for (const audio of audios) text += variant(audio, [], null, urlOf(audio.id));
		return text;
	}
	const groups = Map.groupBy(audios, (audio) => `audio-${audio.codecs.split(".", 1)[0]}`);
	for (const [group, members] of groups) {
		for (const [i, audio] of members.entries()) {
			const channels = audio.channels === undefined ? "" : `,CHANNELS="${audio.channels}"`;
			text +=
				`#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="${audio.id}",DEFAULT=${i === 0 ? "YES" : "NO"},` +
				`AUTOSELECT=YES${channels},URI="${urlOf(audio.id)}"\n`;
		}
	}
	for (const video of videos) {
		if (groups.size === 0) text += variant(video, [], null, urlOf(video.id));
		for (const [group, members] of groups) text += variant(video, members, group, urlOf(video.id));
	}
	return text;
}

/** An EXT-X-STREAM-INF and its URI. RFC 8216 §4.3.4.2: BANDWIDTH is of the largest combination that can be played. */
function variant(rendition: Rendition, audios: readonly Rendition[], group: string | null, url: string): string {
	const bandwidth = rendition.bandwidth + Math.max(0, ...audios.map((audio) => audio.bandwidth));
	const average = rendition.averageBandwidth + Math.max(0, ...audios.map((audio) => audio.averageBandwidth));
	const codecs = new Set([rendition.codecs, ...audios.map((audio) => audio.codecs)]);
	let text = `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},AVERAGE-BANDWIDTH=${average},CODECS="${[...codecs].join(",")}"`;
	if (rendition.width !== undefined && rendition.height !== undefined) {
		text += `,RESOLUTION=${rendition.width}x${rendition.height}`;
	}
	if (rendition.frameRate !== undefined) text += `,FRAME-RATE=${rendition.frameRate.toFixed(3)}`;
	if (group !== null) text += `,AUDIO="${group}"`;
	return `${text}\n${url}\n`;
}

/**
 * A rendition's media playlist; `null` when no segment of the window has the rendition.
 *
 * All renditions share their sequence numbers. Where tracks changed, a segment may lack this rendition: at the begin
 * of the window it is left out, and the playlist begins later; behind that it is an EXT-X-GAP of the same duration, so
 * that sequence numbers and time stay aligned.
 */
export function renderMedia(record: TimelineRecord, renditionId: string, { uriOf }: MediaOptions): string | null {
	const { window } = record;
	const begin = window.findIndex((entry) => Object.hasOwn(entry.parts, renditionId));
	const first = window[begin];
	if (first === undefined) return null;
	let discontinuitySequence = record.discontinuitySequence;
	for (let i = 0; i < begin; i++) if (window[i]?.discontinuity) discontinuitySequence++;

	let text =
		`#EXTM3U\n#EXT-X-VERSION:${VERSION}\n#EXT-X-TARGETDURATION:${record.targetDuration}\n` +
		`#EXT-X-MEDIA-SEQUENCE:${first.sequence}\n#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}\n` +
		"#EXT-X-INDEPENDENT-SEGMENTS\n";
	let init: string | null = null;
	for (let i = begin; i < window.length; i++) {
		const entry = window[i] as SegmentEntry;
		const part = entry.parts[renditionId];
		if (entry.discontinuity) text += "#EXT-X-DISCONTINUITY\n";
		if (part !== undefined && part.init !== init) {
			init = part.init;
			text += `#EXT-X-MAP:URI="${uriOf(init)}"\n`;
		}
		text += `#EXT-X-PROGRAM-DATE-TIME:${new Date(entry.startMs).toISOString()}\n`;
		if (part === undefined) text += `#EXT-X-GAP\n#EXTINF:${entry.duration.toFixed(6)},\n${GAP_URI}\n`;
		else text += `#EXTINF:${part.duration.toFixed(6)},\n${uriOf(part.file)}\n`;
	}
	return record.kind === "end" ? `${text}#EXT-X-ENDLIST\n` : text;
}

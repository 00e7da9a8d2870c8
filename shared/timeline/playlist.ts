/** HLS playlists (RFC 8216, draft-pantos-hls-rfc8216bis) of a timeline record. Pure text. */

import type { Rendition, SegmentEntry, TimelineRecord } from "./record.ts";

export type MultivariantOptions = {
	/** The URL of a rendition's media playlist. */
	readonly urlOf: (renditionId: string) => string;
};

export type MediaOptions = {
	/** The URL of a media or init segment, by the `file` or `init` of its part. */
	readonly uriOf: (file: string) => string;
	/** A delta update, if the playlist is long enough for one. */
	readonly isDelta?: boolean;
};

/** Segments in fragmented MP4: EXT-X-MAP without EXT-X-I-FRAMES-ONLY needs 6, and 7 is what players expect. */
const VERSION = 7;
/** What stands where a rendition has no segment. EXT-X-GAP tells players not to load it. */
const GAP_URI = "gap.m4s";

/**
 * The multivariant playlist: each video rendition with each group of audio renditions of one codec, which share a
 * group so that a player needs to know one codec of each kind. Without video, each audio rendition is a variant.
 */
export function renderMultivariant(record: Pick<TimelineRecord, "renditions">, { urlOf }: MultivariantOptions): string {
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

/** Playlists of at least so many target durations offer delta updates, which leave out what is older than half of that. */
const DELTA_FROM = 12;
/** RFC 8216bis §6.2.5.1: the skip boundary is at least six target durations. */
const SKIP_BOUNDARY = 6;
/** EXT-X-SKIP needs 9. */
const DELTA_VERSION = 9;

/**
 * A rendition's media playlist; `null` when no segment of the window has the rendition.
 *
 * All renditions share their sequence numbers. Where tracks changed, a segment may lack this rendition: at the begin
 * of the window it is left out, and the playlist begins later; behind that it is an EXT-X-GAP of the same duration, so
 * that sequence numbers and time stay aligned.
 */
export function renderMedia(record: TimelineRecord, renditionId: string, options: MediaOptions): string | null {
	const { window, targetDuration } = record;
	const begin = window.findIndex((entry) => Object.hasOwn(entry.parts, renditionId));
	const first = window[begin];
	if (first === undefined) return null;
	let discontinuitySequence = record.discontinuitySequence;
	for (let i = 0; i < begin; i++) if (window[i]?.discontinuity) discontinuitySequence++;
	const isEnded = record.kind === "end";
	const delta = isEnded ? null : deltaOf(window.slice(begin), targetDuration);
	const skipped = options.isDelta === true ? (delta?.skipped ?? 0) : 0;
	return renderList(
		{
			targetDuration,
			mediaSequence: first.sequence,
			discontinuitySequence,
			type: null,
			isEnded,
			canSkipUntil: delta?.canSkipUntil ?? null,
			skipped,
			entries: window.slice(begin + skipped),
			before: skipped === 0 ? null : (window[begin + skipped - 1] ?? null),
		},
		renditionId,
		options,
	);
}

export type Delta = {
	/** The skip boundary, in seconds. */
	readonly canSkipUntil: number;
	/** How many of the first segments are older. */
	readonly skipped: number;
};

/**
 * What a delta update of a playlist leaves out; `null` for one that is too short for any. `entries` are its last
 * segments, oldest first: all of them, or the last {@link DELTA_FROM} target durations and more.
 */
export function deltaOf(entries: readonly SegmentEntry[], targetDuration: number): Delta | null {
	const canSkipUntil = SKIP_BOUNDARY * targetDuration;
	let seconds = 0;
	let skipped = 0;
	for (let i = entries.length - 1; i >= 0; i--) {
		if (seconds < canSkipUntil) skipped = i;
		seconds += entries[i]?.duration ?? 0;
	}
	return skipped > 0 && seconds >= DELTA_FROM * targetDuration ? { canSkipUntil, skipped } : null;
}

/** A list of segments, as a media playlist shows it. */
export type MediaList = {
	readonly targetDuration: number;
	/** Of the first segment, even if it is skipped. */
	readonly mediaSequence: number;
	readonly discontinuitySequence: number;
	readonly type: "VOD" | "EVENT" | null;
	readonly isEnded: boolean;
	/** The skip boundary in seconds, of a playlist that offers delta updates. */
	readonly canSkipUntil: number | null;
	/** How many of the first segments this update leaves out. */
	readonly skipped: number;
	/** Those that it does not. */
	readonly entries: Iterable<SegmentEntry>;
	/** The last that is skipped. */
	readonly before: SegmentEntry | null;
};

/** Renders a media playlist. An update that skips says nothing of what players have already, RFC 8216bis §4.4.5.2. */
export function renderList(list: MediaList, renditionId: string, { uriOf }: Pick<MediaOptions, "uriOf">): string {
	let text =
		`#EXTM3U\n#EXT-X-VERSION:${list.canSkipUntil === null ? VERSION : DELTA_VERSION}\n` +
		`#EXT-X-TARGETDURATION:${list.targetDuration}\n` +
		(list.canSkipUntil === null ? "" : `#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=${list.canSkipUntil.toFixed(1)}\n`) +
		(list.type === null ? "" : `#EXT-X-PLAYLIST-TYPE:${list.type}\n`) +
		`#EXT-X-MEDIA-SEQUENCE:${list.mediaSequence}\n#EXT-X-DISCONTINUITY-SEQUENCE:${list.discontinuitySequence}\n` +
		"#EXT-X-INDEPENDENT-SEGMENTS\n";
	if (list.skipped > 0) text += `#EXT-X-SKIP:SKIPPED-SEGMENTS=${list.skipped}\n`;
	let init = list.before?.parts[renditionId]?.init ?? null;
	for (const entry of list.entries) {
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
	return list.isEnded ? `${text}#EXT-X-ENDLIST\n` : text;
}

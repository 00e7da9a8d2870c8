import type { PathName } from "#shared/path-name.ts";
import { ProtocolError } from "#shared/problem.ts";
import type { PublishRequest } from "../stream/publication.ts";
import { sameCodecs } from "../stream/same-format.ts";

type Tracks = PublishRequest["tracks"];

/**
 * Refuses a publisher that readers of the offline clip could not follow.
 *
 * @throws ProtocolError `media.unsupported`
 */
export function expectClipTracks(path: PathName, clip: Tracks, brought: Tracks): void {
	if (sameCodecs(clip, brought)) return;
	throw new ProtocolError(
		"media.unsupported",
		`${path} is always available as ${listOf(clip)}, but the publisher brings ${listOf(brought)}: ` +
			"publish just these tracks in this order, or change alwaysAvailableTracks or alwaysAvailableFile",
	);
}

function listOf(tracks: Tracks): string {
	return tracks.map(nameOf).join(" and ");
}

function nameOf({ codec, rtp: { encoding } }: Tracks[number]): string {
	if (codec.name !== "MPEG-4 Audio") return encoding;
	const config = codec.config.reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "");
	return `${encoding} (configuration ${config})`;
}

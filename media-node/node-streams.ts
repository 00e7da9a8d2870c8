/** What the parts of a node tell of its live streams. Part of the wiring. */

import type { Clock } from "#shared/clock.ts";
import { StreamHealth } from "./control/stream-health.ts";
import type { ReadingSession } from "./control/usage-report.ts";
import { isPackaged } from "./hls/track-packager.ts";
import type { LiveHls } from "./live-hls.ts";
import type { PathTable } from "./paths/path-table.ts";
import type { RtspServer } from "./rtsp/server.ts";
import type { Stream } from "./stream/stream.ts";
import type { Track } from "./stream/track.ts";
import type { Transcoders } from "./transcode/transcoders.ts";
import type { WebRtcServer } from "./webrtc/server.ts";

export type StreamParts = {
	readonly clock: Clock;
	readonly table: PathTable;
	readonly hls: LiveHls;
	readonly transcoders: Transcoders;
	readonly rtsp: () => RtspServer | null;
	readonly webrtc: () => WebRtcServer | null;
};

/** Begins to measure how streams fare. The table must have none yet. */
export function watchStreams({ clock, table, hls, transcoders, rtsp, webrtc }: StreamParts): StreamHealth {
	const health = new StreamHealth({
		clock,
		hlsOf: (path) => hls.factsOf(path),
		isInHls: (stream, track) => isInHls(stream, track, transcoders),
		webrtc: () => webrtc() !== null,
		lost: () => {
			const sessions = [...(rtsp()?.sessions() ?? []), ...(webrtc()?.sessions() ?? [])];
			return new Map(
				sessions.filter(({ state }) => state === "publish").map(({ id, packetsLost }) => [id, packetsLost]),
			);
		},
	});
	table.onStream(health);
	return health;
}

/** The sessions to which this node sends streams. */
export function readingSessions(rtsp: RtspServer | null, webrtc: WebRtcServer | null): ReadingSession[] {
	return [...(rtsp?.sessions() ?? []), ...(webrtc?.sessions() ?? [])].flatMap(({ id, path, state, bytesSent }) =>
		state === "read" && path !== null ? [{ id, path, bytesSent }] : [],
	);
}

/** Data is for other readers. */
function isInHls({ config }: Stream, track: Track, transcoders: Transcoders): boolean {
	if (track.kind === "application" || isPackaged(track)) return true;
	return track.kind === "audio" && config.audioTranscode && transcoders.canTake(track);
}

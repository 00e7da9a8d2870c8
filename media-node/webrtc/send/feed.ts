import { randomInt } from "node:crypto";
import { keyTrackOf } from "../../stream/batch-builder.ts";
import type { Track } from "../../stream/track.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import { SentReports } from "./sent-reports.ts";
import { type SendPath, TrackSender } from "./track-sender.ts";

/** One track on its way to the viewer. */
export type Lane = { readonly sender: TrackSender; readonly reports: SentReports };

/** What comes of one stream. */
export type Feed = {
	/** All of its tracks, with the newest parameter sets. */
	readonly stream: { readonly tracks: readonly Track[] };
	/** By track: where it goes, if anywhere. */
	readonly lanes: (Lane | undefined)[];
	/** By track: how its time stamps relate to the wall clock. */
	readonly reports: readonly SentReports[];
	/** The track whose key frames are waited for; -1 when there is none, or it is not sent. */
	readonly keyTrack: number;
};

/** The lanes of a stream to a viewer, each with numbers that begin anywhere. */
export function feedOf(stream: Feed["stream"], tracks: readonly OutgoingTrack[], path: SendPath): Feed {
	const reports = stream.tracks.map(({ clockRate }) => new SentReports(clockRate));
	const lanes = stream.tracks.map(({ index }): Lane | undefined => {
		const track = tracks.find(({ track: sent }) => sent.index === index);
		const own = reports[index];
		if (track === undefined || own === undefined) return undefined;
		return { sender: new TrackSender(track, path, randomInt(0x10000)), reports: own };
	});
	const video = keyTrackOf(stream.tracks);
	return {
		stream,
		lanes,
		reports,
		keyTrack: video !== undefined && lanes[video.index] !== undefined ? video.index : -1,
	};
}

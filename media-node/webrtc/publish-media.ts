/** What a WebRTC publisher sends, as long as its session lives. */

import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";
import type { PublishRequest, StreamTable } from "../stream/publication.ts";
import type { PeerFigures, PeerMedia, PeerSession } from "./peer-session.ts";
import { Incoming } from "./receive/incoming.ts";
import type { IncomingMedia } from "./receive/incoming-track.ts";
import type { WebRtcTransport } from "./transport/transport.ts";

export type PublishMediaOptions = {
	readonly table: StreamTable;
	readonly request: Omit<PublishRequest, "onEvicted" | "onKeyFrameNeeded">;
	/** In the order of the request's tracks. */
	readonly media: readonly IncomingMedia[];
	readonly transport: WebRtcTransport;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Publishes. @throws what {@link StreamTable.publish} throws */
export async function publishMedia(
	session: PeerSession,
	{ table, request, media, transport, clock, log }: PublishMediaOptions,
): Promise<PeerMedia> {
	let incoming: Incoming | null = null;
	const publication = await table.publish(
		{
			...request,
			publisher: { ...request.publisher, remoteAddress: session.remoteAddress },
			onEvicted: (reason) => session.end(reason),
			onKeyFrameNeeded: (track) => incoming?.keyFrameNeeded(track),
		},
		session.signal,
	);
	const flow = new Incoming({
		publication,
		tracks: media,
		clock,
		sendRtcp: (packet) => void transport.sendRtcp(packet),
		onWarning: (text) => log.warn({ path: request.path }, text),
	});
	incoming = flow;
	transport.onRtp = (packet) => flow.rtp(packet);
	transport.onRtcp = (packet) => flow.rtcp(packet);
	// What came while the path was being opened is gone, and with it the first key frame.
	flow.readerJoined();
	return {
		get figures() {
			return figuresOf(flow);
		},
		[Symbol.dispose]() {
			flow[Symbol.dispose]();
			publication.close();
		},
	};
}

function figuresOf({ statistics, keyFrameRequests }: Incoming): PeerFigures {
	const layers = statistics.flat();
	const published = layers.filter(({ isPublished }) => isPublished);
	// How long answers take is only known where something was asked.
	const roundTrips = published.filter(({ recovered }) => recovered > 0).map(({ rttMs }) => rttMs / 1000);
	return {
		packetsLost: published.reduce((sum, { lost }) => sum + lost, 0),
		packetsRepaired: published.reduce((sum, { recovered, recoveredByFec }) => sum + recovered + recoveredByFec, 0),
		recoveredByFec: published.reduce((sum, { recoveredByFec }) => sum + recoveredByFec, 0),
		jitter: Math.max(0, ...published.map(({ jitter }) => jitter)),
		roundTrip: roundTrips.length === 0 ? null : Math.max(...roundTrips),
		bitrate: Math.round(layers.reduce((sum, { bitrate }) => sum + bitrate, 0)),
		bitrateLimit: null,
		keyFrameRequests,
		freezes: 0,
		framesDiscarded: 0,
	};
}

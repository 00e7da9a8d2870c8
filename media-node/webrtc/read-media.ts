/** What a WebRTC viewer gets, as long as its session lives. */

import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import { readKlv } from "./data/klv-reader.ts";
import type { PeerMedia, PeerSession } from "./peer-session.ts";
import type { DataTrack, OutgoingTrack } from "./sdp/negotiate-read.ts";
import type { MadeSound } from "./send/made-sound.ts";
import { Outgoing } from "./send/outgoing.ts";
import type { WebRtcTransport } from "./transport/transport.ts";

export type ReadMediaOptions = {
	readonly stream: ReadableStreamOfPath;
	readonly tracks: readonly OutgoingTrack[];
	/** Sound of another stream, which is made for readers; `null` where there is none, or none is needed. */
	readonly sound: MadeSound | null;
	/** What goes over a data channel. */
	readonly data: DataTrack | null;
	/** Of the client, without the question mark. */
	readonly query: string;
	readonly transport: WebRtcTransport;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Begins to send. @throws what {@link ReadableStreamOfPath.readPackets} throws */
export function readMedia(
	session: PeerSession,
	{ stream, tracks, sound, data, query, transport, clock, log }: ReadMediaOptions,
): PeerMedia {
	const outgoing = new Outgoing({
		stream,
		tracks,
		...(sound === null ? {} : { sound }),
		renditions: () => stream.renditions,
		clock,
		sendRtp: (packet) => transport.sendRtp(packet),
		sendRtcp: (packet) => transport.sendRtcp(packet),
		askKeyFrame: (track) => stream.askKeyFrame(track),
		onEnd: (reason) => session.end(reason),
		onWarning: (text) => log.warn({ path: stream.path }, text),
	});
	const { id, remoteAddress } = session;
	const reader = { id, type: "webRTCSession", remoteAddress, query };
	const seats = new DisposableStack();
	try {
		seats.use(stream.readPackets(outgoing, reader));
		if (sound !== null) seats.use(sound.stream.readPackets(outgoing.sound, reader));
		if (data !== null) seats.use(readKlv({ stream, data, transport, clock, log }));
	} catch (error) {
		seats.dispose();
		outgoing[Symbol.dispose]();
		throw error;
	}
	transport.onRtcp = (packet) => outgoing.rtcp(packet);
	return {
		get figures() {
			const { tracks: sent, rttMs, bitrate, targetBitrate, freezes, discarded } = outgoing.statistics;
			return {
				packetsLost: sent.reduce((sum, { lost }) => sum + lost, 0),
				packetsRepaired: sent.reduce((sum, { retransmitted }) => sum + retransmitted, 0),
				jitter: Math.max(0, ...sent.map(({ jitter }) => jitter)),
				roundTrip: rttMs === null ? null : rttMs / 1000,
				bitrate: Math.round(bitrate),
				bitrateLimit: targetBitrate === null ? null : Math.round(targetBitrate),
				keyFrameRequests: sent.reduce((sum, track) => sum + track.keyFrameRequests, 0),
				freezes,
				framesDiscarded: discarded,
			};
		},
		[Symbol.dispose]() {
			seats.dispose();
			outgoing.bye();
			outgoing[Symbol.dispose]();
		},
	};
}

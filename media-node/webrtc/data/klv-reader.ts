/** KLV for a WebRTC viewer, over the data channel that MediaMTX has for it: named "KLV", in no order, a unit a message. */

import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../../log.ts";
import { joinedBehind } from "../../rtp/packetize/joined.ts";
import type { ReadableStreamOfPath } from "../../stream/publication.ts";
import type { UnitSink } from "../../stream/sink.ts";
import type { Track } from "../../stream/track.ts";
import type { Unit } from "../../stream/unit.ts";
import type { DataTrack } from "../sdp/negotiate-read.ts";
import { OUR_SCTP_PORT } from "../sdp/negotiation.ts";
import type { WebRtcTransport } from "../transport/transport.ts";
import { DataChannels, type OutgoingChannel } from "./data-channels.ts";

const LABEL = "KLV";

export type KlvOptions = {
	readonly stream: ReadableStreamOfPath;
	readonly data: DataTrack;
	readonly transport: Pick<WebRtcTransport, "onData" | "sendData">;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Sends each unit of one track as a message; what a slow viewer has no room for is left out. */
export class KlvSink implements UnitSink {
	readonly #track: Track;
	readonly #channel: Pick<OutgoingChannel, "send" | "state">;
	readonly #onDropped: () => void;
	#hasDropped = false;

	/** `onDropped`: a message had no room, or was longer than the viewer takes. Called at most once. */
	constructor(track: Track, channel: Pick<OutgoingChannel, "send" | "state">, onDropped: () => void) {
		this.#track = track;
		this.#channel = channel;
		this.#onDropped = onDropped;
	}

	begin(_tracks: readonly Track[]): void {}

	push({ track, frames }: Unit): void {
		if (track.index !== this.#track.index || frames.length === 0) return;
		const [first] = frames;
		const isSent = this.#channel.send(frames.length === 1 && first !== undefined ? first : joinedBehind(0, frames));
		const { state } = this.#channel;
		// What came before the channel is no loss of the viewer's.
		if (isSent || this.#hasDropped || state === "new" || state === "closed") return;
		this.#hasDropped = true;
		this.#onDropped();
	}

	pause(): void {}

	end(): void {}
}

/** Begins to send. @throws what {@link ReadableStreamOfPath.readUnits} throws */
export function readKlv({ stream, data, transport, clock, log }: KlvOptions): Disposable {
	const { channel, track, role } = data;
	const channels = new DataChannels({
		...{ role, clock, localPort: OUR_SCTP_PORT, remotePort: channel.sctpPort },
		maxMessageBytes: channel.maxMessageSize,
		send: (packet) => void transport.sendData(packet),
		onEnded: (failure) => {
			if (failure !== null) log.warn({ path: stream.path }, `A WebRTC reader gets no more KLV: ${failure}`);
		},
	});
	const sink = new KlvSink(track, channels.open(LABEL, { isOrdered: false }), () =>
		log.warn({ path: stream.path }, "A WebRTC reader misses KLV: it takes it too slowly, or in shorter messages"),
	);
	const seat = stream.readUnits(sink);
	transport.onData = (packet) => channels.receive(packet);
	channels.start();
	return {
		[Symbol.dispose]() {
			seat[Symbol.dispose]();
			transport.onData = () => {};
			channels.close();
		},
	};
}

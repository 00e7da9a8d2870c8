/** A publisher of MPEG-TS over RTP, as if it published what is in it: RFC 2250 §2. */

import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, SluiceError } from "#shared/problem.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import type { Publication, PublishRequest, StreamTable } from "./publication.ts";
import type { Track } from "./track.ts";
import { TsPublisher } from "./ts-publisher.ts";

export type MpegtsDemuxOptions = {
	readonly clock: Clock;
	/** The settings of a path, as they are now. */
	readonly configOf: (path: PathName) => Pick<PathConfig, "rtspDemuxMpegts"> | null;
};

/**
 * The same table, but that a publisher of one MPEG-TS track gets it taken apart where the path has `rtspDemuxMpegts`.
 * Its stream begins when the tracks are known; if that is refused, the publisher is thrown out by `onEvicted`.
 */
export function withMpegtsDemux(table: StreamTable, { clock, configOf }: MpegtsDemuxOptions): StreamTable {
	return {
		publish: (request, signal) => {
			const [track, ...others] = request.tracks;
			const isMpegts = track?.codec.name === "MPEG-TS" && others.length === 0;
			if (!isMpegts || configOf(request.path)?.rtspDemuxMpegts !== true) return table.publish(request, signal);
			return Promise.resolve(demuxedPublication(request, table, clock));
		},
		expectVacancy: (request) => table.expectVacancy(request),
		read: (path, signal, query) => table.read(path, signal, query),
	};
}

function demuxedPublication(request: PublishRequest, table: Pick<StreamTable, "publish">, clock: Clock): Publication {
	const closed = new AbortController();
	const publisher = new TsPublisher({
		clock,
		publish: (tracks) => table.publish({ ...request, tracks }, closed.signal),
		onFailed: (error) => request.onEvicted(reasonOf(error)),
	});
	return new DemuxedPublication(request.tracks, publisher, closed);
}

function reasonOf(error: unknown): SluiceError {
	if (error instanceof SluiceError) return error;
	return new GoneError("session.closed", "The stream could not be opened for a fault of ours", { cause: error });
}

class DemuxedPublication implements Publication {
	readonly tracks: readonly Track[];
	readonly #publisher: TsPublisher;
	readonly #closed: AbortController;
	readonly #packet = newRtpPacket();

	constructor(tracks: PublishRequest["tracks"], publisher: TsPublisher, closed: AbortController) {
		this.tracks = tracks.map((track, index) => ({ ...track, index }));
		this.#publisher = publisher;
		this.#closed = closed;
	}

	writePacket(track: number, bytes: Uint8Array, offset: number, length: number): void {
		const packet = this.#packet;
		if (!readRtpPacket(packet, bytes, offset, length)) return;
		if (packet.payloadType !== this.tracks[track]?.rtp.payloadType) return;
		this.#publisher.push(bytes.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength));
	}

	flush(): void {
		this.#publisher.flush();
	}

	/** The time stamps inside have a clock of their own. */
	writeSenderReport(): void {}

	writeUnit(_track: number, { frames }: { readonly frames: readonly Uint8Array[] }): void {
		for (const frame of frames) this.#publisher.push(frame);
	}

	close(reason?: SluiceError): void {
		this.#publisher.close(reason);
		this.#closed.abort(reason);
	}
}

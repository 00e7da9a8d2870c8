/** What a recording session takes in: RTP and RTCP of a publisher, over TCP or UDP. */

import type { Clock } from "#shared/clock.ts";
import { ProtocolError, type SluiceError } from "#shared/problem.ts";
import type { Publication } from "../stream/publication.ts";
import { frameOf } from "./interleaved.ts";
import type { Peer } from "./peer.ts";
import { Reception } from "./reception.ts";
import type { Opener } from "./secure.ts";
import type { UnicastTransport } from "./transport.ts";
import type { UdpSockets } from "./udp.ts";

export type PublisherOptions = {
	readonly publication: Publication;
	/** One for each track of the publication, in its order. */
	readonly transports: readonly UnicastTransport[];
	/** What decrypts each track; `null` for one that comes in plain. */
	readonly openers: readonly (Opener | null)[];
	readonly peer: Peer;
	readonly udp: UdpSockets | null;
	readonly clock: Clock;
	readonly readTimeoutMs: number;
	/** The publisher cannot go on. Called at most once. */
	readonly onEnd: (reason: SluiceError) => void;
};

export class Publisher implements Disposable {
	readonly #options: PublisherOptions;
	readonly #reception: Reception;
	/** The track of each RTP channel, and the complement of the track of each RTCP channel; `undefined` for others. */
	readonly #channels: (number | undefined)[] = new Array<number | undefined>(256);
	readonly #routes: Disposable[] = [];
	#ended = false;

	/** @throws ProtocolError `rtsp.transport` when the client's UDP ports belong to another session */
	constructor(options: PublisherOptions) {
		this.#options = options;
		const { publication, transports, clock } = options;
		for (const { index } of publication.tracks) {
			if (transports[index] === undefined) throw new TypeError(`Cannot record: track ${index} has no transport`);
		}
		this.#reception = new Reception({
			publication,
			datagrams: transports.map(({ protocol }) => protocol === "udp"),
			clock,
			sendReport: (track, packet) => this.#sendReport(track, packet),
		});
		try {
			for (const [track, transport] of transports.entries()) this.#route(track, transport);
		} catch (error) {
			for (const route of this.#routes) route[Symbol.dispose]();
			throw error;
		}
	}

	/** Packets that never came, over all tracks. */
	get packetsLost(): number {
		return this.#reception.packetsLost;
	}

	/** RTCP packets that could not be read. */
	get rtcpErrors(): number {
		return this.#reception.rtcpErrors;
	}

	/** What came over UDP, beside the session's connection. */
	get datagramBytes(): number {
		return this.#reception.datagramBytes;
	}

	/** An interleaved frame. Those of one read end with {@link flush}. */
	frame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
		const track = this.#channels[channel];
		if (track === undefined || this.#ended) return;
		if (track >= 0) this.#rtp(track, bytes, offset, length);
		else this.#rtcp(~track, bytes, offset, length);
	}

	/** Ends what one read brought. */
	flush(): void {
		this.#reception.flush();
	}

	/** Looks after time: reports, and a publisher that has gone silent. Called about once a second. */
	tick(): void {
		if (this.#ended) return;
		const { readTimeoutMs } = this.#options;
		if (this.#reception.silentMs >= readTimeoutMs) {
			this.#finish(new ProtocolError("rtsp.timeout", `The publisher sent no media for ${readTimeoutMs} ms`));
			return;
		}
		this.#reception.tick();
	}

	/** Leaves the stream, which waits for another publisher. Idempotent. */
	close(reason?: SluiceError): void {
		this.#ended = true;
		this.#reception[Symbol.dispose]();
		for (const route of this.#routes.splice(0)) route[Symbol.dispose]();
		this.#options.publication.close(reason);
	}

	[Symbol.dispose](): void {
		this.close();
	}

	#route(track: number, transport: UnicastTransport): void {
		if (transport.protocol === "tcp") {
			this.#channels[transport.channels[0]] = track;
			this.#channels[transport.channels[1]] = ~track;
			return;
		}
		const { udp, peer } = this.#options;
		const [rtpPort, rtcpPort] = transport.clientPorts;
		const routes = [
			udp?.rtp.receive(peer.address, rtpPort, (bytes) => this.#datagram(track, bytes)),
			udp?.rtcp.receive(peer.address, rtcpPort, (bytes) => this.#rtcp(track, bytes, 0, bytes.length)),
		];
		for (const route of routes) {
			if (route == null) {
				throw new ProtocolError(
					"rtsp.transport",
					`The client ports ${rtpPort}-${rtcpPort} belong to another session; take others, or TCP`,
				);
			}
			this.#routes.push(route);
		}
	}

	#rtp(track: number, bytes: Uint8Array, offset: number, length: number): void {
		const opener = this.#options.openers[track] ?? null;
		if (opener === null) {
			this.#reception.rtp(track, bytes, offset, length);
			return;
		}
		const plain = opener.openRtp(bytes, offset, length);
		if (plain !== null) this.#reception.rtp(track, plain, 0, plain.length);
	}

	#datagram(track: number, bytes: Uint8Array): void {
		const opener = this.#options.openers[track] ?? null;
		const plain = opener === null ? bytes : opener.openRtp(bytes, 0, bytes.length);
		if (plain !== null) this.#reception.datagram(track, plain);
	}

	#rtcp(track: number, bytes: Uint8Array, offset: number, length: number): void {
		const opener = this.#options.openers[track] ?? null;
		if (opener === null) {
			this.#reception.rtcp(track, bytes, offset, length);
			return;
		}
		const plain = opener.openRtcp(bytes, offset, length);
		if (plain !== null) this.#reception.rtcp(track, plain, 0, plain.length);
	}

	#sendReport(track: number, report: Uint8Array): void {
		const opener = this.#options.openers[track] ?? null;
		const packet = opener === null ? report : opener.reports.sealRtcp(report);
		const { peer, udp, transports } = this.#options;
		const transport = transports[track];
		if (transport?.protocol === "tcp") peer.send(frameOf(transport.channels[1], packet));
		else if (transport?.protocol === "udp") udp?.rtcp.send(packet, peer.address, transport.clientPorts[1]);
	}

	#finish(reason: SluiceError): void {
		if (this.#ended) return;
		this.close(reason);
		this.#options.onEnd(reason);
	}
}

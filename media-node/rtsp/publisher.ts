/** What a recording session takes in: RTP and RTCP of a publisher, over TCP or UDP. */

import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { hasCode, ProtocolError, type SluiceError } from "#shared/problem.ts";
import { unixMsOf } from "../rtp/ntp.ts";
import { ReceptionStatistics, writeReceiverReport } from "../rtp/receiver-report.ts";
import { ReorderBuffer } from "../rtp/reorder.ts";
import { parseRtcp } from "../rtp/rtcp-packet.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import type { Publication } from "../stream/publication.ts";
import { frameOf } from "./interleaved.ts";
import type { Peer } from "./peer.ts";
import type { Transport } from "./transport.ts";
import type { UdpSockets } from "./udp.ts";

/** RFC 3550 §6.2: reports every five seconds or so. */
const REPORT_INTERVAL_MS = 5_000;

export type PublisherOptions = {
	readonly publication: Publication;
	/** One for each track of the publication, in its order. */
	readonly transports: readonly Transport[];
	readonly peer: Peer;
	readonly udp: UdpSockets | null;
	readonly clock: Clock;
	readonly readTimeoutMs: number;
	/** The publisher cannot go on. Called at most once. */
	readonly onEnd: (reason: SluiceError) => void;
};

/** How the packets of one track come in. */
type Reception = {
	readonly transport: Transport;
	readonly clockRate: number;
	readonly reorder: ReorderBuffer | null;
	statistics: ReceptionStatistics | null;
	ssrc: number;
};

export class Publisher implements Disposable {
	readonly #options: PublisherOptions;
	readonly #receptions: readonly Reception[];
	/** The track of each RTP channel, and the complement of the track of each RTCP channel; `undefined` for others. */
	readonly #channels: (number | undefined)[] = new Array<number | undefined>(256);
	readonly #routes: Disposable[] = [];
	readonly #packet = newRtpPacket();
	readonly #ssrc = randomBytes(4).readUInt32BE();
	readonly #cname = randomBytes(8).toString("hex");
	#lastPacketMs: number;
	#lastReportMs: number;
	#flushing: NodeJS.Immediate | null = null;
	#ended = false;
	/** RTCP packets that could not be read. */
	rtcpErrors = 0;
	/** What came over UDP, beside the session's connection. */
	datagramBytes = 0;

	/** @throws ProtocolError `rtsp.transport` when the client's UDP ports belong to another session */
	constructor(options: PublisherOptions) {
		this.#options = options;
		this.#lastPacketMs = options.clock.monotonic();
		this.#lastReportMs = this.#lastPacketMs;
		this.#receptions = options.publication.tracks.map((track, index) => {
			const transport = options.transports[index];
			if (transport === undefined) throw new TypeError(`Cannot record: track ${index} has no transport`);
			const reorder = transport.protocol === "udp" ? new ReorderBuffer() : null;
			return { transport, clockRate: track.clockRate, reorder, statistics: null, ssrc: 0 };
		});
		try {
			for (const [track, { transport }] of this.#receptions.entries()) this.#route(track, transport);
		} catch (error) {
			for (const route of this.#routes) route[Symbol.dispose]();
			throw error;
		}
	}

	/** Packets that never came, over all tracks. */
	get packetsLost(): number {
		return this.#receptions.reduce((sum, { statistics }) => sum + Math.max(0, statistics?.lost ?? 0), 0);
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
		if (!this.#ended) this.#options.publication.flush();
	}

	/** Looks after time: reports, and a publisher that has gone silent. Called about once a second. */
	tick(): void {
		if (this.#ended) return;
		const { clock, readTimeoutMs } = this.#options;
		const nowMs = clock.monotonic();
		for (const [track, { reorder }] of this.#receptions.entries()) {
			if (reorder !== null) this.#deliver(track, reorder.expire(nowMs));
		}
		if (nowMs - this.#lastPacketMs >= readTimeoutMs) {
			this.#finish(new ProtocolError("rtsp.timeout", `The publisher sent no media for ${readTimeoutMs} ms`));
			return;
		}
		if (nowMs - this.#lastReportMs < REPORT_INTERVAL_MS) return;
		this.#lastReportMs = nowMs;
		for (const reception of this.#receptions) this.#report(reception, nowMs);
	}

	/** Leaves the stream, which waits for another publisher. Idempotent. */
	close(reason?: SluiceError): void {
		this.#ended = true;
		if (this.#flushing !== null) clearImmediate(this.#flushing);
		for (const route of this.#routes.splice(0)) route[Symbol.dispose]();
		this.#options.publication.close(reason);
	}

	[Symbol.dispose](): void {
		this.close();
	}

	#route(track: number, transport: Transport): void {
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

	#datagram(track: number, bytes: Uint8Array): void {
		const reorder = this.#receptions[track]?.reorder;
		if (reorder == null || this.#ended) return;
		this.datagramBytes += bytes.length;
		this.#count(track, bytes, 0, bytes.length);
		this.#deliver(track, reorder.push(bytes, this.#options.clock.monotonic()));
	}

	/** Packets of UDP, in order. What one turn of the event loop brings is one read. */
	#deliver(track: number, packets: readonly Uint8Array[]): void {
		if (packets.length === 0) return;
		for (const packet of packets) this.#options.publication.writePacket(track, packet, 0, packet.length);
		this.#flushing ??= setImmediate(() => {
			this.#flushing = null;
			this.flush();
		});
	}

	#rtp(track: number, bytes: Uint8Array, offset: number, length: number): void {
		this.#count(track, bytes, offset, length);
		this.#options.publication.writePacket(track, bytes, offset, length);
	}

	#count(track: number, bytes: Uint8Array, offset: number, length: number): void {
		const reception = this.#receptions[track];
		const packet = this.#packet;
		const { clock } = this.#options;
		this.#lastPacketMs = clock.monotonic();
		if (reception === undefined || !readRtpPacket(packet, bytes, offset, length)) return;
		if (reception.statistics === null || reception.ssrc !== packet.ssrc) {
			reception.statistics = new ReceptionStatistics(packet.ssrc, reception.clockRate);
			reception.ssrc = packet.ssrc;
		}
		reception.statistics.received(packet.sequence, packet.timestamp, this.#lastPacketMs);
	}

	#rtcp(track: number, bytes: Uint8Array, offset: number, length: number): void {
		if (this.#ended) return;
		const { clock, publication } = this.#options;
		try {
			for (const packet of parseRtcp(bytes, offset, length)) {
				if (packet.type !== "SR") continue;
				publication.writeSenderReport(track, { wallclockMs: unixMsOf(packet.ntp), rtpTime: packet.rtpTime });
				this.#receptions[track]?.statistics?.senderReport(packet.ntp, clock.monotonic());
			}
		} catch (error) {
			if (!hasCode(error, "bytes.truncated", "bytes.malformed")) throw error;
			this.rtcpErrors++;
		}
	}

	#report({ transport, statistics }: Reception, nowMs: number): void {
		if (statistics === null) return;
		const { peer, udp } = this.#options;
		const packet = writeReceiverReport(this.#ssrc, [statistics.report(nowMs)], this.#cname);
		if (transport.protocol === "tcp") peer.send(frameOf(transport.channels[1], packet));
		else udp?.rtcp.send(packet, peer.address, transport.clientPorts[1]);
	}

	#finish(reason: SluiceError): void {
		if (this.#ended) return;
		this.close(reason);
		this.#options.onEnd(reason);
	}
}

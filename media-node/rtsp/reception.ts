/** How the RTP and RTCP of one session become packets of a publication: from a publisher, or from a source we pull. */

import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { hasCode } from "#shared/problem.ts";
import { unixMsOf } from "../rtp/ntp.ts";
import { ReceptionStatistics, writeReceiverReport } from "../rtp/receiver-report.ts";
import { ReorderBuffer } from "../rtp/reorder.ts";
import { parseRtcp } from "../rtp/rtcp-packet.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import type { Publication } from "../stream/publication.ts";

/** RFC 3550 §6.2: reports every five seconds or so. */
const REPORT_INTERVAL_MS = 5_000;

export type ReceptionOptions = {
	readonly publication: Publication;
	/** Of each track of the publication: its packets come as datagrams, and are to be put in order. */
	readonly datagrams: readonly boolean[];
	readonly clock: Clock;
	/** Of the reports; a new one if not told. */
	readonly ssrc?: number;
	/** Sends a receiver report to where the track comes from. Never throws. */
	readonly sendReport: (track: number, packet: Uint8Array) => void;
};

type TrackReception = {
	readonly clockRate: number;
	readonly reorder: ReorderBuffer | null;
	statistics: ReceptionStatistics | null;
	ssrc: number;
};

export class Reception implements Disposable {
	readonly #options: ReceptionOptions;
	readonly #tracks: readonly TrackReception[];
	readonly #packet = newRtpPacket();
	readonly #ssrc: number;
	readonly #cname = randomBytes(8).toString("hex");
	#lastPacketMs: number;
	#lastReportMs: number;
	#flushing: NodeJS.Immediate | null = null;
	#ended = false;
	/** RTCP packets that could not be read. */
	rtcpErrors = 0;
	/** What came as datagrams. */
	datagramBytes = 0;

	constructor(options: ReceptionOptions) {
		this.#options = options;
		this.#ssrc = options.ssrc ?? randomBytes(4).readUInt32BE();
		this.#lastPacketMs = options.clock.monotonic();
		this.#lastReportMs = this.#lastPacketMs;
		this.#tracks = options.publication.tracks.map(({ clockRate }, index) => ({
			clockRate,
			reorder: options.datagrams[index] === true ? new ReorderBuffer() : null,
			statistics: null,
			ssrc: 0,
		}));
	}

	/** Packets that never came, over all tracks. */
	get packetsLost(): number {
		return this.#tracks.reduce((sum, { statistics }) => sum + Math.max(0, statistics?.lost ?? 0), 0);
	}

	/** Since when there was no packet; since the beginning when there was none. */
	get silentMs(): number {
		return this.#options.clock.monotonic() - this.#lastPacketMs;
	}

	/** An RTP packet of a way that keeps the order. Those of one read end with {@link flush}. */
	rtp(track: number, bytes: Uint8Array, offset: number, length: number): void {
		if (this.#ended) return;
		this.#count(track, bytes, offset, length);
		this.#options.publication.writePacket(track, bytes, offset, length);
	}

	/** An RTP packet that came as a datagram; kept by reference. What one turn of the event loop brings is one read. */
	datagram(track: number, bytes: Uint8Array): void {
		const reorder = this.#tracks[track]?.reorder;
		if (reorder == null || this.#ended) return;
		this.datagramBytes += bytes.length;
		this.#count(track, bytes, 0, bytes.length);
		this.#deliver(track, reorder.push(bytes, this.#options.clock.monotonic()));
	}

	/** An RTCP packet, by whatever way it came. */
	rtcp(track: number, bytes: Uint8Array, offset: number, length: number): void {
		if (this.#ended) return;
		const { clock, publication } = this.#options;
		try {
			for (const packet of parseRtcp(bytes, offset, length)) {
				if (packet.type !== "SR") continue;
				publication.writeSenderReport(track, { wallclockMs: unixMsOf(packet.ntp), rtpTime: packet.rtpTime });
				this.#tracks[track]?.statistics?.senderReport(packet.ntp, clock.monotonic());
			}
		} catch (error) {
			if (!hasCode(error, "bytes.truncated", "bytes.malformed")) throw error;
			this.rtcpErrors++;
		}
	}

	/** Ends what one read brought. */
	flush(): void {
		if (!this.#ended) this.#options.publication.flush();
	}

	/** Gives up what is late, and sends reports when it is time. Called about once a second. */
	tick(): void {
		if (this.#ended) return;
		const nowMs = this.#options.clock.monotonic();
		for (const [track, { reorder }] of this.#tracks.entries()) {
			if (reorder !== null) this.#deliver(track, reorder.expire(nowMs));
		}
		if (nowMs - this.#lastReportMs < REPORT_INTERVAL_MS) return;
		this.#lastReportMs = nowMs;
		for (const [track, { statistics }] of this.#tracks.entries()) {
			if (statistics === null) continue;
			const packet = writeReceiverReport(this.#ssrc, [statistics.report(nowMs)], this.#cname);
			this.#options.sendReport(track, packet);
		}
	}

	/** Takes nothing more. The publication stays. Idempotent. */
	[Symbol.dispose](): void {
		this.#ended = true;
		if (this.#flushing !== null) clearImmediate(this.#flushing);
	}

	#deliver(track: number, packets: readonly Uint8Array[]): void {
		if (packets.length === 0) return;
		for (const packet of packets) this.#options.publication.writePacket(track, packet, 0, packet.length);
		this.#flushing ??= setImmediate(() => {
			this.#flushing = null;
			this.flush();
		});
	}

	#count(track: number, bytes: Uint8Array, offset: number, length: number): void {
		const reception = this.#tracks[track];
		const packet = this.#packet;
		this.#lastPacketMs = this.#options.clock.monotonic();
		if (reception === undefined || !readRtpPacket(packet, bytes, offset, length)) return;
		if (reception.statistics === null || reception.ssrc !== packet.ssrc) {
			reception.statistics = new ReceptionStatistics(packet.ssrc, reception.clockRate);
			reception.ssrc = packet.ssrc;
		}
		reception.statistics.received(packet.sequence, packet.timestamp, this.#lastPacketMs);
	}
}

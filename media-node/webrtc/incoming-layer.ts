import type { Ntp } from "../rtp/ntp.ts";
import { ReceptionStatistics } from "../rtp/receiver-report.ts";
import type { ReportBlock } from "../rtp/rtcp-packet.ts";
import type { RtpPacket } from "../rtp/rtp-packet.ts";
import type { LayerStatistics } from "./incoming-track.ts";
import { JitterBuffer, type JitterBufferOptions } from "./jitter-buffer.ts";
import { MAX_TRIES, NackGenerator } from "./nack-generator.ts";
import { RateMeter } from "./rate-meter.ts";

/** What a packet waits at least and at most for one that was asked for again. */
const MIN_WAIT_MS = 200;
const MAX_WAIT_MS = 500;
/** An answer is noticed this much later than the network takes. */
const WAIT_MARGIN_MS = 15;
/** What waits for packets that nobody asks for: they are late or lost. */
const REORDER_WAIT_MS = 60;

/** One encoding of a track: of a camera's picture there may be several, RFC 8853. It has one SSRC at a time. */
export class IncomingLayer {
	readonly rid: string;
	readonly #clockRate: number;
	readonly #hasNack: boolean;
	readonly jitter: JitterBuffer;
	readonly nack = new NackGenerator();
	readonly #rate = new RateMeter();
	#statistics: ReceptionStatistics;
	#jitterTicks = 0;
	ssrc: number;
	packets = 0;
	bytes = 0;
	lastPacketMs = Number.NEGATIVE_INFINITY;

	constructor(rid: string, ssrc: number, clockRate: number, hasNack: boolean, jitter: JitterBufferOptions) {
		this.rid = rid;
		this.ssrc = ssrc;
		this.#clockRate = clockRate;
		this.#hasNack = hasNack;
		this.#statistics = new ReceptionStatistics(ssrc, clockRate);
		this.jitter = new JitterBuffer(jitter);
	}

	/** What to tell the sender. Begins a new interval. */
	report(nowMs: number): ReportBlock {
		const report = this.#statistics.report(nowMs);
		this.#jitterTicks = report.jitter;
		return report;
	}

	/** Takes note of a sender report. */
	senderReport(ntp: Ntp, nowMs: number): void {
		this.#statistics.senderReport(ntp, nowMs);
	}

	/** How long packets wait for a missing one: as long as it takes to ask as often as it is asked for. */
	get waitMs(): number {
		if (!this.#hasNack) return REORDER_WAIT_MS;
		return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, MAX_TRIES * (this.nack.rttMs + WAIT_MARGIN_MS)));
	}

	/** The sender goes on with another source. */
	restart(ssrc: number): void {
		this.ssrc = ssrc;
		this.#statistics = new ReceptionStatistics(ssrc, this.#clockRate);
		this.rest();
	}

	/** Nobody waits for anything of this one any more. */
	rest(): void {
		this.jitter.reset();
		this.nack.reset();
	}

	/** Counts a packet that came; a retransmission counts neither for the rate nor for reports. */
	count(packet: RtpPacket, length: number, isRetransmission: boolean, nowMs: number): void {
		this.packets++;
		this.bytes += length;
		this.lastPacketMs = nowMs;
		// RFC 4588 §4: what is sent again belongs to another source. Senders also probe for bandwidth with it.
		if (isRetransmission) return;
		this.#rate.add(packet.payloadLength, nowMs);
		this.#statistics.received(packet.sequence, packet.timestamp, nowMs);
	}

	bitrate(nowMs: number): number {
		return this.#rate.bitrate(nowMs);
	}

	describe(isPublished: boolean, nowMs: number): LayerStatistics {
		const { rid, ssrc, packets, bytes } = this;
		const { asked, recovered, rttMs } = this.nack;
		// What was asked for came by another way, or was given up; of the others only the numbers tell.
		const lost = isPublished ? this.jitter.lost : Math.max(0, this.#statistics.lost);
		const jitter = this.#jitterTicks / this.#clockRate;
		const bitrate = this.bitrate(nowMs);
		return { rid, ssrc, isPublished, packets, bytes, bitrate, lost, jitter, recovered, asked, rttMs };
	}
}

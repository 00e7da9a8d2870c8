import type { Ntp } from "../../rtp/ntp.ts";
import { ReceptionStatistics } from "../../rtp/receiver-report.ts";
import type { ReportBlock } from "../../rtp/rtcp-packet.ts";
import type { RtpPacket } from "../../rtp/rtp-packet.ts";
import { RateMeter } from "../rate-meter.ts";
import type { LayerStatistics } from "./incoming-track.ts";
import { JitterBuffer, type JitterBufferOptions } from "./jitter-buffer.ts";
import { KeyFrameRequests } from "./key-frame-requests.ts";
import { MAX_TRIES, NackGenerator } from "./nack-generator.ts";

/** What a packet waits at least and at most for one that was asked for again. */
const MIN_WAIT_MS = 200;
const MAX_WAIT_MS = 500;
/** An answer is noticed this much later than the network takes. */
const WAIT_MARGIN_MS = 15;
/** What waits for packets that nobody asks for: they are late or lost. */
const REORDER_WAIT_MS = 60;

export type IncomingLayerOptions = JitterBufferOptions & {
	/** Empty when the track has one encoding. */
	readonly rid: string;
	readonly ssrc: number;
	readonly clockRate: number;
	readonly hasNack: boolean;
	/** Asks its sender for a key frame. */
	readonly askKeyFrame: () => void;
};

/** One encoding of a track: of a camera's picture there may be several, RFC 8853. It has one SSRC at a time. */
export class IncomingLayer {
	readonly rid: string;
	readonly #clockRate: number;
	readonly #hasNack: boolean;
	readonly jitter: JitterBuffer;
	readonly keyFrames: KeyFrameRequests;
	readonly nack = new NackGenerator();
	readonly #rate = new RateMeter();
	#statistics: ReceptionStatistics;
	#jitterTicks = 0;
	ssrc: number;
	packets = 0;
	/** Those without a payload, which only probe for bandwidth. */
	emptyPackets = 0;
	bytes = 0;
	/** Packets that did not come, and were made of others. */
	recoveredByFec = 0;
	lastPacketMs = Number.NEGATIVE_INFINITY;

	constructor({ rid, ssrc, clockRate, hasNack, deliver, onLost, askKeyFrame }: IncomingLayerOptions) {
		this.rid = rid;
		this.ssrc = ssrc;
		this.#clockRate = clockRate;
		this.#hasNack = hasNack;
		this.#statistics = new ReceptionStatistics(ssrc, clockRate);
		this.jitter = new JitterBuffer({ deliver, onLost });
		this.keyFrames = new KeyFrameRequests({ ask: askKeyFrame });
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

	/** `isPublished`: readers of the track get this one. */
	describe(isPublished: boolean, nowMs: number): LayerStatistics {
		const { rid, ssrc, packets, bytes, recoveredByFec } = this;
		const { asked, recovered, rttMs } = this.nack;
		const { lost } = this.jitter;
		const jitter = this.#jitterTicks / this.#clockRate;
		const bitrate = this.bitrate(nowMs);
		return { rid, ssrc, isPublished, packets, bytes, bitrate, lost, jitter, recovered, recoveredByFec, asked, rttMs };
	}
}

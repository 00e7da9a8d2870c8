import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { hasCode } from "#shared/problem.ts";
import { u16 } from "../../bytes/big-endian.ts";
import { unixMsOf } from "../../rtp/ntp.ts";
import { writeReceiverReport } from "../../rtp/receiver-report.ts";
import { parseRtcp, type ReportBlock } from "../../rtp/rtcp-packet.ts";
import { newRtpPacket, readRtpPacket } from "../../rtp/rtp-packet.ts";
import type { Publication } from "../../stream/publication.ts";
import { bFramesText } from "../picture-order-watch.ts";
import { writeFir, writeNack, writePli } from "../rtcp-feedback.ts";
import { findExtension, unitedExtensions } from "../sdp/header-extensions.ts";
import { makeBare, unwrapRetransmission } from "./bare-packet.ts";
import { FecInput } from "./fec-input.ts";
import { originalType } from "./incoming-payload-type.ts";
import type { IncomingMedia, LayerStatistics } from "./incoming-track.ts";
import { SourceTable } from "./source-table.ts";
import { TrackReceiver } from "./track-receiver.ts";
import { TRANSPORT_FEEDBACK_MS, TransportCc } from "./transport-cc.ts";

/** How often it is looked at what is missing. */
const TICK_MS = 10;
/** RFC 4585 §3.4 lets feedback be frequent; browsers send a report each second. */
const REPORT_INTERVAL_MS = 1_000;
/** What a report packet can hold. */
const MAX_REPORTS = 31;

export type IncomingOptions = {
	readonly publication: Publication;
	/** In the order of the publication's tracks. */
	readonly tracks: readonly IncomingMedia[];
	readonly clock: Clock;
	/** Sends a plain RTCP packet to the publisher. Never throws. */
	readonly sendRtcp: (packet: Uint8Array) => void;
	/** Something is wrong with what the publisher sends, and what to do about it. Called once for each track at most. */
	readonly onWarning: (text: string) => void;
};

/**
 * What comes from a WebRTC publisher, made packets of its publication: RTP and RTCP as they were decrypted. It asks
 * again for what is missing, tells when packets came, and asks for key frames.
 */
export class Incoming implements Disposable {
	readonly #options: IncomingOptions;
	readonly #receivers: readonly TrackReceiver[];
	readonly #sources: SourceTable;
	readonly #fec: FecInput;
	readonly #transportSequenceId: number;
	readonly #transportCc: TransportCc | null;
	readonly #packet = newRtpPacket();
	readonly #place = { offset: 0, length: 0 };
	readonly #ssrc = randomBytes(4).readUInt32BE();
	readonly #cname = randomBytes(8).toString("hex");
	readonly #timer: Disposable;
	#flushing: NodeJS.Immediate | null = null;
	#lastFeedbackMs: number;
	#lastReportMs: number;
	#lastPacketMs: number;
	#firCommand = 0;
	#ended = false;
	/** RTP packets that could not be read or belong to no track, and RTCP packets that could not be read. */
	rtpErrors = 0;
	rtcpErrors = 0;

	constructor(options: IncomingOptions) {
		this.#options = options;
		const { clock, publication, tracks } = options;
		const extensions = unitedExtensions(tracks.map((track) => track.extensions));
		this.#transportSequenceId = extensions.transportSequence;
		this.#receivers = tracks.map((incoming, index) => {
			return new TrackReceiver({
				incoming,
				index,
				publication,
				askKeyFrame: (ssrc, how) => this.#askKeyFrame(ssrc, how),
				askAgain: (ssrc, sequences) => this.#send(writeNack(this.#ssrc, ssrc, sequences)),
				onWritten: () => this.#flushSoon(),
				onReordered: () => options.onWarning(bFramesText(incoming.track.codec.name)),
			});
		});
		this.#sources = new SourceTable(this.#receivers, extensions);
		this.#fec = new FecInput(tracks, extensions);
		this.#transportCc = extensions.transportSequence > 0 ? new TransportCc() : null;
		this.#lastPacketMs = this.#lastReportMs = this.#lastFeedbackMs = clock.monotonic();
		this.#timer = clock.every(TICK_MS, () => this.#tick());
	}

	/** Since when no RTP packet came; since the beginning when none did. */
	get silentMs(): number {
		return this.#options.clock.monotonic() - this.#lastPacketMs;
	}

	/** Key frames that the publisher was asked for. */
	get keyFrameRequests(): number {
		return this.#receivers.reduce((sum, receiver) => sum + receiver.keyFrameRequests, 0);
	}

	/** Of each track, its encodings. */
	get statistics(): LayerStatistics[][] {
		const nowMs = this.#options.clock.monotonic();
		return this.#receivers.map((receiver) => receiver.describe(nowMs));
	}

	/** A decrypted RTP packet. Its bytes are changed, and only good for the time of the call. Never throws. */
	rtp(bytes: Uint8Array, offset = 0, length = bytes.length): void {
		const packet = this.#packet;
		if (this.#ended) return;
		if (!readRtpPacket(packet, bytes, offset, length)) {
			this.rtpErrors++;
			return;
		}
		const nowMs = this.#options.clock.monotonic();
		this.#lastPacketMs = nowMs;
		const place = this.#place;
		if (this.#transportCc !== null && findExtension(place, bytes, offset, length, this.#transportSequenceId)) {
			if (place.length >= 2) this.#transportCc.received(u16(bytes, place.offset), nowMs);
		}
		if (this.#fec.isFlexfec(packet)) {
			this.#fec.flexfec(packet, bytes, (ssrc) => this.#sources.known(ssrc), nowMs);
			return;
		}
		const source = this.#sources.find(packet, bytes, offset, length);
		if (source === null) {
			// Retransmissions probe for bandwidth before there is anything to send again.
			if (!this.#sources.isRetransmission(packet)) this.rtpErrors++;
			return;
		}
		const { receiver, layer, isRetransmission } = source;
		const { incoming } = receiver.options;
		if (isRetransmission) {
			const payloadType = originalType(incoming, packet.payloadType);
			if (!unwrapRetransmission(packet, bytes, payloadType, layer.ssrc)) return;
		}
		const mayBeProtected = incoming.fec !== undefined;
		if (mayBeProtected && !this.#fec.unwrap(source, packet, bytes, offset, offset + length, nowMs)) {
			this.rtpErrors++;
			return;
		}
		receiver.receive(layer, bytes, makeBare(packet, bytes), packet, length, isRetransmission, nowMs);
		if (mayBeProtected) this.#fec.repair(source, nowMs);
	}

	/** A decrypted RTCP packet. Never throws. */
	rtcp(bytes: Uint8Array, offset = 0, length = bytes.length): void {
		if (this.#ended) return;
		try {
			const nowMs = this.#options.clock.monotonic();
			for (const packet of parseRtcp(bytes, offset, length)) {
				if (packet.type !== "SR") continue;
				const source = this.#sources.known(packet.ssrc);
				if (source === null || source.isRetransmission) continue;
				source.layer.senderReport(packet.ntp, nowMs);
				source.receiver.senderReport(source.layer, unixMsOf(packet.ntp), packet.rtpTime);
			}
		} catch (error) {
			if (!hasCode(error, "bytes.truncated", "bytes.malformed")) throw error;
			this.rtcpErrors++;
		}
	}

	/** A reader came, and may need a key frame to begin with. */
	readerJoined(): void {
		const nowMs = this.#options.clock.monotonic();
		for (const receiver of this.#receivers) receiver.keyFrameNeeded(nowMs, true);
	}

	/** A reader lost pictures, or cannot begin: it needs a key frame. */
	keyFrameNeeded(track: number): void {
		this.#receivers[track]?.keyFrameNeeded(this.#options.clock.monotonic());
	}

	/** Takes nothing more, and has no timer. The publication stays. Idempotent. */
	[Symbol.dispose](): void {
		this.#ended = true;
		this.#timer[Symbol.dispose]();
		if (this.#flushing !== null) clearImmediate(this.#flushing);
		this.#flushing = null;
	}

	/** What one turn of the event loop brings is one read. */
	#flushSoon(): void {
		this.#flushing ??= setImmediate(() => {
			this.#flushing = null;
			this.#options.publication.flush();
			for (const receiver of this.#receivers) receiver.flush();
		});
	}

	#tick(): void {
		const nowMs = this.#options.clock.monotonic();
		for (const receiver of this.#receivers) receiver.tick(nowMs);
		if (nowMs - this.#lastFeedbackMs >= TRANSPORT_FEEDBACK_MS) {
			this.#lastFeedbackMs = nowMs;
			for (const packet of this.#transportCc?.feedback(this.#ssrc, this.#sources.latestSsrc, nowMs) ?? []) {
				this.#send(packet);
			}
		}
		if (nowMs - this.#lastReportMs >= REPORT_INTERVAL_MS) {
			this.#lastReportMs = nowMs;
			this.#report(nowMs);
			for (const receiver of this.#receivers) receiver.choose(nowMs);
		}
	}

	#report(nowMs: number): void {
		const reports: ReportBlock[] = [];
		for (const { layers } of this.#receivers) {
			for (const layer of layers) if (reports.length < MAX_REPORTS) reports.push(layer.report(nowMs));
		}
		if (reports.length > 0) this.#send(writeReceiverReport(this.#ssrc, reports, this.#cname));
	}

	#askKeyFrame(ssrc: number, how: "pli" | "fir"): void {
		if (how === "pli") {
			this.#send(writePli(this.#ssrc, ssrc));
		} else {
			this.#firCommand = (this.#firCommand + 1) & 0xff;
			this.#send(writeFir(this.#ssrc, ssrc, this.#firCommand));
		}
	}

	#send(packet: Uint8Array): void {
		if (!this.#ended) this.#options.sendRtcp(packet);
	}
}

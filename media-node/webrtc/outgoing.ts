import { randomInt } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { hasCode, type SluiceError } from "#shared/problem.ts";
import { u32 } from "../bytes/big-endian.ts";
import { parseRtcp, type ReportBlock, writeRtcp } from "../rtp/rtcp-packet.ts";
import { RTP_HEADER_BYTES } from "../rtp/rtp-packet.ts";
import { writeSenderReport } from "../rtp/sender-report.ts";
import { keyTrackOf } from "../stream/batch-builder.ts";
import { PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";
import type { PacketSink, SenderReport } from "../stream/sink.ts";
import type { Track } from "../stream/track.ts";
import { Bandwidth } from "./bandwidth.ts";
import { addToThinning, allowsPicture, drainThinning, newThinning } from "./frame-thinning.ts";
import type { OutgoingTrack } from "./negotiate-read.ts";
import type { OutgoingStatistics } from "./outgoing-track.ts";
import { lacksParameterSets, parameterSetPacket } from "./parameter-set-packet.ts";
import { bFramesText, watchPictureOrder } from "./picture-order-watch.ts";
import { RateMeter } from "./rate-meter.ts";
import { type Feedback, parseFeedback } from "./rtcp-feedback.ts";
import { SentReports } from "./sent-reports.ts";
import { type SendPath, TrackSender } from "./track-sender.ts";
import { parseTransportFeedback } from "./transport-feedback.ts";

const REPORT_INTERVAL_MS = 1_000;
/** A viewer that waits for a key frame asks for one this often. */
const ASK_INTERVAL_MS = 500;
/** Some cameras send no other key frame, or none that can be told: then a viewer begins anywhere. */
const KEY_FRAME_WAIT_MS = 10_000;
const DEFAULT_RTT_MS = 50;

export type OutgoingOptions = {
	/** All tracks of the stream, of which `tracks` are sent. Asked for at each key frame. */
	readonly stream: { readonly tracks: readonly Track[] };
	readonly tracks: readonly OutgoingTrack[];
	readonly clock: Clock;
	/** Sends plain packets; `false`: it was not sent. Bytes of RTP are only good for the time of the call. Never throws. */
	readonly sendRtp: (bytes: Uint8Array) => boolean;
	readonly sendRtcp: (bytes: Uint8Array) => unknown;
	/** The viewer needs a key frame of this track. Whoever publishes is asked not too often. */
	readonly askKeyFrame: (track: number) => void;
	/** The stream is over. Called at most once. */
	readonly onEnd: (reason: SluiceError) => void;
	/** Something is wrong with the stream for WebRTC, and what to do about it. Called at most once. */
	readonly onWarning: (text: string) => void;
};

/**
 * What a WebRTC viewer gets: the packets of a stream with headers of its session, from a key frame on, again when it asks
 * for them, and fewer pictures when the network is too thin.
 */
export class Outgoing implements PacketSink, Disposable {
	readonly #options: OutgoingOptions;
	/** By track of the stream. */
	readonly #senders: (TrackSender | undefined)[] = [];
	readonly #reports: (SentReports | undefined)[] = [];
	/** The track whose key frames are waited for; -1 when there is none. */
	readonly #keyTrack: number;
	readonly #watch: ReturnType<typeof watchPictureOrder>;
	readonly #bandwidth = new Bandwidth();
	readonly #thinning = newThinning();
	/** What the stream has, and what goes out. */
	readonly #streamRate = new RateMeter();
	readonly #sentRate = new RateMeter();
	readonly #timer: Disposable;
	#isWaiting = true;
	readonly #waitingSinceMs: number;
	#askedMs: number;
	#pictureTime = -1;
	#target: number | null = null;
	#nowMs = 0;
	#ended = false;
	#freezes = 0;
	#discarded = 0;
	#hasTransportFeedback = false;
	/** RTCP packets that could not be read. */
	rtcpErrors = 0;

	constructor(options: OutgoingOptions) {
		this.#options = options;
		const { tracks } = options.stream;
		const path: SendPath = {
			sendRtp: options.sendRtp,
			numberOf: (length) => this.#bandwidth.sent(length, this.#nowMs),
		};
		for (const track of options.tracks) {
			const { index, clockRate } = track.track;
			this.#senders[index] = new TrackSender(track, path, randomInt(0x10000));
			this.#reports[index] = new SentReports(clockRate);
		}
		const video = keyTrackOf(tracks);
		this.#keyTrack = video !== undefined && this.#senders[video.index] !== undefined ? video.index : -1;
		this.#watch = video === undefined ? null : watchPictureOrder(video.codec);
		this.#nowMs = this.#waitingSinceMs = this.#askedMs = options.clock.monotonic();
		this.#timer = options.clock.every(REPORT_INTERVAL_MS, () => this.#tick());
	}

	get statistics(): OutgoingStatistics {
		const nowMs = this.#options.clock.monotonic();
		return {
			tracks: this.#senders.flatMap((sender) => (sender === undefined ? [] : [sender.describe()])),
			rttMs: this.#rttMs,
			bitrate: this.#sentRate.bitrate(nowMs),
			targetBitrate: this.#bandwidth.target,
			freezes: this.#freezes,
			discarded: this.#discarded,
		};
	}

	push(batch: RtpBatch): void {
		if (this.#ended) return;
		const nowMs = this.#options.clock.monotonic();
		this.#nowMs = nowMs;
		if (this.#isWaiting && !this.#begins(batch, nowMs)) return;
		const { bytes, packets } = batch;
		this.#streamRate.add(bytes.length, nowMs);
		this.#target = this.#bandwidth.target;
		if (this.#target !== null) drainThinning(this.#thinning, this.#target, this.#streamRate.bitrate(nowMs), nowMs);
		let sent = 0;
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			const track = packets[i] as number;
			const offset = packets[i + 1] as number;
			const length = packets[i + 2] as number;
			const sender = this.#senders[track];
			if (sender === undefined) continue;
			if (track === this.#keyTrack) {
				const time = u32(bytes, offset + 4);
				if (time !== this.#pictureTime) this.#beginPicture(sender, batch, offset, length, time);
				if (this.#thinning.isHeld) {
					this.#discarded++;
					continue;
				}
			}
			sender.lastArrivalMs = batch.arrivalMs;
			sender.send(bytes, offset, length, nowMs);
			sent += length;
		}
		this.#sentRate.add(sent, nowMs);
		if (this.#target !== null) addToThinning(this.#thinning, sent);
	}

	senderReport(track: number, { wallclockMs, rtpTime }: SenderReport): void {
		if (this.#ended) return;
		const nowMs = this.#options.clock.monotonic();
		this.#reports[track]?.publisherSaid(wallclockMs, rtpTime, nowMs);
	}

	end(reason: SluiceError): void {
		if (this.#ended) return;
		this.bye();
		this[Symbol.dispose]();
		this.#options.onEnd(reason);
	}

	/** A decrypted RTCP packet of the viewer. Never throws. */
	rtcp(bytes: Uint8Array, offset = 0, length = bytes.length): void {
		if (this.#ended) return;
		this.#nowMs = this.#options.clock.monotonic();
		try {
			for (const packet of parseRtcp(bytes, offset, length)) {
				if (packet.type === "RR" || packet.type === "SR") this.#takeReports(packet.reports);
			}
			for (const feedback of parseFeedback(bytes, offset, length)) this.#takeFeedback(feedback, bytes);
		} catch (error) {
			if (!hasCode(error, "bytes.truncated", "bytes.malformed")) throw error;
			this.rtcpErrors++;
		}
	}

	/** Tells the viewer that the sources end. RFC 3550 §6.6. */
	bye(): void {
		const ssrcs = this.#options.tracks.map(({ ssrc }) => ssrc);
		const [ssrc] = ssrcs;
		if (this.#ended || ssrc === undefined) return;
		this.#options.sendRtcp(
			writeRtcp([
				{ type: "RR", ssrc, reports: [] },
				{ type: "BYE", ssrcs, reason: "" },
			]),
		);
	}

	/** Sends nothing more, keeps nothing, and has no timer. Whoever subscribed it takes it off. Idempotent. */
	[Symbol.dispose](): void {
		this.#ended = true;
		this.#timer[Symbol.dispose]();
		for (const sender of this.#senders) sender?.close();
	}

	get #rttMs(): number | null {
		for (const report of this.#reports) if (report !== undefined && report.rttMs !== null) return report.rttMs;
		return null;
	}

	/** Says whether the viewer can begin with this batch. */
	#begins(batch: RtpBatch, nowMs: number): boolean {
		if (this.#keyTrack >= 0 && !batch.randomAccess && nowMs - this.#waitingSinceMs < KEY_FRAME_WAIT_MS) {
			if (nowMs - this.#askedMs >= ASK_INTERVAL_MS) {
				this.#askedMs = nowMs;
				this.#options.askKeyFrame(this.#keyTrack);
			}
			return false;
		}
		this.#isWaiting = false;
		return true;
	}

	#beginPicture(sender: TrackSender, batch: RtpBatch, offset: number, length: number, time: number): void {
		this.#pictureTime = time;
		const codec = this.#options.stream.tracks[this.#keyTrack]?.codec;
		if (this.#watch?.see(time) === true && codec !== undefined) this.#options.onWarning(bFramesText(codec.name));
		const wasHeld = this.#thinning.isHeld;
		const queueMs = this.#target === null ? 0 : this.#bandwidth.queueMs(this.#nowMs);
		if (!allowsPicture(this.#thinning, this.#target, queueMs, batch.randomAccess)) {
			if (!wasHeld) this.#freezes++;
			sender.skip();
			return;
		}
		if (!batch.randomAccess || codec === undefined) return;
		const payload = offset + RTP_HEADER_BYTES;
		if (!lacksParameterSets(codec, batch.bytes, payload, length - RTP_HEADER_BYTES)) return;
		const sets = parameterSetPacket(codec);
		if (sets === null) return;
		sets.set(batch.bytes.subarray(offset + 4, offset + 8), 4);
		sender.insert(sets, this.#nowMs);
	}

	#tick(): void {
		if (this.#ended) return;
		const nowMs = this.#options.clock.monotonic();
		this.#nowMs = nowMs;
		for (const [track, sender] of this.#senders.entries()) {
			if (sender === undefined || sender.packets === 0) continue;
			this.#reports[track]?.packetCame(sender.lastArrivalMs, sender.lastTimestamp, nowMs);
			const report = this.#reports[track]?.report(nowMs);
			if (report === null || report === undefined) continue;
			const { packets, octets } = sender;
			const fields = { ...report, ssrc: sender.track.ssrc, packets: packets >>> 0, octets: octets % 2 ** 32 };
			this.#options.sendRtcp(writeSenderReport(fields, sender.track.cname));
		}
	}

	#takeReports(blocks: readonly ReportBlock[]): void {
		for (const block of blocks) {
			const track = this.#senders.findIndex((sender) => sender?.track.ssrc === block.ssrc);
			const sender = this.#senders[track];
			if (sender === undefined) continue;
			const { clockRate } = sender.track.track;
			const fractionLost = block.fractionLost / 256;
			sender.report = { lost: Math.max(0, block.totalLost), fractionLost, jitter: block.jitter / clockRate };
			this.#reports[track]?.received(block, this.#nowMs);
			this.#bandwidth.rttMs = this.#rttMs ?? DEFAULT_RTT_MS;
			if (track === this.#keyTrack && !this.#hasTransportFeedback) {
				this.#bandwidth.report(fractionLost, this.#sentRate.bitrate(this.#nowMs), this.#nowMs);
			}
		}
	}

	#takeFeedback(feedback: Feedback, bytes: Uint8Array): void {
		const bitrate = this.#sentRate.bitrate(this.#nowMs);
		switch (feedback.type) {
			case "NACK": {
				const sender = this.#senderOf(feedback.ssrc);
				for (const sequence of feedback.sequences) {
					sender?.sendAgain(sequence, this.#rttMs ?? DEFAULT_RTT_MS, bitrate, this.#nowMs);
				}
				return;
			}
			case "PLI":
			case "FIR": {
				const sender = this.#senderOf(feedback.ssrc);
				if (sender === undefined) return;
				sender.keyFrameRequests++;
				this.#options.askKeyFrame(sender.track.track.index);
				return;
			}
			case "REMB":
				if (!this.#hasTransportFeedback) this.#bandwidth.limit(feedback.bitrate);
				return;
			case "TWCC":
				this.#hasTransportFeedback = true;
				this.#bandwidth.feedback(parseTransportFeedback(bytes, feedback.offset, feedback.length), bitrate, this.#nowMs);
		}
	}

	#senderOf(ssrc: number): TrackSender | undefined {
		return this.#senders.find((sender) => sender?.track.ssrc === ssrc);
	}
}

import type { Clock } from "#shared/clock.ts";
import { hasCode, type SluiceError } from "#shared/problem.ts";
import { u32 } from "../../bytes/big-endian.ts";
import { parseRtcp, type ReportBlock, writeRtcp } from "../../rtp/rtcp-packet.ts";
import { RTP_HEADER_BYTES } from "../../rtp/rtp-packet.ts";
import { writeSenderReport } from "../../rtp/sender-report.ts";
import type { Rendition } from "../../stream/publication.ts";
import { PACKET_STRIDE, type RtpBatch } from "../../stream/rtp-batch.ts";
import type { PacketSink, SenderReport } from "../../stream/sink.ts";
import type { Track } from "../../stream/track.ts";
import { bFramesText, watchPictureOrder } from "../picture-order-watch.ts";
import { RateMeter } from "../rate-meter.ts";
import { type Feedback, parseFeedback } from "../rtcp-feedback.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import { Bandwidth } from "./bandwidth.ts";
import { BandwidthProbe } from "./bandwidth-probe.ts";
import { type Feed, feedOf, type Lane } from "./feed.ts";
import { addToThinning, allowsPicture, couldResume, drainThinning, newThinning } from "./frame-thinning.ts";
import type { OutgoingStatistics } from "./outgoing-track.ts";
import { lacksParameterSets, parameterSetPacket } from "./parameter-set-packet.ts";
import { RenditionSwitch } from "./rendition-switch.ts";
import { smallPacketsOf } from "./small-packets.ts";
import type { SendPath, TrackSender } from "./track-sender.ts";
import { parseTransportFeedback } from "./transport-feedback.ts";

const REPORT_INTERVAL_MS = 1_000;
/** A viewer that waits for a key frame asks for one this often. */
const ASK_INTERVAL_MS = 500;
/** Some cameras send no other key frame, or none that can be told: then a viewer begins anywhere. */
const KEY_FRAME_WAIT_MS = 10_000;
const DEFAULT_RTT_MS = 50;
/** FEC is sent while the network carries so many times the stream. */
const FEC_HEADROOM = 1.25;
/** A stream needs this much more than its rate. */
const PROBE_HEADROOM = 1.2;
/** A probe that makes packets wait longer is over. */
const MAX_PROBE_QUEUE_MS = 100;

/** One stream that the media of a viewer come from. */
export type OutgoingSource = {
	/** All of its tracks, of which `tracks` are sent. Asked for at each key frame. */
	readonly stream: { readonly tracks: readonly Track[] };
	readonly tracks: readonly OutgoingTrack[];
};

export type OutgoingOptions = OutgoingSource & {
	/** Where sound comes from that the stream does not have in this form. */
	readonly sound?: OutgoingSource;
	/** The encodings of the stream's tracks, as they are now. */
	readonly renditions?: () => readonly Rendition[];
	readonly clock: Clock;
	/** Sends plain packets; `false`: it was not sent. Bytes of RTP are only good for the time of the call. Never throws. */
	readonly sendRtp: (bytes: Uint8Array) => boolean;
	readonly sendRtcp: (bytes: Uint8Array) => unknown;
	/** After so long a peer that got no key frame gets what there is; {@link KEY_FRAME_WAIT_MS} when it is not said. */
	readonly keyFrameWaitMs?: number;
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
	readonly #main: Feed;
	/** All there are. */
	readonly #lanes: readonly Lane[];
	readonly #switch: RenditionSwitch;
	readonly #probe = new BandwidthProbe();
	/** Takes what comes of {@link OutgoingOptions.sound}. */
	readonly sound: PacketSink;
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
		const path: SendPath = {
			sendRtp: options.sendRtp,
			numberOf: (length) => this.#bandwidth.sent(length, this.#nowMs),
		};
		this.#main = feedOf(options.stream, options.tracks, path);
		const sound = options.sound === undefined ? null : feedOf(options.sound.stream, options.sound.tracks, path);
		this.sound = {
			push: (batch) => void (sound !== null && this.#take(sound, batch)),
			senderReport: (track, report) => void (sound !== null && this.#takeSenderReport(sound, track, report)),
			// The stream goes on without.
			end: () => undefined,
		};
		this.#switch = new RenditionSwitch({
			main: this.#main,
			renditions: options.renditions ?? none,
			askKeyFrame: () => options.askKeyFrame(this.#main.keyTrack),
			take: (feed, batch) => this.#take(feed, batch),
			nowMs: () => options.clock.monotonic(),
		});
		this.#lanes = [this.#main, sound].flatMap((feed) => feed?.lanes.filter((lane) => lane !== undefined) ?? []);
		const { keyTrack, stream } = this.#main;
		const video = stream.tracks[keyTrack];
		this.#watch = video === undefined ? null : watchPictureOrder(video.codec);
		this.#nowMs = this.#waitingSinceMs = this.#askedMs = options.clock.monotonic();
		this.#timer = options.clock.every(REPORT_INTERVAL_MS, () => this.#tick());
	}

	get statistics(): OutgoingStatistics {
		const nowMs = this.#options.clock.monotonic();
		return {
			tracks: this.#lanes.map(({ sender }) => sender.describe()),
			rttMs: this.#rttMs,
			bitrate: this.#sentRate.bitrate(nowMs),
			targetBitrate: this.#bandwidth.target,
			rendition: this.#switch.name,
			freezes: this.#freezes,
			discarded: this.#discarded,
		};
	}

	push(batch: RtpBatch): void {
		this.#switch.arrived(this.#main, batch);
		this.#take(this.#main, batch);
	}

	senderReport(track: number, report: SenderReport): void {
		this.#takeSenderReport(this.#main, track, report);
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
		const ssrcs = this.#lanes.map(({ sender }) => sender.track.ssrc);
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
		this.#switch[Symbol.dispose]();
		for (const { sender } of this.#lanes) sender.close();
	}

	get #rttMs(): number | null {
		for (const { reports } of this.#lanes) if (reports.rttMs !== null) return reports.rttMs;
		return null;
	}

	#take(feed: Feed, batch: RtpBatch): void {
		if (this.#ended) return;
		const { stream, lanes, keyTrack } = feed;
		const nowMs = this.#options.clock.monotonic();
		this.#nowMs = nowMs;
		if (this.#isWaiting && !this.#begins(batch, keyTrack, nowMs)) return;
		const small = smallPacketsOf(batch, stream.tracks);
		const { bytes, packets } = small ?? batch;
		this.#target = this.#bandwidth.target;
		if (this.#target !== null) drainThinning(this.#thinning, this.#target, this.#streamRate.bitrate(nowMs), nowMs);
		let offered = 0;
		let sent = 0;
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			const track = packets[i] as number;
			const offset = packets[i + 1] as number;
			const length = packets[i + 2] as number;
			const sender = lanes[track]?.sender;
			if (sender === undefined) continue;
			offered += length;
			if (track === keyTrack) {
				const time = u32(bytes, offset + 4);
				if (time !== this.#pictureTime) {
					this.#beginPicture(feed, sender, batch.randomAccess, { bytes, offset, length }, time);
				}
				if (this.#thinning.isHeld) {
					this.#discarded++;
					continue;
				}
			}
			sender.lastArrivalMs = batch.arrivalMs;
			sender.send(bytes, offset, length, nowMs);
			sent += length;
		}
		if (small !== null) for (const [track, count] of small.added.entries()) lanes[track]?.sender.added(count);
		this.#streamRate.add(offered, nowMs);
		this.#sentRate.add(sent, nowMs);
		if (this.#probe.isActive) this.#sendProbe(sent, nowMs);
		if (this.#target !== null) addToThinning(this.#thinning, sent);
	}

	/** What FEC adds must not be what makes the network too thin. */
	get #hasRoomForFec(): boolean {
		const { target } = this.#bandwidth;
		return target === null || target > FEC_HEADROOM * this.#streamRate.bitrate(this.#nowMs);
	}

	#takeSenderReport({ reports }: Feed, track: number, { wallclockMs, rtpTime }: SenderReport): void {
		if (!this.#ended) reports[track]?.publisherSaid(wallclockMs, rtpTime, this.#options.clock.monotonic());
	}

	/** Says whether the viewer can begin with this batch. `keyTrack`: of its stream. */
	#begins(batch: RtpBatch, keyTrack: number, nowMs: number): boolean {
		const waitedFor = this.#main.keyTrack;
		const isKey = keyTrack === waitedFor && batch.randomAccess;
		if (
			waitedFor >= 0 &&
			!isKey &&
			nowMs - this.#waitingSinceMs < (this.#options.keyFrameWaitMs ?? KEY_FRAME_WAIT_MS)
		) {
			this.#askKeyFrame();
			return false;
		}
		this.#isWaiting = false;
		return true;
	}

	/** Not too often. */
	#askKeyFrame(): void {
		if (this.#nowMs - this.#askedMs < ASK_INTERVAL_MS) return;
		this.#askedMs = this.#nowMs;
		this.#switch.askKeyFrame();
	}

	/** `begins`: its batch does with a key frame. The rest is the place of its first packet. */
	#beginPicture(
		{ stream, keyTrack }: Feed,
		sender: TrackSender,
		begins: boolean,
		{ bytes, offset, length }: { readonly bytes: Uint8Array; readonly offset: number; readonly length: number },
		time: number,
	): void {
		this.#pictureTime = time;
		const codec = stream.tracks[keyTrack]?.codec;
		if (this.#watch?.see(time) === true && codec !== undefined) this.#options.onWarning(bFramesText(codec.name));
		const wasHeld = this.#thinning.isHeld;
		const queueMs = this.#target === null ? 0 : this.#bandwidth.queueMs(this.#nowMs);
		if (!allowsPicture(this.#thinning, this.#target, queueMs, begins)) {
			if (!wasHeld) this.#freezes++;
			sender.skip();
			// Who publishes from a browser sends no key frame by itself.
			if (!begins && couldResume(this.#thinning, this.#target, queueMs)) this.#askKeyFrame();
			return;
		}
		if (!begins || codec === undefined) return;
		const payload = offset + RTP_HEADER_BYTES;
		if (!lacksParameterSets(codec, bytes, payload, length - RTP_HEADER_BYTES)) return;
		const sets = parameterSetPacket(codec);
		if (sets === null) return;
		sets.set(bytes.subarray(offset + 4, offset + 8), 4);
		sender.insert(sets, this.#nowMs);
	}

	#tick(): void {
		if (this.#ended) return;
		const nowMs = this.#options.clock.monotonic();
		this.#nowMs = nowMs;
		this.#switch.choose(this.#bandwidth.target);
		this.#switch.tick();
		this.#beginProbe();
		for (const { sender, reports } of this.#lanes) {
			if (sender.packets === 0) continue;
			reports.packetCame(sender.lastArrivalMs, sender.lastTimestamp, nowMs);
			const report = reports.report(nowMs);
			if (report === null) continue;
			const { packets, octets } = sender;
			const fields = { ...report, ssrc: sender.track.ssrc, packets: packets >>> 0, octets: octets % 2 ** 32 };
			this.#options.sendRtcp(writeSenderReport(fields, sender.track.cname));
		}
	}

	#takeReports(blocks: readonly ReportBlock[]): void {
		for (const block of blocks) {
			const lane = this.#laneOf(block.ssrc);
			if (lane === undefined) continue;
			const { sender, reports } = lane;
			const { clockRate } = sender.track.track;
			const fractionLost = block.fractionLost / 256;
			sender.report = { lost: Math.max(0, block.totalLost), fractionLost, jitter: block.jitter / clockRate };
			reports.received(block, this.#nowMs);
			this.#bandwidth.rttMs = this.#rttMs ?? DEFAULT_RTT_MS;
			sender.pathReport(block, reports.rttMs, this.#hasRoomForFec);
			if (sender.track.track.kind === "video" && !this.#hasTransportFeedback) {
				this.#bandwidth.report(fractionLost, this.#sentRate.bitrate(this.#nowMs), this.#nowMs);
			}
		}
	}

	#takeFeedback(feedback: Feedback, bytes: Uint8Array): void {
		const bitrate = this.#sentRate.bitrate(this.#nowMs);
		switch (feedback.type) {
			case "NACK": {
				const sender = this.#laneOf(feedback.ssrc)?.sender;
				for (const sequence of feedback.sequences) {
					sender?.sendAgain(sequence, this.#rttMs ?? DEFAULT_RTT_MS, bitrate, this.#nowMs);
				}
				return;
			}
			case "PLI":
			case "FIR": {
				const sender = this.#laneOf(feedback.ssrc)?.sender;
				if (sender === undefined) return;
				sender.keyFrameRequests++;
				this.#switch.askKeyFrame();
				return;
			}
			case "REMB":
				if (this.#hasTransportFeedback) return;
				this.#bandwidth.limit(feedback.bitrate);
				this.#switch.choose(this.#bandwidth.target);
				return;
			case "TWCC":
				this.#hasTransportFeedback = true;
				this.#bandwidth.feedback(parseTransportFeedback(bytes, feedback.offset, feedback.length), bitrate, this.#nowMs);
				this.#endProbe();
				this.#switch.choose(this.#bandwidth.target);
		}
	}

	/** Sends more for a moment where that is of use: for a better encoding, or for pictures that are held up. */
	#beginProbe(): void {
		const { target } = this.#bandwidth;
		if (target === null || !this.#hasTransportFeedback) return;
		const stream = this.#streamRate.bitrate(this.#nowMs);
		const wanted = this.#switch.rateForBetter ?? stream * PROBE_HEADROOM;
		if (wanted <= target) this.#probe.cancel(this.#nowMs);
		else this.#probe.begin(wanted, target, this.#nowMs);
	}

	#sendProbe(sent: number, nowMs: number): void {
		const due = this.#probe.due(sent, nowMs);
		const video = due === 0 ? undefined : this.#lanes.find(({ sender }) => sender.track.track.kind === "video");
		if (video !== undefined) this.#probe.padded(video.sender.pad(due));
	}

	#endProbe(): void {
		if (!this.#probe.isActive) return;
		const { carried, isOverused } = this.#bandwidth;
		const isTooMuch = isOverused || this.#bandwidth.queueMs(this.#nowMs) > MAX_PROBE_QUEUE_MS;
		const found = this.#probe.feedback(carried ?? 0, isTooMuch, this.#rttMs ?? DEFAULT_RTT_MS, this.#nowMs);
		if (found !== null) this.#bandwidth.raise(found);
	}

	#laneOf(ssrc: number): Lane | undefined {
		return this.#lanes.find(({ sender }) => sender.track.ssrc === ssrc);
	}
}

function none(): readonly Rendition[] {
	return [];
}

import { DtsExtractor, isReordered } from "../codecs/dts.ts";
import type { AccessUnit, Depacketizer } from "../rtp/access-unit.ts";
import { ClockMap } from "../rtp/clock-map.ts";
import { createDepacketizer } from "../rtp/depacketizer.ts";
import { newRtpPacket, type RtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { keyTrackOf } from "./batch-builder.ts";
import { PACKET_STRIDE, type RtpBatch } from "./rtp-batch.ts";
import type { Track } from "./track.ts";
import type { UnitFeed } from "./unit-feed.ts";
import { WallclockSteps } from "./wallclock-steps.ts";

type Report = { readonly wallclockMs: number; readonly rtpTime: number };

/** Makes the units of one publisher's RTP packets. A batch may be lent for the time of a push only. */
export class ToUnits {
	readonly #feed: UnitFeed;
	readonly #clockRates: readonly number[];
	readonly #depacketizers: readonly (Depacketizer | null)[];
	readonly #packet = newRtpPacket();
	#clocks: ClockMap;
	/** By track; `null` before the first key frame, and where decoding order is presentation order. */
	#dts: (DtsExtractor | null)[] = [];
	/** `null` when wall-clock time is ours. */
	readonly #steps: WallclockSteps | null;

	/**
	 * `reports` are the newest sender reports by track, where there are any. With `useAbsoluteTimestamp` the wall-clock
	 * time of units is theirs, once there is one of their track; otherwise it is the time here.
	 */
	constructor(feed: UnitFeed, reports: readonly (Report | null)[], useAbsoluteTimestamp: boolean) {
		this.#feed = feed;
		this.#steps = useAbsoluteTimestamp ? new WallclockSteps(keyTrackOf(feed.tracks)?.index ?? 0) : null;
		this.#clockRates = feed.tracks.map((track) => track.clockRate);
		this.#depacketizers = feed.tracks.map((track) => createDepacketizer(track.codec, track.rtp));
		this.#clocks = new ClockMap(this.#clockRates);
		reports.forEach((report, track) => {
			if (report !== null) this.senderReport(track, report);
		});
	}

	/** How many units were left out because something of them was lost or malformed. */
	get dropped(): number {
		return this.#depacketizers.reduce((sum, depacketizer) => sum + (depacketizer?.dropped ?? 0), 0);
	}

	senderReport(track: number, report: Report): void {
		this.#clocks.senderReport(track, report.wallclockMs, report.rtpTime);
	}

	push(batch: RtpBatch): void {
		const { packets, arrivalMs } = batch;
		// Not a `Buffer`: a sink that copies a frame with `slice` must not get a view.
		const bytes = new Uint8Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			const track = packets[i] as number;
			const depacketizer = this.#depacketizers[track];
			if (depacketizer === null || depacketizer === undefined) continue;
			if (!readRtpPacket(this.#packet, bytes, packets[i + 1] as number, packets[i + 2] as number)) continue;
			this.#take(depacketizer, track, bytes, this.#packet, arrivalMs);
		}
	}

	/**
	 * One packet, read from `bytes`, with the numbers of the stream. The bytes may change once it returns, and another
	 * object stands for them then.
	 */
	pushPacket(track: number, bytes: Uint8Array, packet: RtpPacket, arrivalMs: number): void {
		const depacketizer = this.#depacketizers[track];
		if (depacketizer !== null && depacketizer !== undefined) this.#take(depacketizer, track, bytes, packet, arrivalMs);
	}

	#take(depacketizer: Depacketizer, track: number, bytes: Uint8Array, packet: RtpPacket, arrivalMs: number): void {
		const units = depacketizer.push(bytes, packet);
		for (let u = 0; u < units.length; u++) this.#give(track, units[u] as AccessUnit, arrivalMs);
	}

	#give(index: number, { rtpTime, frames, randomAccess }: AccessUnit, arrivalMs: number): void {
		const feed = this.#feed;
		let pts = this.#clocks.ptsOf(index, rtpTime, arrivalMs);
		const verdict = feed.judge(index, pts, arrivalMs);
		if (verdict === "drop") return;
		if (verdict === "break") {
			// The old reports spoke of the old time stamps.
			this.#clocks = new ClockMap(this.#clockRates);
			this.#dts = [];
			this.#steps?.restart();
			feed.begin();
			pts = this.#clocks.ptsOf(index, rtpTime, arrivalMs);
		}
		const dts = this.#dtsOf(index, pts, frames, randomAccess);
		if (dts === null) return;
		const track = feed.tracks[index] as Track;
		const wallclockMs = this.#wallclockOf(index, pts, arrivalMs);
		const mediaMs = (pts * 1000) / track.clockRate;
		if (this.#steps?.isStep({ track: index, randomAccess, mediaMs, wallclockMs, arrivalMs })) feed.begin();
		feed.push({ track, pts, dts, wallclockMs, randomAccess, frames }, arrivalMs);
	}

	#wallclockOf(index: number, pts: number, arrivalMs: number): number {
		const sentAt = this.#steps === null ? null : this.#clocks.sentAt(index, pts);
		return sentAt ?? this.#clocks.wallclockOf(index, pts, arrivalMs);
	}

	/** `null` before the first key frame: nothing can be decoded yet. */
	#dtsOf(index: number, pts: number, frames: readonly Uint8Array[], randomAccess: boolean): number | null {
		const before = this.#feed.tracks[index] as Track;
		if (!isReordered(before.codec)) {
			if (randomAccess) this.#feed.refresh(index, frames);
			return pts;
		}
		let extractor = this.#dts[index] ?? null;
		if (randomAccess) {
			const { codec } = this.#feed.refresh(index, frames);
			if (extractor === null) extractor = this.#dts[index] = new DtsExtractor(codec);
			else if (codec !== before.codec) extractor.configure(codec);
		}
		return extractor?.dtsOf(pts) ?? null;
	}
}

import type { RtpPacket } from "../rtp/rtp-packet.ts";
import { sequenceDistance } from "../rtp/rtp-packet.ts";
import type { Numbering } from "./publication.ts";
import type { SenderReport } from "./sink.ts";
import type { Track } from "./track.ts";

/** Time stamps that step back by less are frames out of presentation order, not a source that began anew. */
const REORDERED_SECONDS = 10;
const NO_SOURCE = -1;

const UPPER_HALF = 0x8000;

type Stamp = {
	readonly clockRate: number;
	/** What readers see, always. */
	readonly ssrc: number;
	readonly payloadType: number;
	/** The SSRC that the offsets are for. */
	source: number;
	/** What is added to the source's numbers, modulo their size. */
	sequenceOffset: number;
	timeOffset: number;
	/** Of the newest packet that went out, and when that was on the monotonic clock. */
	sequence: number;
	/** The same number, counted on over its roll-overs. */
	index: number;
	time: number;
	atMs: number;
	/** Since the stream began. */
	packets: number;
	octets: number;
};

/**
 * Makes the RTP packets of the publishers of a stream, one after the other, look like those of one source: the SSRC and
 * the payload type stay, sequence numbers go on, and time stamps go on by the time that really passed. Within one
 * source nothing changes but by constants, so losses and reordering show as they are.
 */
export class Restamper implements Numbering {
	readonly #stamps: readonly Stamp[];

	/** `randomSsrc` gives 32 random bits. */
	constructor(tracks: readonly Track[], randomSsrc: () => number) {
		this.#stamps = tracks.map((track) => ({
			clockRate: track.clockRate,
			ssrc: randomSsrc() >>> 0,
			payloadType: track.rtp.payloadType,
			source: NO_SOURCE,
			sequenceOffset: 0,
			timeOffset: 0,
			sequence: 0,
			index: 0,
			time: 0,
			atMs: 0,
			packets: 0,
			octets: 0,
		}));
	}

	/** The next packets come from another publisher. */
	release(): void {
		for (const stamp of this.#stamps) stamp.source = NO_SOURCE;
	}

	/** Puts the stream's numbers into `packet`, which arrived at `nowMs` of the monotonic clock. */
	stamp(track: number, packet: RtpPacket, nowMs: number): void {
		const stamp = this.#at(track);
		if (stamp.source !== packet.ssrc) anchor(stamp, packet, nowMs);
		const sequence = (packet.sequence + stamp.sequenceOffset) & 0xffff;
		const time = (packet.timestamp + stamp.timeOffset) >>> 0;
		packet.sequence = sequence;
		packet.timestamp = time;
		packet.ssrc = stamp.ssrc;
		packet.payloadType = stamp.payloadType;

		const first = stamp.packets === 0;
		const step = first ? sequence : sequenceDistance(stamp.sequence, sequence);
		if (first || step > 0) {
			stamp.sequence = sequence;
			stamp.index += step;
		}
		const ahead = (time - stamp.time) | 0;
		if (first || ahead > 0 || ahead < -REORDERED_SECONDS * stamp.clockRate) stamp.time = time;
		stamp.atMs = nowMs;
		stamp.packets++;
		stamp.octets = (stamp.octets + packet.payloadLength) >>> 0;
	}

	/** The last packet of a track was divided: `count` more numbers went out for it. */
	insert(track: number, count: number): void {
		const stamp = this.#at(track);
		stamp.sequenceOffset = (stamp.sequenceOffset + count) & 0xffff;
		stamp.sequence = (stamp.sequence + count) & 0xffff;
		stamp.index += count;
		stamp.packets += count;
	}

	/** What readers see as the source of a track's packets. */
	ssrcOf(track: number): number {
		return this.#at(track).ssrc;
	}

	/** The number of the next packet of a track, counted on over its roll-overs; 0 before the first one. */
	indexOf(track: number): number {
		const { packets, index } = this.#at(track);
		return packets === 0 ? 0 : index + 1;
	}

	/** Where the next packet of a track will be, were it captured now. `null` before the first one. */
	position(track: number, nowMs: number): { sequence: number; rtpTime: number; ssrc: number } | null {
		const stamp = this.#at(track);
		if (stamp.packets === 0) return null;
		const { ssrc } = stamp;
		return { sequence: (stamp.sequence + 1) & 0xffff, rtpTime: (stamp.time + elapsedTicks(stamp, nowMs)) >>> 0, ssrc };
	}

	/** A report of the current publisher as one of the stream. `null` before its first packet, which fixes the offsets. */
	report(track: number, report: { readonly wallclockMs: number; readonly rtpTime: number }): SenderReport | null {
		const stamp = this.#at(track);
		if (stamp.source === NO_SOURCE) return null;
		return {
			wallclockMs: report.wallclockMs,
			rtpTime: (report.rtpTime + stamp.timeOffset) >>> 0,
			ssrc: stamp.ssrc,
			packets: stamp.packets >>> 0,
			octets: stamp.octets,
		};
	}

	#at(track: number): Stamp {
		const stamp = this.#stamps[track];
		if (stamp === undefined) throw new RangeError(`There is no track ${track}`);
		return stamp;
	}
}

/** Makes the packets of a new source follow the last one: the next number, and the time that has passed. */
function anchor(stamp: Stamp, packet: RtpPacket, nowMs: number): void {
	stamp.source = packet.ssrc;
	if (stamp.packets === 0) {
		// RFC 3711 §3.3.1: numbers begin in the lower half, so that no reader of SRTP sees a roll-over before it knows of one.
		stamp.sequenceOffset = packet.sequence & UPPER_HALF;
		return;
	}
	const time = stamp.time + Math.max(1, elapsedTicks(stamp, nowMs));
	stamp.sequenceOffset = (stamp.sequence + 1 - packet.sequence) & 0xffff;
	stamp.timeOffset = (time - packet.timestamp) >>> 0;
}

function elapsedTicks(stamp: Stamp, nowMs: number): number {
	return Math.round(((nowMs - stamp.atMs) * stamp.clockRate) / 1000);
}

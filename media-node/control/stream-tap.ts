import { u32 } from "../bytes/big-endian.ts";
import { PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";
import type { PacketSink, UnitSink } from "../stream/sink.ts";
import type { Track } from "../stream/track.ts";
import type { Unit } from "../stream/unit.ts";

/** What was seen of one video so far. */
type Seen = { clockRate: number; newest: number; key: number; interval: number };

const UNSEEN = Number.NaN;
/** RFC 3550 §5.1. */
const RTP_TIME_OFFSET = 4;
/** Half of the range of RTP time stamps: RFC 3550 §5.1 has them wrap. */
const HALF_RANGE = 2 ** 31;
/** Without a second key frame for so long, the first one tells that they are far apart. */
const LONG_MS = 4_000;
/** Within this, a time stamp that goes back is one of a frame in another order, and no leap. */
const MAX_REORDER_S = 2;

/**
 * Watches the media of a stream go by: how far key frames are apart, whether frames are in another order than they are
 * shown in, and whether tracks are silent. It takes units, or packets where nobody makes units; it keeps numbers only,
 * and asks for no time.
 */
export class StreamTap implements UnitSink, PacketSink {
	/** Units, or packets, of each track. */
	readonly #counts: number[] = [];
	#tracks: readonly Track[] = [];
	/** The first video; -1: there is none. */
	#video = -1;
	#seen: Seen = unseen(1);
	#reordered = 0;

	/** How often frames were in another order than they are shown in. It only grows. */
	get reordered(): number {
		return this.#reordered;
	}

	/** Units or packets of a track so far. It only grows. */
	count(track: number): number {
		return this.#counts[track] ?? 0;
	}

	/** Between the last two key frames, or since the last one if that is longer. `null` before two were seen. */
	get keyFrameIntervalMs(): number | null {
		const { interval, newest, key, clockRate } = this.#seen;
		const open = newest - key;
		const longest = Number.isNaN(interval) ? open : Math.max(interval, open);
		if (Number.isNaN(longest)) return null;
		const ms = Math.round((longest * 1000) / clockRate);
		// One key frame tells nothing yet, unless it was long ago.
		return Number.isNaN(interval) && ms < LONG_MS ? null : ms;
	}

	begin(tracks: readonly Track[]): void {
		this.#tracks = tracks;
		this.#video = tracks.findIndex(({ kind }) => kind === "video");
		this.#seen = unseen(tracks[this.#video]?.clockRate ?? 1);
	}

	push(passing: Unit | RtpBatch): void {
		if ("packets" in passing) this.#pushBatch(passing);
		else this.#pushUnit(passing);
	}

	senderReport(): void {}

	pause(): void {
		this.begin(this.#tracks);
	}

	end(): void {}

	#pushUnit({ track: { index }, pts, randomAccess }: Unit): void {
		this.#counts[index] = (this.#counts[index] ?? 0) + 1;
		if (index === this.#video) this.#frame(pts, randomAccess);
	}

	#pushBatch({ bytes, packets, randomAccess }: RtpBatch): void {
		let isKey = randomAccess;
		for (let i = 0; i + 2 < packets.length; i += PACKET_STRIDE) {
			const index = packets[i] ?? 0;
			this.#counts[index] = (this.#counts[index] ?? 0) + 1;
			if (index !== this.#video) continue;
			const time = u32(bytes, (packets[i + 1] ?? 0) + RTP_TIME_OFFSET);
			const { newest } = this.#seen;
			// Counted on over wraps.
			const unwrapped = Number.isNaN(newest) ? time : newest + (((time - newest + HALF_RANGE) >>> 0) - HALF_RANGE);
			this.#frame(unwrapped, isKey);
			isKey = false;
		}
	}

	#frame(time: number, isKey: boolean): void {
		const seen = this.#seen;
		if (time < seen.newest) {
			// A leap is no order of frames: what was measured before it is void.
			if (seen.newest - time > MAX_REORDER_S * seen.clockRate) this.#seen = unseen(seen.clockRate);
			else this.#reordered++;
		} else seen.newest = time;
		if (!isKey) return;
		const now = this.#seen;
		if (time > now.key) now.interval = time - now.key;
		now.key = time;
		if (Number.isNaN(now.newest)) now.newest = time;
	}
}

function unseen(clockRate: number): Seen {
	return { clockRate, newest: UNSEEN, key: UNSEEN, interval: UNSEEN };
}

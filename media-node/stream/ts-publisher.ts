import type { Clock } from "#shared/clock.ts";
import { ProtocolError, type SluiceError } from "#shared/problem.ts";
import { TsDemuxer, type TsTrack, type TsUnit } from "../mpegts/demuxer.ts";
import { WallclockEstimate } from "../rtp/wallclock-estimate.ts";
import { HeldPublication } from "./held-publication.ts";
import type { Publication } from "./publication.ts";
import { rtpFormatOf } from "./rtp-format-of.ts";

/** How long a live stream is waited for to tell all its codecs: longer than from one key frame to the next. */
export const MAX_PROBE_MS = 15_000;
/** Time stamps that leave the estimate by more are of another clock. */
const LEAP_MS = 10_000;

export type TsPublisherOptions = {
	readonly clock: Clock;
	/** Opens the stream, once, when the tracks are known. */
	readonly publish: (tracks: readonly TsTrack[]) => Promise<Publication>;
	/** There is nothing to publish, or the stream could not be opened. Called at most once, not after `close`. */
	readonly onFailed: (error: unknown) => void;
};

/** Publishes the elementary streams of a live MPEG transport stream, from bytes as they come. Its methods never throw. */
export class TsPublisher {
	readonly #options: TsPublisherOptions;
	readonly #demuxer = new TsDemuxer({ rtpFormat: rtpFormatOf });
	#wallclock = new WallclockEstimate();
	#publication: HeldPublication | null = null;
	#firstMs: number | null = null;
	#isClosed = false;
	/** Access units so far. */
	units = 0;

	constructor(options: TsPublisherOptions) {
		this.#options = options;
	}

	/** Takes bytes of the stream, cut anywhere. Those of one read end with {@link flush}. */
	push(bytes: Uint8Array): void {
		if (this.#isClosed) return;
		this.#take(this.#demuxer.push(bytes));
		if (this.#demuxer.tracks !== null) return;
		const nowMs = this.#options.clock.monotonic();
		this.#firstMs ??= nowMs;
		if (nowMs - this.#firstMs >= MAX_PROBE_MS) this.#take(this.#demuxer.decide());
	}

	flush(): void {
		this.#publication?.flush();
	}

	/** Leaves the stream. Idempotent. */
	close(reason?: SluiceError): void {
		if (this.#isClosed) return;
		if (this.#publication !== null) this.#take(this.#demuxer.end());
		this.#isClosed = true;
		this.#publication?.close(reason);
	}

	#take(units: readonly TsUnit[]): void {
		const { tracks } = this.#demuxer;
		if (tracks === null) return;
		this.#publication ??= this.#open(tracks);
		const arrivalMs = this.#options.clock.now();
		const ptsMsOf = ({ pts, trackIndex }: TsUnit) => (pts * 1000) / (tracks[trackIndex]?.clockRate ?? 1);
		// Of what was held for the tracks, only the newest came just now.
		const isHeld = this.units === 0;
		if (isHeld && units.length > 0) this.#wallclock.wallclockOf(Math.max(...units.map(ptsMsOf)), arrivalMs);
		for (const unit of units) {
			const { trackIndex, pts, dts, randomAccess, frames } = unit;
			const wallclockMs = this.#wallclockOf(ptsMsOf(unit), arrivalMs, isHeld ? Number.POSITIVE_INFINITY : LEAP_MS);
			this.units++;
			this.#publication?.writeUnit(trackIndex, { pts, dts, wallclockMs, randomAccess, frames });
		}
	}

	#open(tracks: readonly TsTrack[]): HeldPublication | null {
		if (tracks.length === 0) {
			this.#fail(new ProtocolError("media.unsupported", "The transport stream has no codec that is supported"));
			return null;
		}
		return new HeldPublication({
			tracks,
			opening: this.#options.publish(tracks),
			onFailed: (error) => this.#fail(error),
		});
	}

	#fail(error: unknown): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#options.onFailed(error);
	}

	#wallclockOf(ptsMs: number, arrivalMs: number, leapMs: number): number {
		const wallclockMs = this.#wallclock.wallclockOf(ptsMs, arrivalMs);
		if (Math.abs(arrivalMs - wallclockMs) <= leapMs) return wallclockMs;
		this.#wallclock = new WallclockEstimate();
		return this.#wallclock.wallclockOf(ptsMs, arrivalMs);
	}
}

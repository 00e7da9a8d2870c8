import type { ClosedPart, CutOptions, OpenSegment, PackagedSegment } from "./open-segment.ts";
import type { TrackPackager } from "./track-packager.ts";

/**
 * The segments that are being filled, in a line. A cut ends the newest one for all tracks; each track closes its part of
 * it when it gets there, so several may be open while a track lags. A segment leaves, in order, when all its parts are
 * closed.
 */
export class SegmentLine {
	readonly #tracks: readonly TrackPackager[];
	readonly #onSegment: (segment: PackagedSegment) => void;
	/** When the first segment began. */
	readonly firstMs: number;
	/** What times on the timeline are greater by than those of the units. Whole, so that it is whole ticks of any clock. */
	readonly #shiftSeconds: number;
	#oldest: OpenSegment;
	#newest: OpenSegment;
	#sequence: number;
	#endMs: number;
	/** A segment without parts takes its discontinuity to the next. */
	#owedDiscontinuity = false;

	/** Begins with the first segment. What tracks hold from before is dropped. `continues`: where the line before ended. */
	constructor(
		tracks: readonly TrackPackager[],
		begin: LineBegin,
		continues: Pick<SegmentLine, "timelineEndMs" | "sequence">,
		onSegment: (segment: PackagedSegment) => void,
	) {
		this.#tracks = tracks;
		this.#onSegment = onSegment;
		this.firstMs = begin.beginMs;
		this.#endMs = continues.timelineEndMs;
		this.#sequence = continues.sequence;
		this.#newest = this.#oldest = openSegment(begin, tracks.length);
		let earliestMs = begin.dtsMs;
		for (const track of tracks) {
			const before = track.builder.countBefore((begin.beginMs * track.clockRate) / 1000);
			track.builder.discard(before === -1 ? track.builder.count : before);
			const { first } = track.builder;
			if (first !== undefined) earliestMs = Math.min(earliestMs, track.msOf(first.dts));
			track.segment = this.#newest;
		}
		this.#shiftSeconds = Math.ceil((this.#endMs - earliestMs) / 1000);
		// Nothing decodes before the end of the line before, not even what comes late and was to be decoded early.
		for (const { builder, clockRate } of tracks) {
			builder.notBefore(Math.ceil((this.#endMs * clockRate) / 1000) - this.#shiftSeconds * clockRate);
		}
	}

	/** When the newest segment began. */
	get beginMs(): number {
		return this.#newest.beginMs;
	}

	/** Where the timeline ends by now. */
	get timelineEndMs(): number {
		return this.#endMs;
	}

	/** How many parts were made so far, by all lines. */
	get sequence(): number {
		return this.#sequence;
	}

	/** What all that has not left costs in memory. */
	get heldBytes(): number {
		let bytes = 0;
		for (const { builder } of this.#tracks) bytes += builder.held;
		for (let segment: OpenSegment | null = this.#oldest; segment !== null; segment = segment.next) {
			for (const part of segment.parts) bytes += part.held;
		}
		return bytes;
	}

	/** Says whether a track is in the newest segment. */
	isAtHead(track: TrackPackager): boolean {
		return track.segment === this.#newest;
	}

	/** Ends the newest segment at `atMs`, and begins the next. */
	cut(atMs: number, { startMs, discontinuity, by }: CutOptions): void {
		const ended = this.#newest;
		ended.endMs = atMs;
		ended.next = openSegment({ beginMs: atMs, startMs, discontinuity }, this.#tracks.length);
		this.#newest = ended.next;
		for (const track of this.#tracks) {
			if (track.segment !== ended) continue;
			if (track === by?.track) this.#close(track, track.builder.count, by.dts);
			else if (track.idle) this.#close(track, track.builder.count, null);
			else {
				const before = track.builder.countBefore((atMs * track.clockRate) / 1000);
				if (before !== -1) this.#close(track, before, null);
			}
		}
	}

	/** Closes the parts of a track that end where its next sample is, a sample where a decoder can begin. */
	reach(track: TrackPackager, timeMs: number, dts: number): void {
		while (track.segment !== null && timeMs >= track.segment.endMs) this.#close(track, track.builder.count, dts);
	}

	/** No longer waits for tracks that have not closed their part of a segment that ended before `beforeMs`. */
	settle(beforeMs: number): void {
		while (this.#oldest !== this.#newest && this.#oldest.endMs <= beforeMs) this.#settleOldest();
	}

	/** Closes all parts. Nothing may be called after it. */
	finish(): void {
		this.settle(Number.POSITIVE_INFINITY);
		this.#newest.endMs = Number.POSITIVE_INFINITY;
		for (const track of this.#tracks) this.#close(track, track.builder.count, null);
	}

	#settleOldest(): void {
		const segment = this.#oldest;
		for (const track of this.#tracks) {
			if (track.segment !== segment) continue;
			track.idle = true;
			while (track.segment !== this.#newest) this.#close(track, track.builder.count, null);
		}
	}

	/** Closes a track's part with its first `count` samples. `next` is the decoding time behind them, if known. */
	#close(track: TrackPackager, count: number, next: number | null): void {
		const segment = track.segment;
		if (segment === null) return;
		track.segment = segment.next;
		const part = this.#buildPart(track, count, next);
		if (part !== null) segment.parts.push(part);
		segment.missing--;
		while (this.#oldest.missing === 0) {
			const left = this.#oldest;
			this.#leave(left);
			if (left.next === null) return;
			this.#oldest = left.next;
		}
	}

	#buildPart(track: TrackPackager, count: number, next: number | null): ClosedPart | null {
		const shift = this.#shiftSeconds * track.clockRate;
		const built = track.builder.build(count, this.#sequence + 1, shift, next);
		if (built === null) return null;
		this.#sequence++;
		track.measured(built.samples, built.duration);
		const { format } = track;
		if (format === null) throw new TypeError(`Track ${track.id} has samples, but no parameter sets`);
		this.#endMs = Math.max(this.#endMs, track.msOf(built.end + shift));
		return {
			index: track.index,
			part: { ...format, duration: built.duration / track.clockRate, bytes: built.bytes },
			held: built.held,
			release: built.release,
		};
	}

	#leave({ parts, startMs, discontinuity }: OpenSegment): void {
		if (parts.length === 0) {
			this.#owedDiscontinuity ||= discontinuity;
			return;
		}
		// Tracks close their parts as they get there; what reads segments wants them in the order of the tracks.
		parts.sort((a, b) => a.index - b.index);
		const owed = this.#owedDiscontinuity;
		this.#owedDiscontinuity = false;
		let held = true;
		this.#onSegment({
			startMs,
			discontinuity: discontinuity || owed,
			parts: parts.map(({ part }) => part),
			release: () => {
				if (!held) return;
				held = false;
				for (const part of parts) part.release();
			},
		});
	}
}

type SegmentBegin = Pick<OpenSegment, "beginMs" | "startMs" | "discontinuity">;
/** `dtsMs`: decoding time of the unit that begins the line. */
export type LineBegin = SegmentBegin & { readonly dtsMs: number };

function openSegment({ beginMs, startMs, discontinuity }: SegmentBegin, missing: number): OpenSegment {
	return { beginMs, startMs, discontinuity, endMs: Number.POSITIVE_INFINITY, parts: [], missing, next: null };
}

/**
 * Brings the segments of one stream into the bucket and into its timeline: uploads, then commits, strictly in order;
 * the upload of a segment overlaps with the commit of the one before. While the bucket is away, or slow, segments wait
 * on disk, so that neither memory nor a restart is the limit. Ingest never waits: {@link StreamUploader.push} returns
 * at once, whatever happens.
 */

import { throwIfAborted } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode, SluiceError } from "#shared/problem.ts";
import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import type { TimelineRecord } from "#shared/timeline/record.ts";
import type { Retry } from "#shared/timeline/retry.ts";
import type { UploadedSegment } from "#shared/timeline/window.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import type { LossReason, UploaderMetrics } from "./metrics.ts";
import { type QueuedSegment, type ReleasableSegment, SegmentQueue } from "./segment-queue.ts";
import { SegmentUpload } from "./segment-upload.ts";
import { Spool } from "./spool.ts";
import { type StreamUploaderOptions, type UploaderSettings, withDefaults } from "./uploader-settings.ts";

/** The bucket counts as away when for so long nothing but failures came. */
export const AWAY_AFTER_MS = 2_000;
/** After a failed write to the spool. */
const SPOOL_RETRY_MS = 5_000;
/** For the last head and the lease, after all segments were committed or spooled. */
const FAREWELL_MS = 3_000;
export const DEFAULT_DRAIN_MS = 10_000;

export class StreamUploader implements AsyncDisposable {
	readonly path: PathName;
	readonly #settings: UploaderSettings;
	readonly #spool: Spool;
	readonly #queue: SegmentQueue;
	readonly #retry: Retry;
	/** Fires when everything must stop at once: a failure, or the end of a close. */
	readonly #life = new AbortController();
	#writer: TimelineWriter | null = null;
	#run: Promise<void> = Promise.resolve();
	#spooling: Promise<void> | null = null;
	/** Letting go of segments, after a failure. */
	#givingUp: Promise<void> | null = null;
	#wakeUp: () => void = () => {};
	#phase: "opening" | "open" | "draining" | "failed" = "opening";
	#closing: Promise<void> | null = null;

	/** Why it stopped; `null` while it has not, and when it was asked to. */
	#failure: unknown = null;
	#failingSinceMs: number | null = null;
	#isAway = false;
	#spoolAgainAtMs = Number.NEGATIVE_INFINITY;
	#committed = 0;
	#lost = 0;
	#retries = 0;
	#lastCommitLagMs: number | null = null;
	#lastWaitMs = 0;

	private constructor(settings: UploaderSettings, spool: Spool) {
		this.#settings = settings;
		this.path = settings.path;
		this.#spool = spool;
		this.#queue = new SegmentQueue(
			{ maxItems: settings.maxQueueItems, maxBytes: settings.maxQueueBytes },
			spool.leftovers,
		);
		this.#retry = { clock: settings.clock, random: settings.random, onRetry: (error) => this.#failed(error) };
	}

	/**
	 * Takes the stream over, and begins with what an earlier process left in the spool. When the bucket does not answer
	 * within `openWaitMs` this returns all the same: segments are spooled, and `onFenced` tells later who owns the stream.
	 * One uploader of a path may be open in a process at once: close the one before first.
	 * @throws StoreError `timeline.fenced`, `timeline.corrupt`
	 * @throws InputError `config.invalid` when the spool folder cannot be used
	 */
	static async open(options: StreamUploaderOptions, signal: AbortSignal): Promise<StreamUploader> {
		const settings = withDefaults(options);
		const spool = await Spool.open(settings.spoolRoot, settings.path, settings.maxSpoolBytes, settings.log);
		throwIfAborted(signal);
		const uploader = new StreamUploader(settings, spool);
		await uploader.#start(signal);
		return uploader;
	}

	/** The newest record of this uploader; `null` until it owns the stream. */
	get newest(): TimelineRecord | null {
		return this.#writer?.newest ?? null;
	}

	/** The record that the head object is known to hint at; -1 when that is not known. */
	get headNumber(): number {
		return this.#writer?.headNumber ?? -1;
	}

	get metrics(): UploaderMetrics {
		return {
			queueItems: this.#queue.memoryItems,
			queueBytes: this.#queue.memoryBytes,
			spoolItems: this.#spool.items,
			spoolBytes: this.#spool.bytes,
			segmentsCommitted: this.#committed,
			segmentsLost: this.#lost,
			retries: this.#retries,
			lastCommitLagMs: this.#lastCommitLagMs,
			waitMs: Math.max(this.#lastWaitMs, this.#settings.clock.monotonic() - this.#queue.oldestQueuedMs),
			isAway: this.#isAway,
		};
	}

	/** Takes a segment. Returns at once and never fails; `release` is called when its buffers are no longer needed. */
	push(segment: ReleasableSegment): void {
		if (this.#phase === "draining" || this.#phase === "failed") {
			segment.release();
			this.#tellLost(this.#phase === "failed" ? "fenced" : "closed", segmentDuration(segment));
			return;
		}
		for (const lost of this.#queue.push(segment, this.#settings.clock.monotonic()))
			this.#tellLost("queue_full", lost.duration);
		this.#wakeUp();
		this.#spoolSoon();
	}

	/** Says that the stream is over for now: an end record follows what was pushed. A segment may follow all the same. */
	end(): void {
		if (this.#phase === "draining" || this.#phase === "failed") return;
		this.#queue.pushEnd();
		this.#wakeUp();
	}

	/**
	 * Commits what was pushed, within `drainMs`; spools what is left; gives the lease up. Idempotent, never fails. It may
	 * take {@link FAREWELL_MS} longer, for the lease.
	 */
	close(drainMs: number = DEFAULT_DRAIN_MS): Promise<void> {
		this.#closing ??= this.#close(drainMs);
		return this.#closing;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	async #start(signal: AbortSignal): Promise<void> {
		const { clock, log, openWaitMs } = this.#settings;
		const onDamaged = (error: SluiceError) => log.warn({ code: error.code }, error.message);
		const opening = TimelineWriter.open(
			{ ...this.#settings, owner: this.#settings.nodeId, onRetry: (error) => this.#failed(error), onDamaged },
			this.#life.signal,
		);
		this.#run = this.#work(opening).catch((error: unknown) => this.#stopped(error));
		const onAbort = () => this.#stop();
		signal.addEventListener("abort", onAbort, { once: true });
		const { promise: waited, resolve } = Promise.withResolvers<void>();
		using _timer = clock.after(openWaitMs, resolve);
		try {
			await Promise.race([opening, waited]);
			throwIfAborted(signal);
			if (this.#failure !== null) throw this.#failure;
			this.#phase = "open";
		} catch (error) {
			this.#stop();
			await this.#run;
			throw error;
		} finally {
			signal.removeEventListener("abort", onAbort);
		}
	}

	/** Uploads and commits, one segment after the other, until the queue is empty and closing, or something ends it. */
	async #work(opening: Promise<TimelineWriter>): Promise<void> {
		const { signal } = this.#life;
		const { clock, store, path, leaseMs } = this.#settings;
		const writer = await opening;
		this.#writer = writer;
		this.#succeeded();
		const uploads = new SegmentUpload({ store, retry: this.#retry, path, epoch: writer.epoch });
		using _renewal = clock.every(leaseMs / 3, () => void this.#renew(writer));
		const lastStartMs = writer.resumedFrom?.window.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY;

		let committing: Promise<void> = Promise.resolve();
		for (let item = await this.#next(); item !== null; item = await this.#next()) {
			if (item.kind === "end") {
				await committing;
				await writer.commitEnd(signal);
				continue;
			}
			const segment = item.memory ?? (item.file === null ? null : await this.#spool.read(item.file));
			if (segment === null) {
				// Its file is put aside, not waiting any more.
				item.file = null;
				this.#lose(item, "spool_damaged");
				continue;
			}
			if (item.isLeftover && segment.startMs <= lastStartMs) {
				// It was committed before the process could forget it, or the stream went on without us: there is no way back.
				await this.#settle(item);
				continue;
			}
			const uploaded = await this.#upload(uploads, segment);
			await committing;
			committing = this.#commit(writer, item, uploaded);
			// The next turn hears of it; a failure must stop an upload that is under way, too.
			committing.catch((error: unknown) => this.#stop(error));
		}
		await committing;
	}

	/** The next item; waits for one. `null` when there is none and the uploader is closing. */
	async #next() {
		for (;;) {
			throwIfAborted(this.#life.signal);
			const item = this.#queue.take();
			if (item !== null || this.#phase === "draining") return item;
			await new Promise<void>((resolve) => {
				this.#wakeUp = resolve;
			});
		}
	}

	async #upload(uploads: SegmentUpload, segment: PendingSegment): Promise<UploadedSegment> {
		const { clock, onUploadSeconds } = this.#settings;
		const began = clock.monotonic();
		const uploaded = await uploads.upload(segment, this.#life.signal);
		onUploadSeconds((clock.monotonic() - began) / 1000);
		this.#succeeded();
		return uploaded;
	}

	async #commit(writer: TimelineWriter, item: QueuedSegment, uploaded: UploadedSegment): Promise<void> {
		const discontinuity = uploaded.discontinuity || item.isBroken;
		try {
			await writer.commitSegment({ ...uploaded, discontinuity }, this.#life.signal);
		} catch (error) {
			if (!(error instanceof TypeError)) throw error;
			this.#settings.log.error({ err: error }, "A segment cannot be committed: left out");
			this.#lose(item, "invalid");
			return;
		}
		this.#succeeded();
		this.#committed++;
		this.#lastCommitLagMs = this.#settings.clock.now() - (uploaded.startMs + segmentDuration(uploaded) * 1000);
		this.#lastWaitMs = Math.max(0, this.#settings.clock.monotonic() - item.queuedMs);
		await this.#settle(item);
	}

	/** A segment needs neither its memory nor its file any more. */
	async #settle(item: QueuedSegment): Promise<void> {
		this.#queue.done(item);
		const { file } = item;
		item.file = null;
		if (file !== null) await this.#spool.remove(file);
	}

	#lose(item: QueuedSegment, reason: LossReason): void {
		this.#queue.lose(item);
		this.#tellLost(reason, item.duration);
	}

	#tellLost(reason: LossReason, duration: number): void {
		this.#lost++;
		this.#settings.onLost({ reason, segments: 1, duration });
	}

	async #renew(writer: TimelineWriter): Promise<void> {
		try {
			await writer.renew(this.#life.signal);
			this.#succeeded();
		} catch (error) {
			if (!hasCode(error, "aborted", "session.closed")) this.#stop(error);
		}
	}

	#succeeded(): void {
		this.#failingSinceMs = null;
		if (!this.#isAway) return;
		this.#isAway = false;
		this.#settings.log.info({ spooled: this.#spool.items }, "The bucket is back: catching up");
	}

	#failed(error: SluiceError): void {
		this.#retries++;
		const nowMs = this.#settings.clock.monotonic();
		this.#failingSinceMs ??= nowMs;
		if (!this.#isAway && nowMs - this.#failingSinceMs >= AWAY_AFTER_MS) {
			this.#isAway = true;
			this.#settings.log.warn({ err: error, code: error.code }, "The bucket is away: segments wait on disk");
		}
		this.#spoolSoon();
	}

	/** Moves segments to disk, as long as there is a reason to. */
	#spoolSoon(): void {
		if (this.#spooling !== null || this.#phase === "failed" || this.#nextToSpool() === null) return;
		this.#spooling = this.#spoolAll(() => this.#nextToSpool()).finally(() => {
			this.#spooling = null;
		});
	}

	#nextToSpool(): QueuedSegment | null {
		if (this.#settings.clock.monotonic() < this.#spoolAgainAtMs) return null;
		// A bucket that is away may stay so longer than this process lives: then what is on its way waits on disk as well.
		if (this.#isAway) return this.#queue.nextToSpool(true);
		return this.#queue.isCrowded ? this.#queue.nextToSpool(false) : null;
	}

	async #spoolAll(next: () => QueuedSegment | null): Promise<void> {
		for (let item = next(); item !== null; item = next()) {
			item.isSpooling = true;
			try {
				await this.#spoolOne(item);
			} catch (error) {
				this.#settings.log.error({ err: error }, "A segment could not be written to the spool");
				this.#spoolAgainAtMs = this.#settings.clock.monotonic() + SPOOL_RETRY_MS;
				item.isUnspoolable = this.#phase === "draining";
			} finally {
				item.isSpooling = false;
			}
		}
	}

	async #spoolOne(item: QueuedSegment): Promise<void> {
		const { memory } = item;
		if (memory === null) return;
		while (!this.#spool.hasRoomFor(item.bytes)) {
			const oldest = this.#queue.oldestSpooled(item.order);
			if (oldest === null) {
				item.isUnspoolable = true;
				return;
			}
			this.#lose(oldest, "spool_full");
			await this.#settle(oldest);
		}
		const discontinuity = memory.discontinuity || item.isBroken;
		const file = await this.#spool.write(item.order, { ...memory, discontinuity });
		this.#queue.spooled(item, file);
		// It was committed, or lost, while the file was written.
		if (item.state === "done") await this.#settle(item);
	}

	/** Stops everything at once. The first `error` is why; none: we were asked to. */
	#stop(error?: unknown): void {
		if (!this.#life.signal.aborted) this.#failure = error ?? null;
		this.#life.abort();
		this.#wakeUp();
	}

	/** The work has ended before its time. Whoever opens or closes hears of it there; otherwise the owner is told. */
	#stopped(error: unknown): void {
		this.#stop(error);
		if (this.#phase !== "open") return;
		this.#phase = "failed";
		const reason = this.#failure ?? error;
		this.#settings.log.error({ err: reason, ...codeOf(reason) }, "Nothing more is committed to this stream");
		this.#givingUp = this.#giveUp(reason);
		this.#settings.onFenced(
			reason instanceof SluiceError
				? reason
				: new GoneError("session.closed", "The uploader failed; the log says how", { cause: reason }),
		);
	}

	/** Lets go of all segments. The timeline of a stream that another node took has no place for them any more. */
	async #giveUp(reason: unknown): Promise<void> {
		const isFenced = hasCode(reason, "timeline.fenced");
		const rest = this.#queue.clear();
		for (const item of rest)
			if (isFenced || item.file === null) this.#tellLost(isFenced ? "fenced" : "closed", item.duration);
		await this.#spooling;
		if (isFenced) for (const item of rest) await this.#settle(item);
	}

	async #close(drainMs: number): Promise<void> {
		const { clock } = this.#settings;
		if (this.#phase !== "failed") this.#phase = "draining";
		this.#wakeUp();
		{
			using _deadline = clock.after(drainMs, () => this.#stop());
			await this.#run;
		}
		this.#stop();
		await this.#givingUp;
		await this.#spooling;
		if (!hasCode(this.#failure, "timeline.fenced")) await this.#spoolAll(() => this.#queue.nextToSpool(true));
		await this.#giveUp(this.#failure);

		const farewell = new AbortController();
		using _farewell = clock.after(FAREWELL_MS, () => farewell.abort());
		await this.#writer?.close(farewell.signal);
	}
}

function codeOf(error: unknown): { code?: string } {
	return error instanceof SluiceError ? { code: error.code } : {};
}

function segmentDuration(segment: { readonly parts: readonly { readonly duration: number }[] }): number {
	return Math.max(0, ...segment.parts.map((part) => part.duration));
}

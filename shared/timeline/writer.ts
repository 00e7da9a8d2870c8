/**
 * The one that commits to a stream's timeline. Commit `n` is the creation of the record object `n`, which only one
 * writer can do; the protocol is in `docs/decisions/0001-records-and-fences.md`.
 *
 * 1. Take the lease: the epoch goes up.
 * 2. Write a fence record at the first free number. An old owner that still commits takes numbers before the fence,
 *    or finds its number taken and stops; it never commits behind a fence, since it commits only at the number after
 *    its own last record.
 * 3. Commit segments, each at the next number, as long as the lease holds.
 *
 * A writer that slept must still find its number taken. Therefore records are kept an hour longer than the segments
 * they list ({@link RECORD_KEEP_MS}), and one that slept longer finds out by its lease: both clocks must agree that it
 * holds, before a record is created and again before that counts as committed. What such a writer may have created in
 * the past stands below the head, where nobody looks.
 */

import { type Clock, throwIfAborted } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode, SluiceError, StoreError } from "#shared/problem.ts";
import { recordKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { recordHash, type WrittenRecord } from "./chain.ts";
import { HeadWriter } from "./head.ts";
import { IndexWriter } from "./index-writer.ts";
import { fencedError, HeldLease, type Takeover } from "./lease.ts";
import { type FoundNewest, findNewest, readRecord } from "./reader.ts";
import { renditionSchema, segmentEntrySchema, type TimelineRecord } from "./record.ts";
import { RECORD_KEEP_MS } from "./retention.ts";
import { ATTEMPT_MS, type Retry, retried, timed } from "./retry.ts";
import { nextRecord, type TimelineEvent, type UploadedSegment } from "./window.ts";

export type TimelineWriterOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly path: PathName;
	/** A stable name of the node, the same after a restart. */
	readonly owner: string;
	readonly takeover: Takeover;
	readonly leaseMs: number;
	readonly segmentCount: number;
	/** In seconds. */
	readonly minimumTargetDuration: number;
	/** How long segments are kept, in milliseconds; `null`: that is not ours to say. The index tells readers. */
	readonly retentionMs?: (() => number | null) | undefined;
	/** Jitter of the retries, from 0 up to 1. */
	readonly random?: (() => number) | undefined;
	/** Told of each failure that is tried again. Must not throw. */
	readonly onRetry?: ((error: SluiceError) => void) | undefined;
	/** Told once of a damaged object of the index, which is then made again; must not throw. */
	readonly onDamaged?: ((error: SluiceError) => void) | undefined;
};

/** `open` until it fails or closes; `error` is why nothing more will be committed. */
type State = { readonly kind: "open" } | { readonly kind: "stopped"; readonly error: SluiceError };

export class TimelineWriter {
	readonly epoch: number;
	/** The newest record before this writer's fence; `null` when the timeline began with it. */
	readonly resumedFrom: TimelineRecord | null;
	readonly #options: TimelineWriterOptions;
	readonly #retry: Retry;
	readonly #id: string;
	readonly #lease: HeldLease;
	readonly #head: HeadWriter;
	readonly #index: IndexWriter;
	#newest: WrittenRecord;
	#state: State = { kind: "open" };
	#isCommitting = false;
	#closing: Promise<void> | null = null;

	private constructor(
		options: TimelineWriterOptions,
		retry: Retry,
		id: string,
		lease: HeldLease,
		head: HeadWriter,
		resumedFrom: TimelineRecord | null,
		fence: WrittenRecord,
	) {
		this.#options = options;
		this.#retry = retry;
		this.#id = id;
		this.#lease = lease;
		this.#head = head;
		const { store, path, retentionMs = () => null, onDamaged } = options;
		this.#index = new IndexWriter({ store, retry, path, retentionMs, onDamaged }, fence.record);
		this.#newest = fence;
		this.epoch = lease.epoch;
		this.resumedFrom = resumedFrom;
	}

	/**
	 * Takes the stream over: lease, fence, head. Waits as long as the bucket is away and `signal` allows.
	 * @throws StoreError `timeline.fenced` when another node owns the stream and may not be overridden, or takes it
	 * meanwhile; `timeline.corrupt` when the newest record or the lease is damaged
	 */
	static async open(options: TimelineWriterOptions, signal: AbortSignal): Promise<TimelineWriter> {
		const { store, clock, path, random = Math.random, onRetry } = options;
		const retry: Retry = { clock, random, onRetry };
		const id = crypto.randomUUID();
		// A lease that was deleted has forgotten its epoch; the records have not.
		const before = await retried(retry, (attempt) => findNewest(store, path, attempt), signal);
		const lease = await HeldLease.take({ ...options, retry, writer: id }, before.newest?.record.epoch ?? 0, signal);
		const { fence, found } = await writeFence(options, retry, id, lease, signal);
		const head = new HeadWriter(store, retry, path, found.head);
		head.set(fence);
		return new TimelineWriter(options, retry, id, lease, head, found.newest?.record ?? null, fence);
	}

	/** The record that this writer committed last. */
	get newest(): TimelineRecord {
		return this.#newest.record;
	}

	/** The record that the head object is known to hint at; -1 when that is not known. */
	get headNumber(): number {
		return this.#head.confirmed;
	}

	/**
	 * Commits a segment, whose objects must be in the bucket, as the next one. Calls must not overlap.
	 * @throws StoreError `timeline.fenced` when another node took over: this and every later call fails with it
	 * @throws GoneError `aborted` when `signal` fires; whether the record was committed is not known then, and this
	 * writer commits nothing more
	 * @throws TypeError when a reader would not accept the segment; the writer stays usable
	 */
	commitSegment(segment: UploadedSegment, signal: AbortSignal): Promise<TimelineRecord> {
		return this.#commit({ kind: "segment", segment }, signal);
	}

	/** Commits that the stream is over for now. A segment may follow all the same. @throws as {@link commitSegment} */
	commitEnd(signal: AbortSignal): Promise<TimelineRecord> {
		return this.#commit({ kind: "end" }, signal);
	}

	/** Extends the lease: call it each third of `leaseMs`. @throws StoreError `timeline.fenced` */
	async renew(signal: AbortSignal): Promise<void> {
		this.#assertOpen();
		try {
			await this.#lease.renew(signal);
		} catch (error) {
			if (hasCode(error, "timeline.fenced")) this.#stop(error);
			throw error;
		}
	}

	/**
	 * Writes the head, gives the lease up and stops, within `signal`. Never fails for the bucket's sake: all that is left
	 * are hints, and a lease that cannot be given up expires. Idempotent. Not to be called while a commit is under way.
	 */
	close(signal: AbortSignal): Promise<void> {
		this.#closing ??= this.#close(signal);
		return this.#closing;
	}

	async #close(signal: AbortSignal): Promise<void> {
		const isFenced = this.#state.kind === "stopped" && hasCode(this.#state.error, "timeline.fenced");
		this.#stop(new GoneError("session.closed", "The writer of this timeline was closed"));
		const left = isFenced ? AbortSignal.abort() : signal;
		await Promise.all([this.#head.close(left), this.#index.close(left)]);
		if (isFenced) return;
		try {
			await timed(this.#retry.clock, (attempt) => this.#lease.release(attempt), signal, ATTEMPT_MS);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			this.#options.onRetry?.(error);
		}
	}

	async #commit(event: TimelineEvent, signal: AbortSignal): Promise<TimelineRecord> {
		this.#assertOpen();
		throwIfAborted(signal);
		if (this.#isCommitting) throw new TypeError("Cannot commit: the commit before it has not settled");
		this.#isCommitting = true;
		try {
			const next = await encode(this.#options, this.#id, this.epoch, this.#newest, event);
			const foreign = await create(this.#options, this.#retry, this.#lease, next, signal);
			if (foreign !== null) throw fencedError(this.#options.path, { epoch: foreign.record.epoch });
			this.#newest = next;
			this.#head.set(next);
			this.#index.add(next.record);
			return next.record;
		} catch (error) {
			if (hasCode(error, "timeline.fenced", "timeline.corrupt", "aborted")) this.#stop(error);
			throw error;
		} finally {
			this.#isCommitting = false;
		}
	}

	#assertOpen(): void {
		if (this.#state.kind === "stopped") throw this.#state.error;
	}

	#stop(error: SluiceError): void {
		if (this.#state.kind === "open") this.#state = { kind: "stopped", error };
	}
}

/** Makes the record that follows `previous`. @throws TypeError when a reader would not accept its segment */
async function encode(
	{ clock, segmentCount, minimumTargetDuration }: TimelineWriterOptions,
	writer: string,
	epoch: number,
	previous: WrittenRecord | null,
	event: TimelineEvent,
): Promise<WrittenRecord> {
	const record = nextRecord(previous?.record ?? null, event, {
		epoch,
		writer,
		previousHash: previous === null ? "" : await recordHash(previous.text),
		committedMs: clock.now(),
		segmentCount,
		minimumTargetDuration,
	});
	if (event.kind === "segment") assertReadable(event.segment, record);
	return { record, text: JSON.stringify(record) };
}

/** A record that no reader accepts would end the stream for good, so it is found out before it is committed. */
function assertReadable(segment: UploadedSegment, { window, renditions }: TimelineRecord): void {
	const entry = segmentEntrySchema.safeParse(window.at(-1));
	if (!entry.success) throw new TypeError(`Cannot commit segment: ${entry.error.message}`);
	const parsed = renditionSchema.array().min(1).max(32).safeParse(renditions);
	if (!parsed.success) throw new TypeError(`Cannot commit renditions: ${parsed.error.message}`);
	const ids = new Set(renditions.map((rendition) => rendition.id));
	if (ids.size !== segment.parts.length)
		throw new TypeError("Cannot commit segment: two parts have the same rendition");
}

/**
 * Creates the fence record at the first free number. A process that slept since it looked which one that is may find it
 * free though it was taken, since retention has deleted its record meanwhile: then it looks again.
 */
async function writeFence(
	options: TimelineWriterOptions,
	retry: Retry,
	id: string,
	lease: HeldLease,
	signal: AbortSignal,
): Promise<{ fence: WrittenRecord; found: FoundNewest }> {
	const { store, path, clock } = options;
	for (;;) {
		const [monotonicMs, wallMs] = [clock.monotonic(), clock.now()];
		const found = await retried(retry, (attempt) => findNewest(store, path, attempt), signal);
		const newest = found.newest?.record;
		if (newest !== undefined && newest.epoch >= lease.epoch && newest.writer !== id) {
			throw fencedError(path, { epoch: newest.epoch });
		}
		const fence = await encode(options, id, lease.epoch, found.newest, { kind: "fence" });
		const foreign = await create(options, retry, lease, fence, signal);
		// An old owner was faster: the fence goes behind its records.
		if (foreign !== null) continue;
		const elapsedMs = Math.max(clock.monotonic() - monotonicMs, clock.now() - wallMs);
		if (elapsedMs < RECORD_KEEP_MS / 2) return { fence, found };
	}
}

/**
 * Creates a record object while the lease holds. Says `null` when it is there now, or whose record has the number.
 * Every attempt sends the same bytes, so that one whose answer was lost is recognized by them.
 */
async function create(
	{ store, path }: TimelineWriterOptions,
	retry: Retry,
	lease: HeldLease,
	written: WrittenRecord,
	signal: AbortSignal,
): Promise<WrittenRecord | null> {
	for (;;) {
		if (!lease.isHeld) await lease.renew(signal);
		const outcome = await retried(
			retry,
			// The waits between attempts can outlast the lease.
			async (attempt) => (lease.isHeld ? await tryCreate(store, path, written, attempt) : "lapsed"),
			signal,
		);
		if (outcome === "lapsed") continue;
		// What was created by a process that slept may stand in the past. Only who still owns the stream knows that it does not.
		if (outcome === null && !lease.isHeld) await lease.renew(signal);
		return outcome;
	}
}

async function tryCreate(
	store: ObjectStore,
	path: PathName,
	{ record, text }: WrittenRecord,
	signal: AbortSignal,
): Promise<WrittenRecord | null> {
	const key = recordKey(path, record.n);
	try {
		await store.putIfAbsent(key, text, { signal, contentType: "application/json" });
		return null;
	} catch (error) {
		if (!hasCode(error, "store.precondition")) throw error;
		const existing = await readRecord(store, path, record.n, signal);
		if (existing === null) {
			throw new StoreError("store.conflict", `The record ${key} was there and is not`, { cause: error });
		}
		return existing.text === text ? null : existing;
	}
}

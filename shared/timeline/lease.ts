/**
 * The lease of a stream: who may commit to its timeline. It keeps nodes from fighting; it is not what makes commits
 * safe. That is the fence record: a node that believes in an old lease finds its next number taken.
 */

import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { hasCode, StoreError } from "#shared/problem.ts";
import { leaseKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { parseTimelineObject } from "./chain.ts";
import { type Lease, leaseSchema } from "./record.ts";
import { type Retry, retried } from "./retry.ts";

/** How long a node takes a stream for; it renews that each third of it. */
export const LEASE_MS = 10_000;

/**
 * Says whether the holder has missed a renewal, and a half: one that lives would not have. Clocks of nodes may differ, so
 * this tells too early or too late by that; who acts on it must be right either way, as a fence makes sure.
 */
export function isLapsing({ expiresMs }: Pick<Lease, "expiresMs">, leaseMs: number, nowMs: number): boolean {
	return expiresMs - leaseMs / 2 <= nowMs;
}

/** `override`: take a lease that somebody else still holds. `respect`: only one that is free, lapsing or our own. */
export type Takeover = "override" | "respect";

export type LeaseOptions = {
	readonly store: ObjectStore;
	readonly retry: Retry;
	readonly path: PathName;
	/** A stable name of the node, the same after a restart. */
	readonly owner: string;
	/** Unique for each opening. */
	readonly writer: string;
	readonly takeover: Takeover;
	readonly leaseMs: number;
};

/** A lease that was taken. It is held until it expires, or until {@link renew} finds that another node has it. */
export class HeldLease {
	readonly epoch: number;
	readonly #options: LeaseOptions;
	#etag: string;
	#until: Until;
	#renewal: Promise<void> | null = null;

	private constructor(options: LeaseOptions, epoch: number, etag: string, until: Until) {
		this.#options = options;
		this.epoch = epoch;
		this.#etag = etag;
		this.#until = until;
	}

	/**
	 * Takes the lease with an epoch above its last one and above `minimumEpoch`.
	 * @throws StoreError `timeline.fenced` when another node holds it and may not be overridden
	 */
	static take(options: LeaseOptions, minimumEpoch: number, signal: AbortSignal): Promise<HeldLease> {
		const { store, retry, path, writer, leaseMs } = options;
		const { clock } = retry;
		const key = leaseKey(path);
		return retried(
			retry,
			async (attemptSignal) => {
				const current = await readLease(store, path, attemptSignal);
				// An earlier attempt took effect, though its answer was lost. When is not known: it counts as expired.
				if (current?.lease.writer === writer) return new HeldLease(options, current.lease.epoch, current.etag, EXPIRED);
				if (current !== null) assertFree(current.lease, options);

				const epoch = Math.max(current?.lease.epoch ?? 0, minimumEpoch) + 1;
				const until = untilAfter(clock, leaseMs);
				const body = leaseBody(options, epoch, until.wallMs);
				try {
					const { etag } = await (current === null
						? store.putIfAbsent(key, body, { signal: attemptSignal, ...JSON_TYPE })
						: store.putIfMatch(key, body, current.etag, { signal: attemptSignal, ...JSON_TYPE }));
					return new HeldLease(options, epoch, etag, until);
				} catch (error) {
					throw lostRace(error, key);
				}
			},
			signal,
		);
	}

	/** Whether it has not expired. Another node may have taken it all the same. */
	get isHeld(): boolean {
		const { clock } = this.#options.retry;
		// The monotonic clock stands still while a machine sleeps, the wall clock may be set back: both must agree.
		return clock.monotonic() < this.#until.monotonicMs && clock.now() < this.#until.wallMs;
	}

	/**
	 * Extends the lease from now. Callers at the same time share one renewal.
	 * @throws StoreError `timeline.fenced` when another node has taken it
	 */
	renew(signal: AbortSignal): Promise<void> {
		this.#renewal ??= this.#renew(signal).finally(() => {
			this.#renewal = null;
		});
		return this.#renewal;
	}

	/** Gives the lease up, so that another node need not wait until it expires. One attempt; the epoch stays. */
	async release(signal: AbortSignal): Promise<void> {
		await this.#renewal?.catch(() => "the renewal's own caller hears of it");
		this.#until = EXPIRED;
		const body = leaseBody(this.#options, this.epoch, 0);
		await this.#options.store.putIfMatch(leaseKey(this.#options.path), body, this.#etag, { signal, ...JSON_TYPE });
	}

	#renew(signal: AbortSignal): Promise<void> {
		const { store, retry, path, leaseMs } = this.#options;
		const key = leaseKey(path);
		return retried(
			retry,
			async (attemptSignal) => {
				const until = untilAfter(retry.clock, leaseMs);
				const body = leaseBody(this.#options, this.epoch, until.wallMs);
				try {
					({ etag: this.#etag } = await store.putIfMatch(key, body, this.#etag, {
						signal: attemptSignal,
						...JSON_TYPE,
					}));
					this.#until = until;
				} catch (error) {
					if (!hasCode(error, "store.precondition")) throw error;
					// Lost, unless it was an earlier attempt of ours that changed the lease.
					const current = await readLease(store, path, attemptSignal);
					if (current?.lease.writer !== this.#options.writer) throw fencedError(path, current?.lease ?? null);
					this.#etag = current.etag;
					throw lostRace(error, key);
				}
			},
			signal,
		);
	}
}

/** The end of a lease, by both clocks of the node that holds it. */
type Until = { readonly monotonicMs: number; readonly wallMs: number };

const EXPIRED: Until = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };
const JSON_TYPE = { contentType: "application/json" };

/** Counted from before the request is sent: whoever reads the lease sees it expire no earlier than its holder. */
function untilAfter(clock: Clock, leaseMs: number): Until {
	return { monotonicMs: clock.monotonic() + leaseMs, wallMs: clock.now() + leaseMs };
}

function leaseBody({ owner, writer }: LeaseOptions, epoch: number, expiresMs: number): string {
	const lease: Lease = { version: 1, owner, writer, epoch, expiresMs };
	return JSON.stringify(lease);
}

/** Reads a stream's lease; `null` when it never had one. @throws StoreError `timeline.corrupt` */
export async function readLease(
	store: ObjectStore,
	path: PathName,
	signal?: AbortSignal,
): Promise<{ lease: Lease; etag: string } | null> {
	const key = leaseKey(path);
	const object = await store.get(key, { signal });
	if (object === null) return null;
	return { lease: parseTimelineObject(key, await object.text(), leaseSchema), etag: object.etag };
}

function assertFree(lease: Lease, { path, owner, takeover, retry, leaseMs }: LeaseOptions): void {
	const isFree = takeover === "override" || lease.owner === owner || isLapsing(lease, leaseMs, retry.clock.now());
	if (!isFree) throw fencedError(path, lease);
}

/** A conditional write of the lease lost a race: the state must be read again, after a wait. */
function lostRace(error: unknown, key: string): unknown {
	if (!hasCode(error, "store.precondition")) return error;
	return new StoreError("store.conflict", `The lease ${key} changed while it was written`, { cause: error });
}

/** The error of a writer that is not, or no longer, the owner. `holder`: who is, where that is known. */
export function fencedError(path: PathName, holder: Partial<Lease> | null): StoreError {
	const { owner, epoch, expiresMs } = holder ?? {};
	const who = owner === undefined ? "Another node" : `Node ${JSON.stringify(owner)}`;
	const until = expiresMs === undefined ? "" : ` until ${new Date(expiresMs).toISOString()}`;
	return new StoreError(
		"timeline.fenced",
		`${who} owns the stream ${path}${until}. Publish there, or let this node override it`,
		{ data: { path, owner, epoch, expiresMs } },
	);
}

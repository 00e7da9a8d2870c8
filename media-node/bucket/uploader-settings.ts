/** What a stream's uploader is told, and what it does where it is told nothing. */

import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { LEASE_MS } from "#shared/timeline/lease.ts";
import type { Logger } from "../log.ts";
import type { Loss } from "./metrics.ts";

export type StreamUploaderOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly path: PathName;
	/** A stable name of the node, the same after a restart. */
	readonly nodeId: string;
	/** Whether to take a stream that another node still holds. */
	readonly takeover: "override" | "respect";
	readonly segmentCount: number;
	/** In seconds. */
	readonly minimumTargetDuration: number;
	/** The folder that holds the spools of all paths. */
	readonly spoolRoot: string;
	readonly maxSpoolBytes?: number | undefined;
	readonly maxQueueBytes?: number | undefined;
	readonly maxQueueItems?: number | undefined;
	readonly leaseMs?: number | undefined;
	/** How long `StreamUploader.open` waits for the bucket before it goes on without. */
	readonly openWaitMs?: number | undefined;
	/** Jitter of the retries, from 0 up to 1. */
	readonly random?: (() => number) | undefined;
	/**
	 * Called at most once, and not after `close`: nothing more will be committed. `timeline.fenced`: another node took the
	 * stream; `timeline.corrupt`: its timeline is damaged; `session.closed`: a fault of our own, which is logged.
	 */
	readonly onFenced: (reason: SluiceError) => void;
	/** How long segments are kept, in milliseconds; `null`: that is not ours to say. */
	readonly retentionMs?: (() => number | null) | undefined;
	/** Told of segments that will never be committed. */
	readonly onLost?: ((loss: Loss) => void) | undefined;
	/** Told how long each upload of a segment took, retries included. */
	readonly onUploadSeconds?: ((seconds: number) => void) | undefined;
};

/** Every option has a value. */
export type UploaderSettings = Required<{
	[K in keyof StreamUploaderOptions]: Exclude<StreamUploaderOptions[K], undefined>;
}>;

/** Fills in what was left out. */
export function withDefaults(options: StreamUploaderOptions): UploaderSettings {
	return {
		...options,
		maxSpoolBytes: options.maxSpoolBytes ?? 4 * 1024 ** 3,
		maxQueueBytes: options.maxQueueBytes ?? 64 * 1024 ** 2,
		maxQueueItems: options.maxQueueItems ?? 64,
		leaseMs: options.leaseMs ?? LEASE_MS,
		openWaitMs: options.openWaitMs ?? 3_000,
		random: options.random ?? Math.random,
		retentionMs: options.retentionMs ?? (() => null),
		onLost: options.onLost ?? (() => {}),
		onUploadSeconds: options.onUploadSeconds ?? (() => {}),
	};
}

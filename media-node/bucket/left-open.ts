/**
 * Finishes what earlier processes of this node left: playlists that stayed open, since their publisher may have come
 * back, and segments that wait in the spool. Whom nobody publishes to again is ended, so that players do not wait for ever.
 */

import { mkdir, readdir } from "node:fs/promises";
import { type Clock, within } from "#shared/clock.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import { hasCode, SluiceError } from "#shared/problem.ts";
import { keyToPath } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { readLease } from "#shared/timeline/lease.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import type { Logger } from "../log.ts";
import { hasSpooled } from "./spool.ts";

/** Publishers that lost their node have so long to come back, and longer where the path says so. */
export const FINISH_AFTER_MS = 60_000;
/** A bucket that does not answer must not hold up the other paths. */
const READ_MS = 10_000;

export type LeftOpenOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly nodeId: string;
	/** The folder that holds the spools of all paths: one folder for each that was ever packaged here. */
	readonly spoolRoot: string;
	/** How long the stream of a path waits for a publisher, in milliseconds. */
	readonly waitMsOf: (path: PathName) => number;
	/** Whether somebody publishes to it: then this process looks after it. */
	readonly isLive: (path: PathName) => boolean;
	/** Commits what is in the spool, and that the stream is over. @throws StoreError when the bucket does not take it */
	readonly finish: (path: PathName, signal: AbortSignal) => Promise<void>;
};

export class LeftOpen implements AsyncDisposable {
	readonly #options: LeftOpenOptions;
	readonly #left: Set<PathName>;
	readonly #stop = new AbortController();
	readonly #run: Promise<void>;

	private constructor(options: LeftOpenOptions, left: Iterable<PathName>) {
		this.#options = options;
		this.#left = new Set(left);
		this.#run = this.#follow();
	}

	/** Notes what is there before this process adds to it. */
	static async open(options: LeftOpenOptions): Promise<LeftOpen> {
		await mkdir(options.spoolRoot, { recursive: true });
		const names = await readdir(options.spoolRoot);
		return new LeftOpen(options, names.map(keyToPath).filter(isPathName));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort();
		await this.#run;
	}

	async #follow(): Promise<void> {
		const { clock } = this.#options;
		const { signal } = this.#stop;
		const startMs = clock.monotonic();
		while (this.#left.size > 0) {
			// Ends the wait, not the loop's owner: the signal is the only reason for it to fail.
			await clock.sleep(FINISH_AFTER_MS, signal).catch(() => undefined);
			for (const path of this.#left) {
				if (signal.aborted) return;
				if (clock.monotonic() - startMs >= this.#options.waitMsOf(path)) await this.#look(path, signal);
			}
		}
	}

	/** Finishes a path, unless somebody else is at it. What the bucket does not take now waits for the next round. */
	async #look(path: PathName, stop: AbortSignal): Promise<void> {
		const { clock, log, isLive, finish } = this.#options;
		try {
			if (!isLive(path) && (await within(clock, READ_MS, (signal) => this.#isUnfinished(path, signal), stop))) {
				log.info({ path }, "An earlier run left the stream open, and nobody publishes to it: it ends");
				await finish(path, stop);
			}
			this.#left.delete(path);
		} catch (error) {
			if (stop.aborted) return;
			// What is damaged, was taken by another node, or is a folder that cannot be read, is nothing to wait for.
			if (!(error instanceof SluiceError) || hasCode(error, "timeline.corrupt", "timeline.fenced"))
				this.#left.delete(path);
			log.warn({ path, err: error }, "A stream that an earlier run left open could not be ended");
		}
	}

	/** Whether it is ours, and segments wait for it or its playlist is open. */
	async #isUnfinished(path: PathName, signal: AbortSignal): Promise<boolean> {
		const { store, nodeId, spoolRoot } = this.#options;
		const held = await readLease(store, path, signal);
		if (held !== null && held.lease.owner !== nodeId) return false;
		if (await hasSpooled(spoolRoot, path)) return true;
		const newest = await readNewest(store, path, signal);
		return newest !== null && newest.kind !== "end" && newest.window.length > 0;
	}
}

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";

/** How long to wait for another process. A holder needs well under a millisecond, unless it was suspended. */
const LOCK_TIMEOUT_MS = 10_000;
const MAX_POLL_MS = 4;
/** @see https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * A lock between processes that dies with its holder, whatever kills it. Node has no flock(2), and a lock file would
 * need somebody to judge whether its writer still lives. SQLite's lock on a database file is the operating system's:
 * an empty database is used for nothing else. It is not recursive.
 */
export class FolderLock {
	readonly #file: string;
	readonly #clock: Clock;
	readonly #database: DatabaseSync;
	readonly #begin: StatementSync;
	readonly #rollback: StatementSync;
	/** Settles when the last of this process's holders is done: SQLite's lock does not tell them apart. */
	#last: Promise<void> = Promise.resolve();

	/** Opens the lock that is the file `file`, and makes it if need be. */
	constructor(file: string, clock: Clock) {
		this.#file = file;
		this.#clock = clock;
		this.#database = new DatabaseSync(file, { timeout: 0 });
		this.#begin = this.#database.prepare("BEGIN IMMEDIATE");
		this.#rollback = this.#database.prepare("ROLLBACK");
	}

	/**
	 * Runs `run` while nobody else, here or in another process, holds the lock.
	 * @throws StoreError `store.unavailable` if it is not had within ten seconds
	 */
	async hold<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
		const deadline = this.#clock.monotonic() + LOCK_TIMEOUT_MS;
		const before = this.#last;
		const { promise, resolve } = Promise.withResolvers<void>();
		this.#last = promise;
		await before;
		try {
			await this.#acquire(deadline, signal);
			try {
				return await run();
			} finally {
				this.#rollback.run();
			}
		} finally {
			resolve();
		}
	}

	async #acquire(deadline: number, signal: AbortSignal | undefined): Promise<void> {
		for (;;) {
			throwIfAborted(signal);
			try {
				this.#begin.run();
				return;
			} catch (error) {
				if (!isBusy(error)) throw error;
			}
			if (this.#clock.monotonic() >= deadline) {
				throw new StoreError(
					"store.unavailable",
					`Another process has held the bucket's lock ${this.#file} for ${LOCK_TIMEOUT_MS / 1000} s; is it suspended?`,
				);
			}
			await this.#clock.sleep(Math.random() * MAX_POLL_MS, signal);
		}
	}

	/** Waits for its holders here, and lets go of the file. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#last;
		if (this.#database.isOpen) this.#database.close();
	}
}

function isBusy(error: unknown): boolean {
	// The lower byte is the primary code.
	return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}

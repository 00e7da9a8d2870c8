/** Reads something of the bucket again and again. A bucket that is away stops nothing: what was read last stays. */

import { type Clock, throwIfAborted, within } from "#shared/clock.ts";
import { SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";

export type BucketPollOptions = {
	readonly clock: Clock;
	readonly log: Logger;
	/** What is read, for the log: begins a sentence, and is of one thing or of many. */
	readonly what: { readonly name: string; readonly isMany: boolean };
	readonly intervalMs: number;
	/** A bucket that does not answer must not hold the poll for ever. */
	readonly timeoutMs: number;
	/** Reads what is new. What it throws but a SluiceError is a bug. */
	readonly read: (signal: AbortSignal) => Promise<void>;
};

export class BucketPoll implements AsyncDisposable {
	readonly #options: BucketPollOptions;
	readonly #stop = new AbortController();
	#isAway = false;
	#run: Promise<void> = Promise.resolve();

	private constructor(options: BucketPollOptions) {
		this.#options = options;
	}

	/** Reads once, if the bucket answers, and goes on every `intervalMs` from then on. */
	static async open(options: BucketPollOptions, signal: AbortSignal): Promise<BucketPoll> {
		const poll = new BucketPoll(options);
		await poll.#poll(AbortSignal.any([signal, poll.#stop.signal]));
		throwIfAborted(signal);
		poll.#run = poll.#follow();
		return poll;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort();
		await this.#run;
	}

	async #follow(): Promise<void> {
		const { signal } = this.#stop;
		while (!signal.aborted) {
			// Ends the wait, not the loop's owner: the signal is the only reason for it to fail.
			await this.#options.clock.sleep(this.#options.intervalMs, signal).catch(() => undefined);
			if (!signal.aborted) await this.#poll(signal);
		}
	}

	async #poll(stop: AbortSignal): Promise<void> {
		const { clock, log, what, timeoutMs, read } = this.#options;
		try {
			await within(clock, timeoutMs, read, stop);
			if (this.#isAway) log.info(`${what.name} can be read again`);
			this.#isAway = false;
		} catch (error) {
			if (stop.aborted) return;
			if (!(error instanceof SluiceError)) throw error;
			const stays = what.isMany ? "the last ones stay" : "the last one stays";
			if (!this.#isAway) log.warn({ code: error.code, err: error }, `${what.name} cannot be read: ${stays}`);
			this.#isAway = true;
		}
	}
}

/** What sources that listen have in common: the socket, the end of a turn of reading, and silence. */

import { abortedError, type Clock } from "#shared/clock.ts";
import { ProtocolError } from "#shared/problem.ts";

export type DatagramSourceOptions = {
	/** For the buffer of each socket; 0: what the system takes. */
	readonly readBufferBytes: number;
};

const TICK_MS = 1_000;

export type RunOptions = {
	readonly clock: Clock;
	readonly readTimeoutMs: number;
	/** Each second. */
	readonly onTick?: () => void;
	/** Ends what one turn of the event loop brought. */
	readonly onFlush: () => void;
};

/** One run of a source: it lasts until it fails, is silent for too long, or is aborted. */
export class SourceRun implements Disposable {
	readonly #options: RunOptions;
	readonly #failure = Promise.withResolvers<never>();
	#heardMs: number;
	#flushing: NodeJS.Immediate | null = null;
	#isOver = false;

	constructor(options: RunOptions) {
		this.#options = options;
		this.#heardMs = options.clock.monotonic();
		// It may fail before anybody waits.
		this.#failure.promise.catch(() => undefined);
	}

	/** Media came. */
	heard(): void {
		this.#heardMs = this.#options.clock.monotonic();
	}

	/** There is something to flush. A datagram is a read, so all those of a turn of the event loop are one. */
	wrote(): void {
		if (this.#isOver) return;
		this.#flushing ??= setImmediate(() => {
			this.#flushing = null;
			this.#options.onFlush();
		});
	}

	/** Ends the run. Only the first reason counts. */
	readonly fail = (error: unknown): void => {
		this.#failure.reject(error);
	};

	/**
	 * Waits for the end.
	 * @throws ProtocolError `source.timeout`; GoneError `aborted`; what {@link fail} was given
	 */
	async last(signal: AbortSignal): Promise<never> {
		const { clock, readTimeoutMs, onTick } = this.#options;
		const onAbort = () => this.fail(abortedError(signal));
		if (signal.aborted) onAbort();
		signal.addEventListener("abort", onAbort, { once: true });
		using _ticking = clock.every(Math.min(TICK_MS, readTimeoutMs), () => {
			if (clock.monotonic() - this.#heardMs >= readTimeoutMs) {
				this.fail(new ProtocolError("source.timeout", `No media came from the source for ${readTimeoutMs} ms`));
			}
			onTick?.();
		});
		try {
			return await this.#failure.promise;
		} finally {
			signal.removeEventListener("abort", onAbort);
		}
	}

	[Symbol.dispose](): void {
		this.#isOver = true;
		if (this.#flushing !== null) clearImmediate(this.#flushing);
		this.#flushing = null;
	}
}

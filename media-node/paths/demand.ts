import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { GoneError, type SluiceError } from "#shared/problem.ts";

/** A client that has described a stream gets so long until it reads, whatever the configuration says. */
const GRACE_MS = 5_000;

export type DemandOptions = {
	readonly clock: Clock;
	readonly path: string;
	readonly startTimeoutMs: number;
	readonly closeAfterMs: number;
	/** Starts what brings the stream; disposing stops it. */
	readonly start: () => Supply;
	/** Nobody reads any more: the stream is to end, if there is one, and this is closed. */
	readonly onIdle: () => void;
};

/** What brings a stream that somebody asked for. */
export type Supply = AsyncDisposable & {
	/** Why there is nothing yet. */
	readonly lastError: SluiceError | null;
};

/** Starts the source of a path for the first reader, and stops it after the last one. */
export class Demand implements AsyncDisposable {
	readonly #options: DemandOptions;
	readonly #supply: Supply;
	readonly #waiting = new Set<() => void>();
	#isLive = false;
	/** Until then somebody who has described the stream may come to read it. */
	#graceUntilMs = 0;
	#readers = 0;
	#closing: Disposable | null = null;
	#closed = false;

	constructor(options: DemandOptions) {
		this.#options = options;
		this.#supply = options.start();
	}

	/**
	 * Waits until there is a stream.
	 * @throws GoneError `stream.not_found` when the source did not start in time
	 */
	async live(signal?: AbortSignal): Promise<void> {
		throwIfAborted(signal);
		if (!this.#isLive) await this.#wait(signal);
		this.#graceUntilMs = this.#options.clock.monotonic() + GRACE_MS;
		this.#countDown();
	}

	/** The stream began, or ended. */
	streamIs(live: boolean): void {
		this.#isLive = live;
		if (live) for (const resume of [...this.#waiting]) resume();
		this.#countDown();
	}

	readersAre(count: number): void {
		this.#readers = count;
		this.#countDown();
	}

	/** Stops the source. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true;
		this.#closing?.[Symbol.dispose]();
		for (const resume of [...this.#waiting]) resume();
		await this.#supply[Symbol.asyncDispose]();
	}

	async #wait(signal?: AbortSignal): Promise<void> {
		const { clock, startTimeoutMs, path } = this.#options;
		await new Promise<void>((resolve) => {
			const done = () => {
				this.#waiting.delete(done);
				timer[Symbol.dispose]();
				signal?.removeEventListener("abort", done);
				resolve();
			};
			const timer = clock.after(startTimeoutMs, done);
			this.#waiting.add(done);
			signal?.addEventListener("abort", done, { once: true });
		});
		this.#countDown();
		throwIfAborted(signal);
		if (this.#isLive) return;
		const why = this.#supply.lastError?.message ?? "nothing came";
		throw new GoneError("stream.not_found", `The stream of ${path}, which is started on demand, is not there: ${why}`);
	}

	/** Nobody there: counts down. Somebody there: stops to count. */
	#countDown(): void {
		this.#closing?.[Symbol.dispose]();
		this.#closing = null;
		if (this.#closed || this.#readers > 0 || this.#waiting.size > 0) return;
		const { clock, closeAfterMs, onIdle } = this.#options;
		this.#closing = clock.after(Math.max(closeAfterMs, this.#graceUntilMs - clock.monotonic()), onIdle);
	}
}

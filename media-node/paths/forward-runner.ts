import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { withoutCredentials } from "#shared/config/source.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, InputError, SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import { BackOff } from "./back-off.ts";
import type { ForwardDriver, ForwardSettings } from "./forward.ts";

/** Between two attempts: at first, and at most. Half of it is by chance. */
export const FORWARD_RETRY = { minMs: 5_000, maxMs: 30_000 } as const;

export type ForwardState = "idle" | "forwarding" | "error";

/** A destination, as the API and the metrics show it. */
export type ForwardSnapshot = {
	readonly id: string;
	readonly createdMs: number;
	readonly path: PathName;
	/** Its place in the list of the path. */
	readonly position: number;
	/** Before the `://` of its URL, such as `whip`. */
	readonly protocol: string;
	/** As it is configured: with its secrets. */
	readonly settings: ForwardSettings;
	readonly state: ForwardState;
	/** Why it does not forward; empty when it does, or has nothing to. */
	readonly lastError: string;
	readonly outboundBytes: number;
};

export type ForwardRunnerOptions = {
	readonly path: PathName;
	readonly settings: ForwardSettings;
	/** With its variables put in. */
	readonly url: string;
	readonly drivers: readonly ForwardDriver[];
	readonly clock: Clock;
	readonly log: Logger;
	readonly timeoutMs: () => number;
};

/** The stream with the tracks that it has now. */
export type LiveStream = { reading(): ReadableStreamOfPath };

/** Keeps one destination supplied while there is a stream: tries again for as long as it fails. */
export class ForwardRunner implements AsyncDisposable {
	readonly #options: ForwardRunnerOptions;
	readonly #id = randomUUID();
	readonly #createdMs: number;
	/** Of the stream that is there. */
	#stop: AbortController | null = null;
	#finished: Promise<void> = Promise.resolve();
	#state: ForwardState = "idle";
	#lastError = "";
	/** Of runs that are over, and of the one that is not. */
	#sentBytes = 0;
	#sendingBytes: () => number = none;
	position = 0;

	constructor(options: ForwardRunnerOptions) {
		this.#options = options;
		this.#createdMs = options.clock.now();
	}

	get snapshot(): ForwardSnapshot {
		const { path, settings } = this.#options;
		return {
			...{ id: this.#id, createdMs: this.#createdMs, path, settings, position: this.position },
			protocol: /^\w+/.exec(settings.dest)?.[0] ?? "",
			state: this.#state,
			lastError: this.#lastError,
			outboundBytes: this.#sentBytes + this.#sendingBytes(),
		};
	}

	/** There is a stream: it is sent on until {@link stop}. */
	start(stream: LiveStream): void {
		if (this.#stop !== null) return;
		const stop = new AbortController();
		this.#stop = stop;
		// What goes to the same place never goes there twice at once.
		this.#finished = this.#finished.then(() => this.#supply(stream, stop.signal));
	}

	/** There is no stream any more. */
	stop(): void {
		this.#stop?.abort(new GoneError("session.closed", "The stream is not forwarded any more"));
		this.#stop = null;
		this.#set("idle", "");
	}

	/** Stops, and waits until nothing of it runs. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.stop();
		await this.#finished;
	}

	/** Never fails. */
	async #supply(stream: LiveStream, signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		const backOff = new BackOff(Math.random, FORWARD_RETRY);
		while (!signal.aborted) {
			const begunMs = await this.#attempt(stream, signal);
			if (signal.aborted) return;
			const livedMs = begunMs === null ? 0 : clock.monotonic() - begunMs;
			await clock.sleep(Math.round(backOff.next(livedMs)), signal).catch(() => undefined);
		}
	}

	/** When media began to flow; `null`: never. */
	async #attempt(stream: LiveStream, signal: AbortSignal): Promise<number | null> {
		const { path, settings, url, drivers, clock, log, timeoutMs } = this.#options;
		const dest = withoutCredentials(settings.dest);
		let begunMs: number | null = null;
		try {
			const driver = drivers.find(({ schemes }) => schemes.some((scheme) => url.startsWith(scheme)));
			if (driver === undefined) {
				throw new InputError("config.invalid", `This version cannot forward to ${dest}: set another dest for ${path}`);
			}
			await driver.run(
				{
					...{ url, settings, clock, timeoutMs: timeoutMs() },
					stream: stream.reading(),
					log: log.child({ path, dest }),
					onForwarding: (bytesSent) => {
						begunMs = clock.monotonic();
						this.#sendingBytes = bytesSent;
						if (signal.aborted) return;
						this.#set("forwarding", "");
						log.info({ path, dest }, "A stream is forwarded");
					},
				},
				signal,
			);
		} catch (error) {
			if (!signal.aborted) this.#failed(error, dest);
		}
		this.#sentBytes += this.#sendingBytes();
		this.#sendingBytes = none;
		return begunMs;
	}

	#failed(error: unknown, dest: string): void {
		const { path, log } = this.#options;
		if (!(error instanceof SluiceError)) {
			log.error({ path, dest, err: error }, "A stream could not be forwarded for a fault of ours");
			this.#set("error", "it failed on our side");
			return;
		}
		// A server that is away says the same every time: once is enough.
		const isNews = this.#lastError !== error.message;
		log[isNews ? "warn" : "debug"]({ path, dest, code: error.code }, `A stream is not forwarded: ${error.message}`);
		this.#set("error", error.message);
	}

	#set(state: ForwardState, lastError: string): void {
		this.#state = state;
		this.#lastError = lastError;
	}
}

function none(): number {
	return 0;
}

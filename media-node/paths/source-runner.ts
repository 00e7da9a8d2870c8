import { randomUUID } from "node:crypto";
import { abortedError, type Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { withoutCredentials } from "#shared/config/source.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, InputError, SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type { Publication, PublishRequest, StreamTable } from "../stream/publication.ts";
import { BackOff } from "./back-off.ts";
import type { SourceContext, SourceDriver } from "./source.ts";
import type { StartPacer } from "./start-pacer.ts";

/** How often the better sources of a list are tried while a worse one serves. */
export const RETURN_INTERVAL_MS = 15_000;

export type SourceRunnerOptions = {
	readonly path: PathName;
	readonly config: PathConfig;
	/** Best first, with their variables put in. */
	readonly sources: readonly string[];
	readonly drivers: readonly SourceDriver[];
	readonly table: Pick<StreamTable, "publish">;
	readonly pacer: StartPacer;
	readonly clock: Clock;
	readonly log: Logger;
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
};

/** One attempt with one source. */
type Run = { readonly rank: number; readonly stop: AbortController; publishedMs: number | null };

/** Keeps one path supplied from its sources until it is closed: tries again, fails over down the list, and comes back up. */
export class SourceRunner implements AsyncDisposable {
	readonly #options: SourceRunnerOptions;
	readonly #stop = new AbortController();
	readonly #finished: Promise<unknown>;
	/** Who publishes now. */
	#live: Run | null = null;
	/** Why there is no stream, for readers that wait. */
	lastError: SluiceError | null = null;

	private constructor(options: SourceRunnerOptions) {
		this.#options = options;
		this.#finished = Promise.all([this.#supply(), this.#comeBack()]);
	}

	/** Begins at once; whether a source answers shows later. */
	static start(options: SourceRunnerOptions): SourceRunner {
		return new SourceRunner(options);
	}

	/** Leaves the stream, and waits until nothing of it runs. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort(new GoneError("session.closed", "The source is no longer wanted"));
		await this.#finished;
	}

	/** Tries the sources one after the other, from the best one. */
	async #supply(): Promise<void> {
		const { sources, clock, log } = this.#options;
		const backOff = new BackOff();
		const { signal } = this.#stop;
		while (!signal.aborted) {
			let livedMs = 0;
			for (let rank = 0; rank < sources.length && !signal.aborted; rank++) {
				const run: Run = { rank, stop: new AbortController(), publishedMs: null };
				await this.#attempt(run);
				if (run.publishedMs !== null) {
					livedMs = clock.monotonic() - run.publishedMs;
					// Another one may have taken over: its end is what counts.
					while (this.#live !== null && !signal.aborted) await this.#ended(this.#live);
					break;
				}
			}
			if (signal.aborted) return;
			const waitMs = Math.round(backOff.next(livedMs));
			log.debug({ waitMs }, "The source is tried again later");
			await clock.sleep(waitMs, signal).catch(() => undefined);
		}
	}

	/** While a worse source serves, tries the better ones: the one that publishes takes over. */
	async #comeBack(): Promise<void> {
		const { sources, clock } = this.#options;
		const { signal } = this.#stop;
		if (sources.length === 1) return;
		while (!signal.aborted) {
			await clock.sleep(RETURN_INTERVAL_MS, signal).catch(() => undefined);
			for (let rank = 0; rank < (this.#live?.rank ?? 0) && !signal.aborted; rank++) {
				const run: Run = { rank, stop: new AbortController(), publishedMs: null };
				await this.#attempt(run);
				if (run.publishedMs !== null) break;
			}
		}
	}

	async #ended(run: Run): Promise<void> {
		await new Promise<void>((resolve) => {
			if (run.stop.signal.aborted) resolve();
			else run.stop.signal.addEventListener("abort", () => resolve(), { once: true });
		});
	}

	/** Runs one source to its end. Never fails. */
	async #attempt(run: Run): Promise<void> {
		const { path, config, sources, drivers, pacer, clock, log, readTimeoutMs, writeTimeoutMs } = this.#options;
		const source = sources[run.rank] ?? "";
		const shown = withoutCredentials(source);
		const signal = AbortSignal.any([this.#stop.signal, run.stop.signal]);
		let publication: Publication | null = null;
		try {
			const driver = drivers.find(({ schemes }) => schemes.some((scheme) => source.startsWith(scheme)));
			if (driver === undefined) {
				throw new InputError(
					"config.invalid",
					`This version cannot take a stream from ${shown}: set another source for ${path}`,
				);
			}
			await pacer.turn(signal);
			const context: SourceContext = {
				path,
				source,
				config,
				clock,
				log: log.child({ path, source: shown }),
				readTimeoutMs,
				writeTimeoutMs,
				publish: async (tracks, remoteAddress, backChannel, onKeyFrameNeeded) => {
					const offer = {
						tracks,
						...(backChannel === undefined ? {} : { backChannel }),
						...(onKeyFrameNeeded === undefined ? {} : { onKeyFrameNeeded }),
					};
					publication = await this.#publish(run, driver.type, offer, remoteAddress, signal);
					return publication;
				},
			};
			await driver.run(context, signal);
		} catch (error) {
			this.#failed(error, run, shown);
		} finally {
			if (this.#live === run) this.#live = null;
			run.stop.abort();
			(publication as Publication | null)?.close(this.#stop.signal.aborted ? undefined : (this.lastError ?? undefined));
		}
	}

	async #publish(
		run: Run,
		type: string,
		offer: Pick<PublishRequest, "tracks" | "backChannel" | "onKeyFrameNeeded">,
		remoteAddress: string,
		signal: AbortSignal,
	): Promise<Publication> {
		const { path, table, clock } = this.#options;
		if (run.publishedMs !== null) throw new TypeError(`The source of ${path} publishes already`);
		if (this.#live !== null && this.#live.rank <= run.rank) throw abortedError(signal);
		const publication = await table.publish(
			{
				path,
				...offer,
				publisher: {
					id: randomUUID(),
					protocol: protocolOf(this.#options.sources[run.rank] ?? ""),
					type,
					remoteAddress,
					role: "source",
				},
				onEvicted: (reason) => run.stop.abort(reason),
			},
			signal,
		);
		this.#live = run;
		this.lastError = null;
		run.publishedMs = clock.monotonic();
		return publication;
	}

	#failed(error: unknown, { publishedMs, stop }: Run, source: string): void {
		if (this.#stop.signal.aborted || stop.signal.aborted) return;
		const { path, log } = this.#options;
		if (!(error instanceof SluiceError)) {
			log.error({ path, source, err: error }, "A source failed for a fault of ours");
			this.lastError = new GoneError("session.closed", "The source failed on our side", { cause: error });
			return;
		}
		// A camera that is away says the same every time: once is enough.
		const isNews = publishedMs !== null || this.lastError?.message !== error.message;
		log[isNews ? "warn" : "debug"](
			{ path, source, code: error.code },
			`The source of ${path} failed: ${error.message}`,
		);
		this.lastError = error;
	}
}

/** The word before the colon or the plus sign of a source. */
function protocolOf(source: string): string {
	return /^[a-z]+/i.exec(source)?.[0].toLowerCase() ?? source;
}

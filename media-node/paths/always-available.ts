import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import { GoneError, SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type { Publication, PublisherInfo, PublishRequest, StreamTable } from "../stream/publication.ts";
import type { Stream } from "../stream/stream.ts";
import { BackOff } from "./back-off.ts";
import type { PathConfigs } from "./path-configs.ts";
import type { StreamObserver } from "./stream-observer.ts";

/**
 * Plays the offline clip of a path until the signal aborts. It publishes once, and closes what it published.
 * @throws SluiceError why it ended; anything else is a bug
 */
export type PlayOffline = (options: {
	readonly config: PathConfig;
	readonly signal: AbortSignal;
	readonly clock: Clock;
	readonly publish: (tracks: PublishRequest["tracks"]) => Promise<Publication>;
}) => Promise<void>;

export type AlwaysAvailableOptions = {
	readonly table: Pick<StreamTable, "publish">;
	readonly clock: Clock;
	readonly log: Logger;
	readonly play: PlayOffline;
};

type Run = { readonly stop: AbortController; readonly finished: Promise<void> };

/** Publishes the offline clips of the paths that are always available, each while nobody else publishes there. */
export class AlwaysAvailable implements Partial<StreamObserver>, AsyncDisposable {
	readonly #options: AlwaysAvailableOptions;
	#configs: ReadonlyMap<PathName, PathConfig> = new Map();
	/** Paths that have a publisher other than the clip. */
	readonly #busy = new Set<PathName>();
	readonly #runs = new Map<PathName, Run>();
	/** Of runs that were stopped. */
	readonly #ending = new Set<Promise<void>>();

	/** Must observe the table from its first stream on. */
	constructor(options: AlwaysAvailableOptions) {
		this.#options = options;
	}

	/** Starts and stops what the configuration asks for; a clip that it does not change goes on. */
	apply(configs: PathConfigs): void {
		const before = this.#configs;
		const wanted = new Map<PathName, PathConfig>();
		for (const [name, config] of configs.exact) {
			if (isPathName(name) && config.alwaysAvailable) wanted.set(name, config);
		}
		this.#configs = wanted;
		for (const path of [...this.#runs.keys()]) {
			if (clipOf(wanted.get(path)) !== clipOf(before.get(path))) this.#stop(path, "The offline clip was changed");
		}
		for (const path of wanted.keys()) this.#start(path);
	}

	streamBegan({ path }: Stream, { role }: PublisherInfo): void {
		this.#came(path, role);
	}

	publisherReturned({ path }: Stream, { role }: PublisherInfo): void {
		this.#came(path, role);
	}

	publisherLeft({ path }: Stream, { role }: PublisherInfo): void {
		// A clip leaves for somebody who is about to come, or by its own fault, and then it is tried again anyway.
		if (role === "offline") return;
		this.#busy.delete(path);
		this.#start(path);
	}

	streamEnded({ path }: Stream): void {
		this.#busy.delete(path);
		this.#start(path);
	}

	/** Takes all clips off, and waits until nothing plays. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#configs = new Map();
		for (const path of [...this.#runs.keys()]) this.#stop(path, "The media node is stopping");
		await Promise.all(this.#ending);
	}

	#came(path: PathName, role: PublisherInfo["role"]): void {
		if (role === "offline") return;
		this.#busy.add(path);
		this.#stop(path, `Somebody publishes to ${path}`);
	}

	#start(path: PathName): void {
		const config = this.#configs.get(path);
		if (config === undefined || this.#busy.has(path) || this.#runs.has(path)) return;
		const stop = new AbortController();
		const finished = this.#fill(path, config, stop);
		this.#runs.set(path, { stop, finished });
	}

	#stop(path: PathName, why: string): void {
		const run = this.#runs.get(path);
		if (run === undefined) return;
		this.#runs.delete(path);
		run.stop.abort(new GoneError("session.closed", why));
		const ending = run.finished.finally(() => this.#ending.delete(ending));
		this.#ending.add(ending);
	}

	/** Plays again and again until it is stopped. Never fails. */
	async #fill(path: PathName, config: PathConfig, stop: AbortController): Promise<void> {
		const { clock } = this.#options;
		const { signal } = stop;
		const backOff = new BackOff();
		let lastError: string | null = null;
		// Who takes a path over comes in the same turn in which the one before leaves: then no clip is opened.
		await Promise.resolve();
		while (!signal.aborted) {
			let publishedMs: number | null = null;
			let publication: Publication | null = null;
			try {
				const publish = async (tracks: PublishRequest["tracks"]) => {
					publication = await this.#publish(path, tracks, stop);
					publishedMs = clock.monotonic();
					lastError = null;
					return publication;
				};
				await this.#options.play({ config, signal, clock, publish });
			} catch (error) {
				if (!signal.aborted) lastError = this.#failed(path, error, lastError);
			} finally {
				(publication as Publication | null)?.close();
			}
			if (signal.aborted) return;
			const livedMs = publishedMs === null ? 0 : clock.monotonic() - publishedMs;
			await clock.sleep(Math.round(backOff.next(livedMs)), signal).catch(() => undefined);
		}
	}

	#publish(path: PathName, tracks: PublishRequest["tracks"], { signal }: AbortController): Promise<Publication> {
		const publisher = { id: randomUUID(), protocol: "offlineSegment", remoteAddress: "", role: "offline" } as const;
		const onEvicted = () => {
			if (this.#runs.get(path)?.stop.signal === signal) this.#stop(path, `The offline clip of ${path} is not wanted`);
		};
		return this.#options.table.publish({ path, tracks, publisher, onEvicted }, signal);
	}

	/** Logs what is news, and gives it. */
	#failed(path: PathName, error: unknown, before: string | null): string {
		const { log } = this.#options;
		if (!(error instanceof SluiceError)) {
			log.error({ path, err: error }, "An offline clip failed for a fault of ours");
			return "";
		}
		const { code, message } = error;
		log[message === before ? "debug" : "warn"](
			{ path, code },
			`The offline clip of ${path} cannot be played: ${message}`,
		);
		return message;
	}
}

/** The settings that a clip is made of: when they change, it begins anew. */
function clipOf(config: PathConfig | undefined): string | null {
	return config === undefined ? null : JSON.stringify([config.alwaysAvailableTracks, config.alwaysAvailableFile]);
}

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#shared/clock.ts";
import { throwIfAborted } from "#shared/clock.ts";
import { durationMs, formatDurationMs } from "#shared/config/duration.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, InputError, ProtocolError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type {
	Publication,
	PublisherInfo,
	PublishRequest,
	ReadableStreamOfPath,
	StreamTable,
} from "../stream/publication.ts";
import { Stream, type StreamSnapshot } from "../stream/stream.ts";
import { Turnstile } from "../stream/turnstile.ts";
import type { StreamObserver } from "./stream-observer.ts";

/** Each track takes two interleaved channels, of which there are 256; nobody needs a tenth of it. */
export const MAX_TRACKS = 16;
/** How many publishers may wait while another is let in to the same path. */
const MAX_WAITING_PUBLISHERS = 16;

export type PathTableOptions = {
	readonly clock: Clock;
	readonly log: Logger;
	/** Settings by path name, each with the defaults filled in. */
	readonly paths: ReadonlyMap<string, PathConfig>;
	/** Settings of every other path; `null` when there may be no other. */
	readonly others: PathConfig | null;
	/**
	 * Must agree before a publisher is let in: takes the stream's lease. What it throws is what the publisher gets. Called
	 * for each publisher, also for one that takes over or returns; in order, one at a time for each path.
	 */
	readonly onPublish?: (path: PathName, config: PathConfig, signal: AbortSignal) => Promise<void>;
};

type Entry = {
	readonly stream: Stream;
	/** Since when there has been no publisher, on the monotonic clock, and what ends the wait. */
	away: { readonly sinceMs: number; readonly timer: Disposable } | null;
};

/** The table of paths: which streams there are, who may begin one, and how long each waits for its publisher. */
export class PathTable implements StreamTable {
	readonly #options: PathTableOptions;
	readonly #clock: Clock;
	#paths: ReadonlyMap<string, PathConfig>;
	#others: PathConfig | null;
	readonly #entries = new Map<PathName, Entry>();
	/** By path, while somebody is at the door. */
	readonly #doors = new Map<PathName, Turnstile>();
	readonly #observers = new Set<Partial<StreamObserver>>();
	readonly #closing = new AbortController();

	constructor(options: PathTableOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#paths = options.paths;
		this.#others = options.others;
	}

	/** Registers an observer. It hears of no stream that began before. */
	onStream(observer: Partial<StreamObserver>): Disposable {
		this.#observers.add(observer);
		return { [Symbol.dispose]: () => void this.#observers.delete(observer) };
	}

	async publish(request: PublishRequest, signal?: AbortSignal): Promise<Publication> {
		const { path } = request;
		expectTracks(request);
		this.#expectConfig(path);
		const door = this.#doors.get(path) ?? new Turnstile({ atOnce: 1, maxWaiting: MAX_WAITING_PUBLISHERS, full });
		this.#doors.set(path, door);
		try {
			return await door.pass(() => this.#admit(request, signal));
		} finally {
			if (door.idle) this.#doors.delete(path);
			this.#endIfOverdue(path);
		}
	}

	async read(path: PathName, signal?: AbortSignal): Promise<ReadableStreamOfPath> {
		throwIfAborted(signal);
		this.#expectConfig(path);
		const stream = this.#entries.get(path)?.stream;
		if (stream === undefined) throw new GoneError("stream.not_found", `Nobody is publishing to ${path}`);
		stream.expectRoom();
		return stream.reading();
	}

	/** The streams that there are, by name. */
	list(): StreamSnapshot[] {
		return [...this.#entries.values()]
			.map(({ stream }) => stream.snapshot)
			.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
	}

	/** Throws the publisher of a path out and ends its readers: the lease was lost. Says whether there was a stream. */
	end(path: PathName, reason: SluiceError): boolean {
		const entry = this.#entries.get(path);
		if (entry === undefined) return false;
		this.#end(entry, reason);
		return true;
	}

	/** Takes over other settings. Streams go on with theirs; one whose path may be no more ends. */
	apply(paths: ReadonlyMap<string, PathConfig>, others: PathConfig | null): void {
		this.#paths = paths;
		this.#others = others;
		for (const entry of [...this.#entries.values()]) {
			const { stream } = entry;
			const config = this.#configOf(stream.path);
			if (config === null) {
				this.#end(entry, new GoneError("stream.ended", `Path ${stream.path} was removed from the configuration`));
			} else if (!isDeepStrictEqual(config, stream.config)) {
				stream.config = config;
				if (entry.away !== null) this.#waitForPublisher(entry, entry.away.sinceMs);
				this.#tell((observer) => observer.configChanged?.(stream));
			}
		}
	}

	/** Ends every stream, and lets nobody in any more. Idempotent. */
	close(): void {
		if (this.#closing.signal.aborted) return;
		this.#closing.abort();
		for (const entry of [...this.#entries.values()]) {
			this.#end(entry, new GoneError("stream.ended", "The media node is stopping"));
		}
	}

	[Symbol.dispose](): void {
		this.close();
	}

	/** One publisher at a time for each path. */
	async #admit(request: PublishRequest, signal?: AbortSignal): Promise<Publication> {
		const { path } = request;
		const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
		throwIfAborted(stop);
		this.#expectVacancy(path);
		await this.#options.onPublish?.(path, this.#expectConfig(path), stop);
		// All may have changed meanwhile.
		throwIfAborted(stop);
		const config = this.#expectVacancy(path);

		const entry = this.#entries.get(path) ?? { stream: this.#newStream(path, config), away: null };
		const { stream } = entry;
		const before = stream.publisher;
		if (before !== null) {
			stream.evict(new InputError("path.conflict", `Another publisher took over ${path}`));
			this.#tell((observer) => observer.publisherLeft?.(stream, before, null));
		}
		const publication = stream.publish(request, (reason) => this.#left(entry, request.publisher, reason));
		entry.away?.timer[Symbol.dispose]();
		entry.away = null;
		const began = !this.#entries.has(path);
		this.#entries.set(path, entry);
		if (began) this.#tell((observer) => observer.streamBegan?.(stream, request.publisher));
		else this.#tell((observer) => observer.publisherReturned?.(stream, request.publisher));
		return publication;
	}

	#newStream(path: PathName, config: PathConfig): Stream {
		return new Stream({ path, config, clock: this.#clock, log: this.#options.log });
	}

	#left(entry: Entry, publisher: PublisherInfo, reason: SluiceError | null): void {
		const { stream } = entry;
		this.#tell((observer) => observer.publisherLeft?.(stream, publisher, reason));
		this.#waitForPublisher(entry, this.#clock.monotonic());
	}

	#waitForPublisher(entry: Entry, sinceMs: number): void {
		entry.away?.timer[Symbol.dispose]();
		const { path, config } = entry.stream;
		const leftMs = sinceMs + durationMs(config.publisherReconnectWindow) - this.#clock.monotonic();
		entry.away = { sinceMs, timer: this.#clock.after(Math.max(0, leftMs), () => this.#endIfOverdue(path)) };
	}

	/** Ends a stream whose publisher did not come back in time, unless one is at the door. */
	#endIfOverdue(path: PathName): void {
		const entry = this.#entries.get(path);
		if (entry === undefined || entry.away === null || this.#doors.has(path)) return;
		const windowMs = durationMs(entry.stream.config.publisherReconnectWindow);
		if (this.#clock.monotonic() - entry.away.sinceMs < windowMs) return;
		const words = windowMs === 0 ? "The publisher left" : `No publisher came back in ${formatDurationMs(windowMs)}`;
		this.#end(entry, new GoneError("stream.ended", `${words}: the stream of ${path} has ended`));
	}

	#end(entry: Entry, reason: SluiceError): void {
		const { stream } = entry;
		const { publisher } = stream;
		entry.away?.timer[Symbol.dispose]();
		entry.away = null;
		this.#entries.delete(stream.path);
		stream.end(reason);
		if (publisher !== null) this.#tell((observer) => observer.publisherLeft?.(stream, publisher, reason));
		this.#tell((observer) => observer.streamEnded?.(stream, reason));
	}

	#configOf(path: PathName): PathConfig | null {
		return this.#paths.get(path) ?? this.#others;
	}

	#expectConfig(path: PathName): PathConfig {
		const config = this.#configOf(path);
		if (config !== null) return config;
		throw new InputError(
			"path.not_configured",
			`Path ${path} is not configured; add it to paths, or all_others to admit every name`,
		);
	}

	/** Gives the settings of a path to which somebody may publish now. */
	#expectVacancy(path: PathName): PathConfig {
		const config = this.#expectConfig(path);
		const publisher = this.#entries.get(path)?.stream.publisher ?? null;
		if (publisher === null || config.overridePublisher) return config;
		throw new InputError(
			"path.conflict",
			`${publisher.remoteAddress} publishes to ${path} already, and overridePublisher is off`,
		);
	}

	#tell(call: (observer: Partial<StreamObserver>) => void): void {
		for (const observer of [...this.#observers]) {
			try {
				call(observer);
			} catch (error) {
				this.#options.log.error({ err: error }, "An observer of streams failed");
			}
		}
	}
}

/** @throws ProtocolError `media.unsupported`, `bytes.limit` */
function expectTracks({ path, tracks }: PublishRequest): void {
	if (tracks.length > MAX_TRACKS) {
		throw new ProtocolError(
			"bytes.limit",
			`A stream has at most ${MAX_TRACKS} tracks; ${path} would have ${tracks.length}`,
		);
	}
	if (tracks.length === 0 || !tracks.every(({ clockRate }) => Number.isSafeInteger(clockRate) && clockRate > 0)) {
		throw new ProtocolError("media.unsupported", `The publisher of ${path} has no track, or one without a clock rate`);
	}
}

function full(): InputError {
	return new InputError("path.conflict", "Too many publishers wait for this path; try again later");
}

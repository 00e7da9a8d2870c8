import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#shared/clock.ts";
import { throwIfAborted } from "#shared/clock.ts";
import { durationMs, formatDurationMs } from "#shared/config/duration.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { sourcesOf } from "#shared/config/rules.ts";
import { isStaticSource } from "#shared/config/source.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, InputError, ProtocolError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type {
	Publication,
	PublisherInfo,
	PublishRequest,
	ReadableStreamOfPath,
	ReaderInfo,
	StreamTable,
} from "../stream/publication.ts";
import { DEFAULT_MAX_PACKET_BYTES, Stream, type StreamSnapshot } from "../stream/stream.ts";
import { Turnstile } from "../stream/turnstile.ts";
import { expectClipTracks } from "./clip-tracks.ts";
import { Demand, type DemandOptions } from "./demand.ts";
import type { ConfiguredPath, PathConfigs } from "./path-configs.ts";
import { isSuppliedAlways, sourceSettings } from "./sources.ts";
import type { StreamObserver } from "./stream-observer.ts";

/** Each track takes two interleaved channels, of which there are 256; nobody needs a tenth of it. */
export const MAX_TRACKS = 16;
/** How many publishers may wait while another is let in to the same path. */
const MAX_WAITING_PUBLISHERS = 16;
/** So long an offline clip may take to begin, where publishers have no time to come back. */
const CLIP_WINDOW_MS = 10_000;

export type PathTableOptions = {
	readonly clock: Clock;
	readonly log: Logger;
	readonly configs: PathConfigs;
	/** The largest RTP packet that streams which begin from now on send out. */
	readonly maxPacketBytes?: () => number;
	/** Starts what brings the stream of a path on demand, for the first reader's query; `null`: nothing does. */
	readonly onDemand?: (path: PathName, configured: ConfiguredPath, query: string) => DemandSettings | null;
	/**
	 * Must agree before a publisher is let in: takes the stream's lease. What it throws is what the publisher gets. Called
	 * for each publisher, also for one that takes over or returns; in order, one at a time for each path.
	 */
	readonly onPublish?: (
		path: PathName,
		config: PathConfig,
		signal: AbortSignal,
		publisher: PublisherInfo,
	) => Promise<void>;
};

/** How the stream of a path comes on demand. */
export type DemandSettings = Pick<DemandOptions, "startTimeoutMs" | "closeAfterMs" | "start">;

type Entry = {
	readonly stream: Stream;
	/** Since when there has been no publisher, on the monotonic clock, and what ends the wait. */
	away: { readonly sinceMs: number; readonly timer: Disposable } | null;
	/** Of the newest offline clip. */
	clip: PublishRequest["tracks"] | null;
};

/** The table of paths: which streams there are, who may begin one, and how long each waits for its publisher. */
export class PathTable implements StreamTable {
	readonly #options: PathTableOptions;
	readonly #clock: Clock;
	#configs: PathConfigs;
	readonly #entries = new Map<PathName, Entry>();
	/** Paths whose stream was asked for. */
	readonly #demands = new Map<PathName, Demand>();
	/** By path, while somebody is at the door. */
	readonly #doors = new Map<PathName, Turnstile>();
	readonly #observers = new Set<Partial<StreamObserver>>();
	readonly #closing = new AbortController();

	constructor(options: PathTableOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#configs = options.configs;
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

	/** Gives the settings of a path to which the one who asks may publish now. */
	expectVacancy({ path, tracks, publisher: who }: PublishRequest): PathConfig {
		const config = this.#expectConfig(path);
		if (who.role === undefined && config.source !== "publisher") {
			throw new InputError("path.conflict", `Path ${path} has a source of its own: nobody can publish to it`);
		}
		const entry = this.#entries.get(path);
		const publisher = entry?.stream.publisher ?? null;
		if (who.role === "offline") {
			if (publisher === null || publisher.role === "offline") return config;
			throw new InputError("path.conflict", `Path ${path} has a publisher: no offline clip is needed`);
		}
		if (config.alwaysAvailable && entry?.clip) expectClipTracks(path, entry.clip, tracks);
		if (publisher === null || publisher.role !== undefined || config.overridePublisher) return config;
		throw new InputError(
			"path.conflict",
			`${publisher.remoteAddress} publishes to ${path} already, and overridePublisher is off`,
		);
	}

	async read(path: PathName, signal?: AbortSignal, query = ""): Promise<ReadableStreamOfPath> {
		throwIfAborted(signal);
		const configured = this.#expectConfigured(path);
		const { config } = configured;
		if (config.source === "redirect") throw moved(path, config.sourceRedirect);
		const demand = this.#demandFor(path, configured, query);
		if (demand !== null) await demand.live(signal);
		const stream = this.#entries.get(path)?.stream;
		if (stream === undefined) {
			if (config.fallback !== "") throw moved(path, config.fallback);
			throw new GoneError(
				"stream.not_found",
				isSuppliedAlways(config)
					? `The source of ${path} delivers nothing at the moment: the node's log says why`
					: `Nobody is publishing to ${path}`,
			);
		}
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

	/** What is configured for a path, as it is now. */
	configuredPath(path: PathName): ConfiguredPath | null {
		return this.#configs.find(path);
	}

	/** Takes over other settings. Streams go on where they can; one whose path may be no more ends. */
	apply(configs: PathConfigs): void {
		const before = this.#configs;
		this.#configs = configs;
		for (const path of [...this.#demands.keys()]) {
			// What was started with other settings starts anew with the next reader, and its readers go with it.
			if (!isDeepStrictEqual(demandOf(before.find(path)), demandOf(configs.find(path)))) this.#drop(path);
		}
		for (const entry of [...this.#entries.values()]) {
			const { stream } = entry;
			const config = configs.find(stream.path)?.config ?? null;
			if (config === null) {
				this.#end(entry, new GoneError("stream.ended", `Path ${stream.path} was removed from the configuration`));
			} else if (!isDeepStrictEqual(config, stream.config)) {
				const isOfAnother = config.source !== stream.config.source && stream.publisher?.role === undefined;
				stream.config = config;
				if (isOfAnother && sourcesOf(config).some(isStaticSource)) {
					this.#evict(entry, new InputError("path.conflict", `Path ${stream.path} has a source of its own now`));
				}
				if (entry.away !== null) this.#waitForPublisher(entry, entry.away.sinceMs);
				this.#tell((observer) => observer.configChanged?.(stream));
			}
		}
	}

	/** Ends every stream, and lets nobody in any more. Idempotent. */
	close(): void {
		if (this.#closing.signal.aborted) return;
		this.#closing.abort();
		for (const path of [...this.#demands.keys()]) this.#drop(path);
		for (const entry of [...this.#entries.values()]) {
			this.#end(entry, new GoneError("stream.ended", "The media node is stopping"));
		}
	}

	[Symbol.dispose](): void {
		this.close();
	}

	/** What was started for readers of this path, if its stream comes on demand. */
	#demandFor(path: PathName, configured: ConfiguredPath, query: string): Demand | null {
		const running = this.#demands.get(path);
		if (running !== undefined) return running;
		const publisher = this.#entries.get(path)?.stream.publisher ?? null;
		const settings = publisher === null ? (this.#options.onDemand?.(path, configured, query) ?? null) : null;
		if (settings === null) return null;
		const demand = new Demand({ ...settings, clock: this.#clock, path, onIdle: () => this.#drop(path) });
		this.#demands.set(path, demand);
		return demand;
	}

	/** Nobody wants what was started for a path. */
	#drop(path: PathName): void {
		const demand = this.#demands.get(path);
		if (demand === undefined) return;
		this.#demands.delete(path);
		const entry = this.#entries.get(path);
		if (entry !== undefined) this.#end(entry, new GoneError("stream.ended", `Nobody reads ${path} any more`));
		demand[Symbol.asyncDispose]().catch((error: unknown) => {
			this.#options.log.error({ path, err: error }, "What was started on demand could not be stopped");
		});
	}

	/** One publisher at a time for each path. */
	async #admit(request: PublishRequest, signal?: AbortSignal): Promise<Publication> {
		const { path } = request;
		const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
		throwIfAborted(stop);
		this.expectVacancy(request);
		await this.#options.onPublish?.(path, this.#expectConfig(path), stop, request.publisher);
		// All may have changed meanwhile.
		throwIfAborted(stop);
		const config = this.expectVacancy(request);

		const entry = this.#entries.get(path) ?? { stream: this.#newStream(path, config), away: null, clip: null };
		const { stream } = entry;
		this.#evict(entry, new InputError("path.conflict", `Another publisher took over ${path}`));
		const publication = stream.publish(request, (reason) => this.#left(entry, request.publisher, reason));
		if (request.publisher.role === "offline") entry.clip = request.tracks;
		entry.away?.timer[Symbol.dispose]();
		entry.away = null;
		const began = !this.#entries.has(path);
		this.#entries.set(path, entry);
		if (began) {
			this.#tell((observer) => observer.streamBegan?.(stream, request.publisher));
			this.#demands.get(path)?.streamIs(true);
		} else this.#tell((observer) => observer.publisherReturned?.(stream, request.publisher));
		return publication;
	}

	#newStream(path: PathName, config: PathConfig): Stream {
		const onReader = (reader: ReaderInfo, joined: boolean) => {
			this.#demands.get(path)?.readersAre(stream.readerCount);
			this.#tell((observer) =>
				joined ? observer.readerJoined?.(stream, reader) : observer.readerLeft?.(stream, reader),
			);
		};
		const { log, maxPacketBytes = () => DEFAULT_MAX_PACKET_BYTES } = this.#options;
		const stream = new Stream({ path, config, clock: this.#clock, log, maxPacketBytes: maxPacketBytes(), onReader });
		return stream;
	}

	/** Throws the publisher out, if there is one; the stream and its readers stay. */
	#evict({ stream }: Entry, reason: SluiceError): void {
		const before = stream.publisher;
		if (before === null) return;
		stream.evict(reason);
		this.#tell((observer) => observer.publisherLeft?.(stream, before, null));
	}

	#left(entry: Entry, publisher: PublisherInfo, reason: SluiceError | null): void {
		const { stream } = entry;
		this.#tell((observer) => observer.publisherLeft?.(stream, publisher, reason));
		this.#waitForPublisher(entry, this.#clock.monotonic());
	}

	#waitForPublisher(entry: Entry, sinceMs: number): void {
		entry.away?.timer[Symbol.dispose]();
		const { path, config } = entry.stream;
		const leftMs = sinceMs + windowMsOf(config) - this.#clock.monotonic();
		entry.away = { sinceMs, timer: this.#clock.after(Math.max(0, leftMs), () => this.#endIfOverdue(path)) };
	}

	/** Ends a stream whose publisher did not come back in time, unless one is at the door. */
	#endIfOverdue(path: PathName): void {
		const entry = this.#entries.get(path);
		if (entry === undefined || entry.away === null || this.#doors.has(path)) return;
		const windowMs = windowMsOf(entry.stream.config);
		if (this.#clock.monotonic() - entry.away.sinceMs < windowMs) {
			this.#waitForPublisher(entry, entry.away.sinceMs);
			return;
		}
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
		this.#demands.get(stream.path)?.streamIs(false);
		this.#tell((observer) => observer.streamEnded?.(stream, reason));
	}

	#expectConfig(path: PathName): PathConfig {
		return this.#expectConfigured(path).config;
	}

	#expectConfigured(path: PathName): ConfiguredPath {
		const configured = this.#configs.find(path);
		if (configured !== null) return configured;
		throw new InputError(
			"path.not_configured",
			`Path ${path} is not configured; add it to paths, or all_others to admit every name`,
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

/** How long a stream waits for a publisher. */
function windowMsOf({ publisherReconnectWindow, alwaysAvailable }: PathConfig): number {
	return Math.max(durationMs(publisherReconnectWindow), alwaysAvailable ? CLIP_WINDOW_MS : 0);
}

function moved(path: PathName, location: string): GoneError {
	return new GoneError("stream.moved", `${path} is to be read from ${location}`, { data: { location } });
}

/** What of a path's settings a stream on demand was started with. */
function demandOf(configured: ConfiguredPath | null): unknown {
	if (configured === null) return null;
	const { config } = configured;
	return [sourceSettings(config), config.sourceOnDemand, config.runOnDemand];
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

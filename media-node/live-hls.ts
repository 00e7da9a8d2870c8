/**
 * Joins the streams of the path table to the bucket: a packager and an uploader for each stream that is packaged. Part of
 * the wiring.
 */

import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { type SluiceError, StoreError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Loss, UploaderMetrics } from "./bucket/metrics.ts";
import { StreamUploader } from "./bucket/uploader.ts";
import type { StreamUploaderOptions } from "./bucket/uploader-settings.ts";
import type { HlsFacts } from "./control/stream-health.ts";
import { ArenaPool } from "./hls/arena-pool.ts";
import { Packager } from "./hls/packager.ts";
import { isPackaged } from "./hls/track-packager.ts";
import type { Logger } from "./log.ts";
import type { Stream } from "./stream/stream.ts";
import { SoundForHls } from "./transcode/sound-for-hls.ts";
import type { Transcoders } from "./transcode/transcoders.ts";

export type LiveHlsOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly nodeId: string;
	readonly spoolRoot: string;
	readonly maxSpoolBytes: number;
	/** Makes sound that is not packaged as it is. */
	readonly transcoders: Transcoders;
	/** Another node took the stream, or it cannot be committed to any more. */
	readonly onFenced: (path: PathName, reason: SluiceError) => void;
	/** Something is wrong with a stream, which goes on. */
	readonly onProblem: (path: PathName, problem: SluiceError) => void;
	readonly onLost: (path: PathName, loss: Loss) => void;
	readonly onUploadSeconds: (seconds: number) => void;
	/** How long the segments of a path are kept; `null`: it is not ours to say. */
	readonly retentionMsOf: (path: PathName) => number | null;
};

type Live = {
	readonly uploader: StreamUploader;
	/** What packages the stream, as it was configured to; `null` before it began. */
	packaging: {
		readonly packager: Packager;
		readonly subscription: Disposable;
		readonly sound: SoundForHls;
		/** Settings that count at once. */
		readonly settings: string;
	} | null;
	closing: Promise<void> | null;
};

export class LiveHls implements AsyncDisposable {
	readonly #options: LiveHlsOptions;
	/** One for the node: arenas go from stream to stream. */
	readonly #pool = new ArenaPool();
	readonly #live = new Map<PathName, Live>();
	/** Paths that somebody is about to publish to. */
	readonly #preparing = new Set<PathName>();
	/** Paths that are being finished: who comes to publish waits for it. */
	readonly #finishing = new Map<PathName, Promise<void>>();

	constructor(options: LiveHlsOptions) {
		this.#options = options;
	}

	/** The uploaders that are open. */
	uploaders(): StreamUploader[] {
		return [...this.#live.values()].map(({ uploader }) => uploader);
	}

	/** By path. */
	metrics(): { readonly path: PathName; readonly metrics: UploaderMetrics }[] {
		return [...this.#live].map(([path, { uploader }]) => ({ path, metrics: uploader.metrics }));
	}

	/** What a path has in the bucket, and what waits for it; `null` without HLS. */
	factsOf(path: PathName): HlsFacts | null {
		const live = this.#live.get(path);
		if (live === undefined || live.closing !== null) return null;
		const { newest, metrics } = live.uploader;
		const hls = newest === null ? null : { targetDuration: newest.targetDuration, renditions: newest.renditions };
		return { waitMs: Math.round(metrics.waitMs), hls };
	}

	/**
	 * Takes a path's timeline before a publisher is let in. A path whose stream goes on has it already.
	 * @throws StoreError `timeline.fenced` when another node has it and may not be overridden
	 */
	async prepare(path: PathName, config: PathConfig, signal: AbortSignal): Promise<void> {
		if (!config.hls) return;
		const before = this.#live.get(path);
		if (before !== undefined && before.closing === null) return;
		this.#preparing.add(path);
		try {
			await before?.closing;
			// Its own caller hears of a failure.
			await this.#finishing.get(path)?.catch(() => undefined);
			const takeover = config.overridePublisher ? "override" : "respect";
			const onFenced = (reason: SluiceError) => this.#options.onFenced(path, reason);
			const uploader = await this.#open(path, config, { takeover, onFenced }, signal);
			this.#live.set(path, { uploader, packaging: null, closing: null });
		} finally {
			this.#preparing.delete(path);
		}
	}

	/** Whether somebody publishes to a path, or is about to. */
	isLive(path: PathName): boolean {
		return this.#live.has(path) || this.#preparing.has(path);
	}

	/**
	 * Ends what an earlier process left open of a path, unless it is live: what waits on disk is committed, and then that
	 * the stream is over. @throws StoreError `timeline.fenced` when it is another node's; `store.unavailable`
	 */
	async finish(path: PathName, config: PathConfig, signal: AbortSignal): Promise<void> {
		if (this.isLive(path)) return;
		const finishing = this.#finish(path, config, signal).finally(() => this.#finishing.delete(path));
		this.#finishing.set(path, finishing);
		await finishing;
	}

	async #finish(path: PathName, config: PathConfig, signal: AbortSignal): Promise<void> {
		let failure: SluiceError | null = null;
		const onFenced = (reason: SluiceError) => {
			failure = reason;
		};
		const uploader = await this.#open(path, config, { takeover: "respect", onFenced }, signal);
		uploader.end();
		await uploader.close();
		if (failure !== null) throw failure;
		if (uploader.newest?.kind === "end") return;
		throw new StoreError("store.unavailable", `The bucket did not take the end of ${path}: it is tried again`);
	}

	#open(
		path: PathName,
		config: PathConfig,
		owning: Pick<StreamUploaderOptions, "takeover" | "onFenced">,
		signal: AbortSignal,
	): Promise<StreamUploader> {
		const { store, clock, log, nodeId, spoolRoot, maxSpoolBytes, onLost, onUploadSeconds, retentionMsOf } =
			this.#options;
		return StreamUploader.open(
			{
				...{ store, clock, log: log.child({ path }), path, nodeId, spoolRoot, maxSpoolBytes, onUploadSeconds },
				...owning,
				segmentCount: config.hlsSegmentCount,
				minimumTargetDuration: Math.ceil(durationMs(config.hlsSegmentDuration) / 1000),
				onLost: (loss) => onLost(path, loss),
				retentionMs: () => retentionMsOf(path),
			},
			signal,
		);
	}

	/** A stream began: its units become segments. */
	begin(stream: Stream): void {
		const live = this.#live.get(stream.path);
		if (live === undefined || live.closing !== null) return;
		const { log, onProblem, transcoders } = this.#options;
		const packager = new Packager({
			segmentDurationMs: durationMs(stream.config.hlsSegmentDuration),
			pool: this.#pool,
			onSegment: (segment) => live.uploader.push(segment),
			onSkippedTrack: ({ kind, codec }, reason) =>
				log.warn({ path: stream.path, kind, codec: codec.name }, `A track is left out of HLS: ${reason}`),
			onKeyFrameNeeded: (track) => stream.askKeyFrame(track),
			onProblem: (problem) => onProblem(stream.path, problem),
		});
		const sound = new SoundForHls(packager, { path: stream.path, config: stream.config, transcoders, isPackaged });
		live.packaging = { packager, subscription: stream.readUnits(sound), sound, settings: settingsOf(stream.config) };
	}

	/**
	 * The settings of a stream have changed. Another segment duration and codec count from now on; HLS that was switched off ends.
	 * What concerns the playlist, and HLS that was switched on, counts when the stream begins anew.
	 */
	reconfigure(stream: Stream): void {
		const live = this.#live.get(stream.path);
		if (live === undefined || live.packaging === null || live.closing !== null) return;
		if (!stream.config.hls) {
			this.end(stream.path);
		} else if (settingsOf(stream.config) !== live.packaging.settings) {
			// What was begun becomes a segment; the next one begins with the next key frame.
			live.packaging.packager.pause();
			live.packaging.subscription[Symbol.dispose]();
			live.packaging.sound[Symbol.dispose]();
			this.begin(stream);
		}
	}

	/** A stream ended: its playlist ends after the last segment. */
	end(path: PathName): void {
		const live = this.#live.get(path);
		if (live === undefined || live.closing !== null) return;
		live.packaging?.subscription[Symbol.dispose]();
		live.packaging?.sound[Symbol.dispose]();
		live.uploader.end();
		this.#close(path, live);
	}

	/** Gives a path's timeline back if nobody came to publish after all. */
	async release(path: PathName): Promise<void> {
		const live = this.#live.get(path);
		if (live === undefined || live.packaging !== null) return;
		if (live.closing === null) this.#close(path, live);
		await live.closing;
	}

	/** Commits or spools what is left of every stream. */
	async [Symbol.asyncDispose](): Promise<void> {
		for (const [path, live] of this.#live) if (live.closing === null) this.#close(path, live);
		await Promise.all([...this.#live.values()].map(({ closing }) => closing));
		await Promise.allSettled(this.#finishing.values());
	}

	#close(path: PathName, live: Live): void {
		live.closing = live.uploader.close().then(() => {
			if (this.#live.get(path) === live) this.#live.delete(path);
		});
	}
}

function settingsOf({ hlsSegmentDuration, hlsAudio, audioTranscode }: PathConfig): string {
	return [hlsSegmentDuration, hlsAudio, audioTranscode].join(" ");
}

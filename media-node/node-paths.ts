/** What brings and takes the streams of configured paths, other than those who connect. Part of the wiring. */

import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { Settings } from "#shared/config/settings.ts";
import { mpegtsSource } from "./datagram/mpegts-source.ts";
import { rtpSource } from "./datagram/rtp-source.ts";
import { fileSource } from "./file/file-source.ts";
import { playOffline } from "./file/offline-clip.ts";
import type { Logger } from "./log.ts";
import { webrtcHosts } from "./node-settings.ts";
import { AlwaysAvailable } from "./paths/always-available.ts";
import { Forwards } from "./paths/forwards.ts";
import type { PathConfigs } from "./paths/path-configs.ts";
import type { PathTable } from "./paths/path-table.ts";
import { Sources } from "./paths/sources.ts";
import { rtspForward } from "./rtsp/rtsp-forward.ts";
import { rtspSource } from "./rtsp/rtsp-source.ts";
import type { ReadableStreamOfPath, StreamTable } from "./stream/publication.ts";
import { whepSource } from "./webrtc/client/whep-source.ts";
import { whipForward } from "./webrtc/client/whip-forward.ts";

export type NodePathsOptions = {
	/** As they are now; buffers and time-outs of sources stay as they are at first. */
	readonly settings: () => Settings;
	/** The table, and the same as doors see it. */
	readonly table: PathTable;
	readonly doors: StreamTable;
	readonly opusOf: (stream: ReadableStreamOfPath) => ReadableStreamOfPath | null;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Sources that are pulled, clips that fill gaps, and forwards to elsewhere. */
export class NodePaths implements AsyncDisposable {
	readonly #parts = new AsyncDisposableStack();
	readonly #clips: AlwaysAvailable;
	readonly sources: Sources;
	readonly forwards: Forwards;

	constructor({ settings, table, doors, opusOf, clock, log }: NodePathsOptions) {
		const { udpReadBufferSize: readBufferBytes, readTimeout, writeTimeout } = settings();
		const client = { hosts: () => webrtcHosts(settings()), readBufferBytes };
		this.sources = this.#parts.use(
			new Sources({
				drivers: [
					rtspSource(),
					fileSource(),
					rtpSource({ readBufferBytes }),
					mpegtsSource({ readBufferBytes }),
					whepSource(client),
				],
				table: doors,
				clock,
				log,
				readTimeoutMs: durationMs(readTimeout),
				writeTimeoutMs: durationMs(writeTimeout),
			}),
		);
		this.#clips = this.#parts.use(new AlwaysAvailable({ table: doors, clock, log, play: playOffline }));
		table.onStream(this.#clips);
		this.forwards = this.#parts.use(
			new Forwards({
				drivers: [rtspForward(), whipForward({ ...client, opusOf })],
				clock,
				log,
				timeoutMs: () => durationMs(settings().readTimeout),
			}),
		);
		table.onStream(this.forwards);
	}

	/** Starts what is wanted now, and ends what no longer is. */
	apply(configs: PathConfigs): void {
		this.sources.apply(configs);
		this.#clips.apply(configs);
		this.forwards.apply(configs);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#parts.disposeAsync();
	}
}

/** The one place where what happens to streams becomes events and log lines. Part of the wiring. */

import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import type { EventReporter } from "./control/event-reporter.ts";
import type { LiveMark, LiveMarks } from "./control/live-marks.ts";
import type { Logger } from "./log.ts";
import type { StreamObserver } from "./paths/stream-observer.ts";
import type { PublisherInfo } from "./stream/publication.ts";
import type { Stream } from "./stream/stream.ts";

export type StreamEventsOptions = {
	readonly reporter: EventReporter;
	readonly marks: LiveMarks;
	readonly nodeId: string;
	readonly clock: Clock;
	readonly log: Logger;
};

/** The same problem of the same stream is an event once in this time. */
const ERROR_INTERVAL_MS = 60_000;
const MAX_REMEMBERED = 10_000;

export class StreamEvents implements Partial<StreamObserver> {
	readonly #options: StreamEventsOptions;
	readonly #ids = new Map<PathName, string>();
	readonly #lastErrors = new Map<string, number>();

	constructor(options: StreamEventsOptions) {
		this.#options = options;
	}

	/** Says of the streams of a process that was killed that they ended. */
	killed(left: readonly LiveMark[]): void {
		const { reporter, nodeId, clock } = this.#options;
		for (const { path, streamId, sinceMs } of left) {
			const reason = "The media node ended without warning";
			reporter.report({
				type: "stream.offline",
				data: { path, streamId, node: nodeId, reason, durationMs: Math.max(0, clock.now() - sinceMs) },
			});
		}
	}

	streamBegan(stream: Stream, { protocol, remoteAddress }: PublisherInfo): void {
		const { reporter, marks, nodeId, log } = this.#options;
		const { path, id: streamId, sinceMs } = stream;
		const tracks = stream.tracks.map(({ kind, codec }) => ({ kind, codec: codec.name }));
		this.#ids.set(path, streamId);
		marks.set({ path, streamId, sinceMs });
		log.info({ path, protocol, tracks: tracks.map(({ codec }) => codec) }, "A stream is online");
		reporter.report({ type: "stream.online", data: { path, streamId, node: nodeId, protocol, tracks, remoteAddress } });
	}

	publisherLeft({ path }: Stream, _publisher: PublisherInfo, reason: SluiceError | null): void {
		this.#options.log.info(
			{ path, ...(reason ? { code: reason.code } : {}) },
			"The publisher left: its stream waits for another one",
		);
	}

	publisherReturned({ path }: Stream, { protocol }: PublisherInfo): void {
		this.#options.log.info({ path, protocol }, "A publisher continues the stream");
	}

	streamEnded(stream: Stream, reason: SluiceError): void {
		const { reporter, marks, nodeId, clock, log } = this.#options;
		const { path, id: streamId, sinceMs } = stream;
		this.#ids.delete(path);
		log.info({ path, code: reason.code }, `A stream is offline: ${reason.message}`);
		const durationMs = Math.max(0, clock.now() - sinceMs);
		reporter.report({
			type: "stream.offline",
			data: { path, streamId, node: nodeId, reason: reason.message, durationMs },
		});
		marks.take(path);
	}

	/** Something is wrong with a stream that goes on. */
	problem(path: PathName, { code, message }: Pick<SluiceError, "code" | "message">): void {
		const { reporter, nodeId, clock, log } = this.#options;
		const name = `${path} ${code}`;
		const lastMs = this.#lastErrors.get(name) ?? Number.NEGATIVE_INFINITY;
		if (clock.monotonic() - lastMs < ERROR_INTERVAL_MS) return;
		if (this.#lastErrors.size >= MAX_REMEMBERED) this.#lastErrors.clear();
		this.#lastErrors.set(name, clock.monotonic());
		log.error({ path, code }, message);
		reporter.report({
			type: "stream.error",
			data: { path, streamId: this.#ids.get(path) ?? "", node: nodeId, code, message },
		});
	}
}

/** The one place where what happens to streams becomes events and log lines. Part of the wiring. */

import type { Clock } from "#shared/clock.ts";
import type { StreamEventType } from "#shared/events/event-type.ts";
import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import type { EventReporter, NewEvent } from "./control/event-reporter.ts";
import type { LiveMark, LiveMarks } from "./control/live-marks.ts";
import type { Logger } from "./log.ts";
import type { StreamObserver } from "./paths/stream-observer.ts";
import type { PublisherInfo, ReaderInfo } from "./stream/publication.ts";
import type { Stream } from "./stream/stream.ts";

export type StreamEventsOptions = {
	readonly reporter: EventReporter;
	readonly marks: LiveMarks;
	readonly nodeId: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** Says whether webhooks are told of this kind of event, as it is configured now. */
	readonly tells: (type: StreamEventType) => boolean;
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
		const { nodeId, clock } = this.#options;
		for (const { path, streamId, sinceMs } of left) {
			const reason = "The media node ended without warning";
			this.#report({
				type: "stream.offline",
				data: { path, streamId, node: nodeId, reason, durationMs: Math.max(0, clock.now() - sinceMs) },
			});
		}
	}

	streamBegan(stream: Stream, publisher: PublisherInfo): void {
		const { protocol, remoteAddress } = publisher;
		const { marks, nodeId, log } = this.#options;
		const { path, id: streamId, sinceMs } = stream;
		const tracks = stream.tracks.map(({ kind, codec }) => ({ kind, codec: codec.name }));
		this.#ids.set(path, streamId);
		marks.set({ path, streamId, sinceMs });
		log.info({ path, protocol, tracks: tracks.map(({ codec }) => codec) }, "A stream is online");
		this.#report({ type: "stream.online", data: { path, streamId, node: nodeId, protocol, tracks, remoteAddress } });
		this.#sourceOnline(stream, publisher);
	}

	publisherLeft({ path, id: streamId }: Stream, publisher: PublisherInfo, reason: SluiceError | null): void {
		const { protocol, remoteAddress, role } = publisher;
		if (role === "offline") return;
		this.#report({
			type: "source.offline",
			data: {
				path,
				streamId,
				node: this.#options.nodeId,
				protocol,
				remoteAddress,
				reason: reason?.message ?? "The publisher left",
			},
		});
		this.#options.log.info(
			{ path, ...(reason ? { code: reason.code } : {}) },
			"The publisher left: its stream waits for another one",
		);
	}

	publisherReturned(stream: Stream, publisher: PublisherInfo): void {
		const { protocol } = publisher;
		this.#options.log.info({ path: stream.path, protocol }, "A publisher continues the stream");
		this.#sourceOnline(stream, publisher);
	}

	readerJoined(stream: Stream, reader: ReaderInfo): void {
		this.#reader("reader.joined", stream, reader);
	}

	readerLeft(stream: Stream, reader: ReaderInfo): void {
		this.#reader("reader.left", stream, reader);
	}

	/** The stream of a path is wanted, or not wanted any more. */
	demand(path: PathName, wanted: boolean): void {
		this.#report({ type: wanted ? "demand.started" : "demand.ended", data: { path, node: this.#options.nodeId } });
	}

	streamEnded(stream: Stream, reason: SluiceError): void {
		const { marks, nodeId, clock, log } = this.#options;
		const { path, id: streamId, sinceMs } = stream;
		this.#ids.delete(path);
		log.info({ path, code: reason.code }, `A stream is offline: ${reason.message}`);
		const durationMs = Math.max(0, clock.now() - sinceMs);
		this.#report({
			type: "stream.offline",
			data: { path, streamId, node: nodeId, reason: reason.message, durationMs },
		});
		marks.take(path);
	}

	/** Something is wrong with a stream that goes on. */
	problem(path: PathName, { code, message }: Pick<SluiceError, "code" | "message">): void {
		const { nodeId, clock, log } = this.#options;
		const name = `${path} ${code}`;
		const lastMs = this.#lastErrors.get(name) ?? Number.NEGATIVE_INFINITY;
		if (clock.monotonic() - lastMs < ERROR_INTERVAL_MS) return;
		if (this.#lastErrors.size >= MAX_REMEMBERED) this.#lastErrors.clear();
		this.#lastErrors.set(name, clock.monotonic());
		log.error({ path, code }, message);
		this.#report({
			type: "stream.error",
			data: { path, streamId: this.#ids.get(path) ?? "", node: nodeId, code, message },
		});
	}

	#sourceOnline({ path, id: streamId }: Stream, { protocol, remoteAddress, role }: PublisherInfo): void {
		if (role === "offline") return;
		const data = { path, streamId, node: this.#options.nodeId, protocol, remoteAddress };
		this.#report({ type: "source.online", data });
	}

	#reader(
		type: "reader.joined" | "reader.left",
		{ path, id: streamId }: Stream,
		{ id, type: kind, remoteAddress }: ReaderInfo,
	): void {
		// What reads for a multicast group is no client.
		if (id === "") return;
		const reader = { id, type: kind, remoteAddress };
		this.#report({ type, data: { path, streamId, node: this.#options.nodeId, reader } });
	}

	#report(event: NewEvent): void {
		if (this.#options.tells(event.type)) this.#options.reporter.report(event);
	}
}

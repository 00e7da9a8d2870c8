/**
 * How the live streams of a node fare, measured every few seconds: rates, viewers, upload lag and warnings, in the form
 * in which the node publishes them. Figures that hardly change stay as they were said, so that what is said seldom
 * changes.
 */

import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import { MAX_NODE_STREAMS, type NodeStream } from "#shared/nodes/node-streams.ts";
import type { PathName } from "#shared/path-name.ts";
import type { StreamObserver } from "../paths/stream-observer.ts";
import { type Stream, UNCOUNTED_READER } from "../stream/stream.ts";
import type { Track } from "../stream/track.ts";
import { settled, settledHls, threeDigits } from "./settled.ts";
import { StreamTap } from "./stream-tap.ts";
import { decideWarnings, type WarningMemory, warningsIn } from "./stream-warnings.ts";

export const SAMPLE_MS = 2_000;
/** Rates are about the time since so many samples ago. */
const RATE_SAMPLES = 4;
/** So many are lost at least before one speaks of loss: one packet of few is chance. */
const MIN_LOST = 3;
/** Frames in another order were seen within so long. */
const B_FRAMES_MS = 10_000;
const MIN_LAG_STEP_MS = 1_000;
const MIN_INTERVAL_STEP_MS = 100;
const MIN_LOSS_STEP = 0.005;

/** What a path has in the bucket. */
export type HlsFacts = {
	readonly waitMs: number;
	readonly hls: NodeStream["hls"];
};

export type StreamHealthOptions = {
	readonly clock: Clock;
	/** `null`: the path has no HLS. */
	readonly hlsOf: (path: PathName) => HlsFacts | null;
	/** Says whether HLS of a path carries a track, as it is or made into another codec. */
	readonly isInHls: (stream: Stream, track: Track) => boolean;
	/** Whether this node serves WebRTC. */
	readonly webrtc: () => boolean;
	/** Packets that never came, by the ids of publishers whose protocol tells. */
	readonly lost: () => ReadonlyMap<string, number>;
};

type Sample = {
	readonly atMs: number;
	readonly bytes: number;
	readonly packets: number;
	readonly lost: number;
	readonly publisher: string;
};

type Watched = {
	readonly stream: Stream;
	readonly tap: StreamTap;
	seat: Disposable | null;
	/** Which of them feeds the tap. */
	feed: "units" | "packets" | null;
	samples: Sample[];
	/** By track: what had come when it was last more than before, and when that was. */
	heard: { count: number; atMs: number }[];
	reordered: number;
	reorderedAtMs: number;
	warnings: WarningMemory;
	said: NodeStream | null;
};

export class StreamHealth implements Partial<StreamObserver>, Disposable {
	readonly #options: StreamHealthOptions;
	readonly #watched = new Map<PathName, Watched>();
	readonly #timer: Disposable;

	constructor(options: StreamHealthOptions) {
		this.#options = options;
		this.#timer = options.clock.every(SAMPLE_MS, () => this.sample());
	}

	streamBegan(stream: Stream): void {
		const watched: Watched = {
			stream,
			tap: new StreamTap(),
			seat: null,
			feed: null,
			samples: [],
			heard: [],
			reordered: 0,
			reorderedAtMs: Number.NEGATIVE_INFINITY,
			warnings: {},
			said: null,
		};
		this.#watched.set(stream.path, watched);
		feed(watched);
	}

	configChanged(stream: Stream): void {
		this.#feed(stream);
	}

	readerJoined(stream: Stream): void {
		this.#feed(stream);
	}

	readerLeft(stream: Stream): void {
		this.#feed(stream);
	}

	streamEnded({ path }: Stream): void {
		this.#watched.get(path)?.seat?.[Symbol.dispose]();
		this.#watched.delete(path);
	}

	/** What is to be said of the streams now, by name. */
	streams(): readonly NodeStream[] {
		return [...this.#watched.values()]
			.map((watched) => watched.said ?? this.#measure(watched, new Map()))
			.sort((a, b) => (a.path < b.path ? -1 : 1))
			.slice(0, MAX_NODE_STREAMS);
	}

	/** Measures anew. */
	sample(): void {
		if (this.#watched.size === 0) return;
		const lost = this.#options.lost();
		for (const watched of this.#watched.values()) watched.said = this.#measure(watched, lost);
	}

	[Symbol.dispose](): void {
		this.#timer[Symbol.dispose]();
		for (const { seat } of this.#watched.values()) seat?.[Symbol.dispose]();
		this.#watched.clear();
	}

	#feed(stream: Stream): void {
		const watched = this.#watched.get(stream.path);
		if (watched?.stream === stream) feed(watched);
	}

	#measure(watched: Watched, lost: ReadonlyMap<string, number>): NodeStream {
		const { clock, hlsOf, isInHls, webrtc } = this.#options;
		const { stream, tap, said } = watched;
		const nowMs = clock.monotonic();
		const { bytesReceived, packetsReceived, publisher, tracks, readers, sinceMs } = stream.snapshot;
		const id = publisher?.id ?? "";
		const rates = ratesOf(watched, {
			atMs: nowMs,
			bytes: bytesReceived,
			packets: packetsReceived,
			lost: lost.get(id) ?? 0,
			publisher: id,
		});
		if (tap.reordered > watched.reordered) watched.reorderedAtMs = nowMs;
		watched.reordered = tap.reordered;
		const silent = silences(watched, tracks.length, nowMs);
		const hls = hlsOf(stream.path);
		const packetLoss = lost.has(id) ? rates.loss : null;
		const keyFrameIntervalMs = tap.keyFrameIntervalMs;
		const described = tracks.map(({ kind, codec }) => ({
			kind: kind === "application" ? ("data" as const) : kind,
			codec: codec.name.slice(0, 64),
		}));
		// Who is not there sends nothing: that is no fault of the stream.
		if (publisher !== null) {
			const facts = {
				tracks: described.map((track, i) => ({
					...track,
					inHls: hls === null || isInHls(stream, tracks[i] as Track),
					silentMs: silent[i] ?? null,
				})),
				segmentDurationMs: hls === null ? null : durationMs(stream.config.hlsSegmentDuration),
				webrtc: webrtc(),
				keyFrameIntervalMs,
				bFrames: nowMs - watched.reorderedAtMs < B_FRAMES_MS,
				uploadLagMs: hls?.waitMs ?? 0,
				packetLoss,
			};
			watched.warnings = decideWarnings(watched.warnings, facts, { monotonicMs: nowMs, wallclockMs: clock.now() });
		}
		const ofWebRtc = readers.filter(({ type }) => type.startsWith("webRTC")).length;
		return {
			path: stream.path,
			since: new Date(sinceMs).toISOString(),
			source: { type: publisher?.protocol ?? "" },
			tracks: described.slice(0, 64),
			bitsPerSecond: settled(said?.bitsPerSecond ?? null, threeDigits(rates.bitsPerSecond)),
			readers: { rtsp: readers.length - ofWebRtc, webrtc: ofWebRtc },
			uploadLagMs: settled(said?.uploadLagMs ?? null, Math.round((hls?.waitMs ?? 0) / 100) * 100, MIN_LAG_STEP_MS),
			keyFrameIntervalMs:
				keyFrameIntervalMs === null
					? null
					: settled(said?.keyFrameIntervalMs ?? null, keyFrameIntervalMs, MIN_INTERVAL_STEP_MS),
			packetLoss:
				packetLoss === null
					? null
					: settled(said?.packetLoss ?? null, Math.round(packetLoss * 1000) / 1000, MIN_LOSS_STEP),
			warnings: warningsIn(watched.warnings),
			hls: settledHls(said?.hls ?? null, hls?.hls ?? null),
		};
	}
}

/**
 * Units are there anyway where there is HLS. Elsewhere packets are, while somebody reads; for nobody, nothing is made.
 */
function feed(watched: Watched): void {
	const { stream, tap } = watched;
	const wanted = stream.config.hls ? "units" : stream.readerCount > 0 ? "packets" : null;
	if (wanted === watched.feed) return;
	watched.seat?.[Symbol.dispose]();
	watched.feed = wanted;
	watched.heard = [];
	tap.begin(stream.tracks);
	if (wanted === "units") watched.seat = stream.readUnits(tap);
	else watched.seat = wanted === "packets" ? stream.readPackets(tap, UNCOUNTED_READER) : null;
}

function ratesOf(watched: Watched, now: Sample): { readonly bitsPerSecond: number; readonly loss: number } {
	// Another publisher has counters of its own.
	const samples = watched.samples.filter(({ publisher }) => publisher === now.publisher);
	watched.samples = [...samples, now].slice(-RATE_SAMPLES);
	const first = watched.samples[0] ?? now;
	const elapsedMs = now.atMs - first.atMs;
	if (elapsedMs <= 0) return { bitsPerSecond: 0, loss: 0 };
	const lost = Math.max(0, now.lost - first.lost);
	const came = Math.max(0, now.packets - first.packets);
	return {
		bitsPerSecond: (Math.max(0, now.bytes - first.bytes) * 8_000) / elapsedMs,
		loss: lost < MIN_LOST ? 0 : lost / (lost + came),
	};
}

/** For how long nothing came of each track; `null` while nobody watches. */
function silences(watched: Watched, tracks: number, nowMs: number): (number | null)[] {
	if (watched.feed === null) return [];
	return Array.from({ length: tracks }, (_, i) => {
		const count = watched.tap.count(i);
		const heard = watched.heard[i];
		if (heard === undefined || count !== heard.count) {
			watched.heard[i] = { count, atMs: nowMs };
			return 0;
		}
		return nowMs - heard.atMs;
	});
}

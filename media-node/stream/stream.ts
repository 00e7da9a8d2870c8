import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, InputError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { BackChannelSeat, type TalkSeat } from "./back-channel.ts";
import { keyTrackOf } from "./batch-builder.ts";
import { GatedUnitSink } from "./gated-unit-sink.ts";
import { GopCache } from "./gop-cache.ts";
import { GopCursor } from "./gop-cursor.ts";
import type {
	Numbering,
	Publication,
	PublisherInfo,
	PublishRequest,
	ReadableStreamOfPath,
	ReaderInfo,
	Rendition,
	RenditionRequest,
} from "./publication.ts";
import { otherTracks, ReadingView } from "./reading-view.ts";
import { Restamper } from "./restamper.ts";
import { sameCodecs, sameFormats } from "./same-format.ts";
import type { PacketSink, UnitSink } from "./sink.ts";
import { SinkList } from "./sink-list.ts";
import { type Counters, StreamPublication } from "./stream-publication.ts";
import type { Track } from "./track.ts";

/** What fits into a datagram of IPv4 over Ethernet. */
export const DEFAULT_MAX_PACKET_BYTES = 1472;

export type StreamOptions = {
	readonly path: PathName;
	readonly config: PathConfig;
	readonly clock: Clock;
	readonly log: Logger;
	/** The largest RTP packet that goes out; {@link DEFAULT_MAX_PACKET_BYTES} when it is left out. */
	readonly maxPacketBytes?: number;
	/** A client began to read packets, or stopped. */
	readonly onReader?: (reader: ReaderInfo, joined: boolean) => void;
};

/** A stream as the API shows it. Plain data. */
export type StreamSnapshot = Counters & {
	readonly name: PathName;
	readonly id: string;
	/** Somebody publishes now; otherwise the stream waits for a publisher to come back. */
	readonly ready: boolean;
	/** When the stream began, milliseconds since the Unix epoch. */
	readonly sinceMs: number;
	readonly publisher: PublisherInfo | null;
	readonly tracks: readonly Track[];
	/** Clients that read packets. */
	readonly readers: readonly ReaderInfo[];
};

const NOTHING: Counters = { bytesReceived: 0, packetsReceived: 0, packetErrors: 0, unitsDropped: 0 };

/** The live stream of one path: publishers come and go, one at a time, and readers stay. */
export class Stream implements ReadableStreamOfPath {
	/** Unique for each time that a stream begins. */
	readonly id = randomUUID();
	readonly path: PathName;
	readonly sinceMs: number;
	#config: PathConfig;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #onReader: ((reader: ReaderInfo, joined: boolean) => void) | undefined;
	readonly #readers = new Map<PacketSink, ReaderInfo>();
	readonly #packetSinks: SinkList<PacketSink>;
	readonly #unitSinks: SinkList<UnitSink>;
	readonly #gopCache = new GopCache();
	readonly #maxPacketBytes: number;
	#tracks: readonly Track[] = [];
	#renditions: readonly (Rendition & { readonly stream: Stream })[] = [];
	#restamper = new Restamper([], randomSsrc);
	#publication: StreamPublication | null = null;
	#backChannel: BackChannelSeat | null = null;
	/** Of the publishers before this one. */
	#counters = NOTHING;
	#ended = false;

	constructor({ path, config, clock, log, maxPacketBytes = DEFAULT_MAX_PACKET_BYTES, onReader }: StreamOptions) {
		this.#maxPacketBytes = maxPacketBytes;
		this.#onReader = onReader;
		this.path = path;
		this.#config = config;
		this.sinceMs = clock.now();
		this.#clock = clock;
		this.#log = log.child({ path });
		this.#packetSinks = new SinkList(this.#log, (sink) => this.#left(sink));
		this.#unitSinks = new SinkList(this.#log);
	}

	/** Replaced when the configuration changes. */
	get config(): PathConfig {
		return this.#config;
	}

	set config(config: PathConfig) {
		this.#config = config;
		this.#turnGopCache();
	}

	get tracks(): readonly Track[] {
		return this.#tracks;
	}

	/** Who publishes now. */
	get publisher(): PublisherInfo | null {
		return this.#publication?.info ?? null;
	}

	get readerCount(): number {
		return this.#readers.size;
	}

	get snapshot(): StreamSnapshot {
		return {
			...(this.#publication === null ? this.#counters : sum(this.#counters, this.#publication.counters)),
			name: this.path,
			id: this.id,
			ready: this.#publication !== null,
			sinceMs: this.sinceMs,
			publisher: this.publisher,
			tracks: this.#tracks,
			readers: [...this.#readers.values()],
		};
	}

	get backChannel(): TalkSeat | null {
		return this.#backChannel;
	}

	get numbering(): Numbering {
		return this.#restamper;
	}

	get renditions(): readonly Rendition[] {
		return this.#renditions;
	}

	ssrcOf(track: number): number {
		return this.#restamper.ssrcOf(track);
	}

	askKeyFrame(track: number): void {
		this.#publication?.askKeyFrame(track);
	}

	position(track: number): { readonly sequence: number; readonly rtpTime: number; readonly ssrc: number } | null {
		return track < this.#tracks.length ? this.#restamper.position(track, this.#clock.monotonic()) : null;
	}

	readPackets(sink: PacketSink, reader: ReaderInfo = HIDDEN): Disposable {
		this.#expectOpen();
		if (reader === UNCOUNTED_READER) {
			const seat = this.#packetSinks.add(sink);
			this.#publication?.replayReports(sink);
			return seat;
		}
		this.expectRoom();
		const seated = this.#behindCache(sink);
		const seat = this.#packetSinks.add(seated);
		this.#readers.set(seated, reader);
		this.#onReader?.(reader, true);
		this.#publication?.replayReports(sink);
		// What is in the cache begins with one.
		if (seated === sink) this.#askKeyFrame();
		return seat;
	}

	readUnits(sink: UnitSink): Disposable {
		this.#expectOpen();
		const gated = new GatedUnitSink(sink);
		if (this.#publication !== null) gated.begin(this.#publication.tracks);
		this.#askKeyFrame();
		return this.#unitSinks.add(gated);
	}

	/**
	 * The stream with the tracks that it has now, for one reader: once their formats have changed, what the reader was
	 * told is void, and it cannot begin any more.
	 */
	reading(): ReadableStreamOfPath {
		return new ReadingView(this, this.#gopCache);
	}

	/** @throws InputError `path.readers` */
	expectRoom(): void {
		const { maxReaders } = this.config;
		if (maxReaders === 0 || this.#readers.size < maxReaders) return;
		throw new InputError("path.readers", `Path ${this.path} has its ${maxReaders} readers already; try again later`);
	}

	/**
	 * Lets a publisher in; the one before must be out. `onClosed` is called when it leaves by itself. Readers of packets
	 * stay if they can decode what follows.
	 * @throws GoneError `stream.ended`
	 */
	publish(request: PublishRequest, onClosed: (reason: SluiceError | null) => void): Publication {
		this.#expectOpen();
		if (this.#publication !== null) throw new TypeError(`Cannot publish to ${this.path}: somebody publishes already`);
		// An offline clip has parameter sets of its own: players take those of the key frames.
		const same = this.config.alwaysAvailable ? sameCodecs : sameFormats;
		const tracks = request.tracks.map(withFragments);
		if (same(this.#tracks, tracks)) {
			this.#tracks = tracks.map((track, index) => continued(this.#tracks[index] as Track, track));
		} else {
			this.#packetSinks.end(otherTracks(this.path));
			this.#tracks = tracks.map((track, index) => ({ ...track, index }));
			this.#restamper = new Restamper(this.#tracks, randomSsrc);
		}
		const publication = new StreamPublication(request, this.#tracks, {
			clock: this.#clock,
			log: this.#log,
			restamper: this.#restamper,
			packetSinks: this.#packetSinks,
			unitSinks: this.#unitSinks,
			gopCache: this.#gopCache,
			useAbsoluteTimestamp: this.#config.useAbsoluteTimestamp,
			maxPacketBytes: this.#maxPacketBytes,
			onRendition: (track, rendition) => this.#addRendition(request, track, rendition),
			onTracks: (tracks) => {
				this.#tracks = tracks;
			},
			onClosed: (reason) => {
				this.#withdraw(publication);
				onClosed(reason);
			},
		});
		this.#publication = publication;
		this.#backChannel = request.backChannel === undefined ? null : new BackChannelSeat(request.backChannel);
		this.#turnGopCache();
		return publication;
	}

	/** Throws the publisher out, if there is one. Readers stay. */
	evict(reason: SluiceError): void {
		const publication = this.#publication;
		if (publication === null) return;
		publication.evict(reason);
		this.#withdraw(publication);
	}

	/** Throws the publisher out and ends all readers. Idempotent. */
	end(reason: SluiceError): void {
		if (this.#ended) return;
		this.#ended = true;
		this.evict(reason);
		this.#packetSinks.end(reason);
		this.#unitSinks.end(reason);
	}

	/** Somebody came, who can begin with a key frame only. */
	#askKeyFrame(): void {
		const video = keyTrackOf(this.#tracks);
		if (video !== undefined) this.askKeyFrame(video.index);
	}

	#addRendition(
		request: PublishRequest,
		track: number,
		{ name, bitrate, onKeyFrameNeeded }: RenditionRequest,
	): Publication {
		const encoded = request.tracks[track];
		if (encoded === undefined) throw new RangeError(`There is no track ${track}`);
		const stream = new Stream({
			path: this.path,
			config: { ...this.#config, maxReaders: 0, rtspGOPCache: false },
			clock: this.#clock,
			log: this.#log,
			maxPacketBytes: this.#maxPacketBytes,
		});
		const { path, publisher } = request;
		const asked = { path, publisher, tracks: [encoded], onEvicted: () => undefined, onKeyFrameNeeded };
		const publication = stream.publish(asked, () => undefined);
		const rendition = {
			...{ track, name, stream },
			get bitrate() {
				return bitrate();
			},
		};
		this.#renditions = [...this.#renditions, rendition];
		return publication;
	}

	/** What takes a stream's batches for a sink that comes now. */
	#behindCache(sink: PacketSink): PacketSink {
		const { batches } = this.#gopCache;
		if (batches.length === 0) return sink;
		const onDue = () => this.#packetSinks.only(cursor, drain);
		const cursor: GopCursor = new GopCursor({ sink, batches, clock: this.#clock, onDue });
		return cursor;
	}

	/** What another publisher brought is no beginning, and without pictures there is nothing to wait for. */
	#turnGopCache(): void {
		const hasPictures = this.#publication !== null && keyTrackOf(this.#tracks) !== undefined;
		this.#gopCache.turn(hasPictures && this.#config.rtspGOPCache);
	}

	#left(sink: PacketSink): void {
		if (sink instanceof GopCursor) sink[Symbol.dispose]();
		const reader = this.#readers.get(sink);
		this.#readers.delete(sink);
		if (reader !== undefined) this.#onReader?.(reader, false);
	}

	#withdraw(publication: StreamPublication): void {
		if (this.#publication !== publication) return;
		this.#publication = null;
		for (const { stream } of this.#renditions) stream.end(publisherLeft(this.path));
		this.#renditions = [];
		this.#backChannel?.[Symbol.dispose]();
		this.#backChannel = null;
		this.#turnGopCache();
		this.#counters = sum(this.#counters, publication.counters);
		this.#unitSinks.each(pause, undefined);
	}

	#expectOpen(): void {
		if (this.#ended) throw new GoneError("stream.ended", `The stream of ${this.path} has ended`);
	}
}

/** A part of the node that reads packets for readers of its own: no limit counts it, and nothing stays up for it. */
export const UNCOUNTED_READER: ReaderInfo = { id: "", type: "uncounted", remoteAddress: "", query: "" };
const HIDDEN: ReaderInfo = { id: "", type: "hidden", remoteAddress: "", query: "" };

/** Packets may be divided into fragments, which packetization mode 0 of H.264 does not have: readers are told of mode 1. */
function withFragments(track: Omit<Track, "index">): Omit<Track, "index"> {
	if (track.codec.name !== "H264") return track;
	const others = track.rtp.fmtp
		.split(";")
		.filter((part) => part.trim() !== "" && !/^ *packetization-mode *=/i.test(part));
	const fmtp = ["packetization-mode=1", ...others.map((part) => part.trim())].join("; ");
	return { ...track, rtp: { ...track.rtp, fmtp } };
}

/** What a publisher that came back brings, under the payload type that readers know. */
function continued(before: Track, now: Omit<Track, "index">): Track {
	return { ...now, index: before.index, rtp: { ...now.rtp, payloadType: before.rtp.payloadType } };
}

function publisherLeft(path: PathName): GoneError {
	return new GoneError("stream.ended", `The publisher of ${path} left, and with it the encodings of its tracks`);
}

function sum(a: Counters, b: Counters): Counters {
	return {
		bytesReceived: a.bytesReceived + b.bytesReceived,
		packetsReceived: a.packetsReceived + b.packetsReceived,
		packetErrors: a.packetErrors + b.packetErrors,
		unitsDropped: a.unitsDropped + b.unitsDropped,
	};
}

function randomSsrc(): number {
	return randomBytes(4).readUInt32BE();
}

function drain(sink: PacketSink): void {
	if (sink instanceof GopCursor) sink.drain();
}

function pause(sink: UnitSink): void {
	sink.pause();
}

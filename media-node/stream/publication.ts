import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import type { BackChannel, TalkSeat } from "./back-channel.ts";
import type { PacketSink, UnitSink } from "./sink.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";

/** Who publishes, for events, logs and the API. */
export type PublisherInfo = {
	/** Unique in this process. */
	readonly id: string;
	/** Such as `rtsp`. */
	readonly protocol: string;
	/** What publishes, as MediaMTX's API calls it, such as `rtspSession`; the protocol when it is left out. */
	readonly type?: string;
	/** Host and port of the peer. */
	readonly remoteAddress: string;
	/** `source`: the node brought the stream itself; `offline`: a clip that fills the gaps. A client has none. */
	readonly role?: "source" | "offline";
	/** As the client sent it, without the question mark. */
	readonly query?: string;
};

/** Who reads, for hooks, logs and the API. */
export type ReaderInfo = {
	/** Unique in this process. */
	readonly id: string;
	/** Such as `rtspSession`. */
	readonly type: string;
	readonly remoteAddress: string;
	readonly query: string;
};

export type PublishRequest = {
	readonly path: PathName;
	readonly tracks: readonly Omit<Track, "index">[];
	readonly publisher: PublisherInfo;
	/**
	 * The stream throws the publisher out: another one took over, the lease was lost, the node stops. Called at most
	 * once, and not after {@link Publication.close}.
	 */
	readonly onEvicted: (reason: SluiceError) => void;
	/** A reader lost pictures of a track, or cannot begin without a key frame. May be called often. Must not throw. */
	readonly onKeyFrameNeeded?: (track: number) => void;
	/** What readers may say to the publisher goes here. */
	readonly backChannel?: BackChannel;
};

/**
 * A publisher's end of a stream. It feeds packets or units, whichever form it has; the stream makes the other form once
 * if some sink wants it. All methods but `close` are for the hot path: synchronous, without a promise or a timer.
 */
export interface Publication {
	readonly tracks: readonly Track[];
	/**
	 * One RTP packet, in order (a UDP door reorders first): `length` bytes at `offset` of `bytes`. The bytes are copied.
	 * A packet that is malformed is counted and left out.
	 */
	writePacket(track: number, bytes: Uint8Array, offset: number, length: number): void;
	/**
	 * Ends what one read of the socket brought: readers get it now, as one batch. A door whose reads bring one packet
	 * each, as UDP's do, flushes at the end of the tick: a batch of one packet costs readers what a whole frame does.
	 */
	flush(): void;
	/** A sender report of this publisher, in its own time stamps. */
	writeSenderReport(track: number, report: { readonly wallclockMs: number; readonly rtpTime: number }): void;
	/** One access unit, with time stamps of the publisher's own zero. */
	writeUnit(track: number, unit: Omit<Unit, "track">): void;
	/**
	 * Begins another encoding of a track beside the one that is published: readers choose among them. Its packets are
	 * track 0 of the publication that this gives, which ends with this one. Only who writes packets has encodings.
	 */
	addRendition?(track: number, rendition: RenditionRequest): Publication;
	/** Says that the publisher went away. The stream waits for another within the reconnect window. Idempotent. */
	close(reason?: SluiceError): void;
}

export type RenditionRequest = {
	/** Such as a RID, RFC 8851; unique among those of the track. */
	readonly name: string;
	/** Bits per second over the last second; 0 while it is not sent. */
	readonly bitrate: () => number;
	/** As {@link PublishRequest.onKeyFrameNeeded}. */
	readonly onKeyFrameNeeded: () => void;
};

/** An encoding of a track, in numbers and time stamps of its own; its sender reports tell how they relate. */
export type Rendition = {
	/** Of the stream. */
	readonly track: number;
	readonly name: string;
	/** Bits per second over the last second; 0 while it is not sent. */
	readonly bitrate: number;
	/** Of this encoding alone, as track 0. */
	readonly stream: ReadableStreamOfPath;
};

/** How the packets of a stream are numbered. */
export interface Numbering {
	/** The number of the next packet of a track, counted on over its roll-overs; 0 before the first one. */
	indexOf(track: number): number;
}

/** A stream, as a reading session sees it. */
export interface ReadableStreamOfPath {
	readonly path: PathName;
	/** The tracks as they are now, with the newest parameter sets: what a DESCRIBE answers. */
	readonly tracks: readonly Track[];
	/** The same object as long as packets are numbered on: other formats, and it is another one. */
	readonly numbering: Numbering;
	/** All encodings of tracks of which there are several. */
	readonly renditions: readonly Rendition[];
	/** Of the packets of a track. */
	ssrcOf(track: number): number;
	/** Asks who publishes for a key frame, where that can be done. It decides how often it lets itself be asked. */
	askKeyFrame(track: number): void;
	/** Where readers can talk to who publishes now; `null` when nobody listens. */
	readonly backChannel: TalkSeat | null;
	/**
	 * Where the next packet of a track will be for who reads this, or where its first one will be: for the RTP-Info
	 * header. `null` before the first one.
	 */
	position(track: number): { readonly sequence: number; readonly rtpTime: number; readonly ssrc: number } | null;
	/**
	 * @throws GoneError `stream.ended`, also when the tracks are no longer those that were there when this was read
	 * @throws InputError `path.readers`
	 */
	readPackets(sink: PacketSink, reader?: ReaderInfo): Disposable;
	/** @throws GoneError `stream.ended` */
	readUnits(sink: UnitSink): Disposable;
}

/** The table of paths, as a door sees it. Authorization is the door's business, before it asks. */
export interface StreamTable {
	/**
	 * @throws InputError `path.conflict` when somebody else publishes and may not be overridden, `path.not_configured`
	 * @throws ProtocolError `media.unsupported`, `bytes.limit`: no track, or too many
	 * @throws StoreError `timeline.fenced` when another node owns the stream and may not be overridden
	 */
	publish(request: PublishRequest, signal?: AbortSignal): Promise<Publication>;
	/**
	 * Says beforehand what {@link publish} would refuse now, for clients that begin later.
	 * @throws InputError `path.conflict`, `path.not_configured`
	 */
	expectVacancy(request: PublishRequest): void;
	/**
	 * The stream of a path. One that comes on demand is started, and waited for. `query`: of the client.
	 * @throws GoneError `stream.not_found`; `stream.moved`, whose data has the `location`
	 * @throws InputError `path.readers`, `path.not_configured`
	 */
	read(path: PathName, signal?: AbortSignal, query?: string): Promise<ReadableStreamOfPath>;
}

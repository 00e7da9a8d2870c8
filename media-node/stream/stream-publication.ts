import type { Clock } from "#shared/clock.ts";
import { GoneError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { divideOversized } from "../rtp/oversized.ts";
import { startsRandomAccess } from "../rtp/random-access.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket } from "../rtp/rtp-packet.ts";
import { BatchBuilder, MAX_PACKET_BYTES } from "./batch-builder.ts";
import type { GopCache } from "./gop-cache.ts";
import { OurClock } from "./our-clock.ts";
import type { Publication, PublisherInfo, PublishRequest, RenditionRequest } from "./publication.ts";
import type { Restamper } from "./restamper.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import type { PacketSink, SenderReport, UnitSink } from "./sink.ts";
import type { SinkList } from "./sink-list.ts";
import { ToPackets } from "./to-packets.ts";
import { ToUnits } from "./to-units.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";
import { UnitFeed } from "./unit-feed.ts";

const NOTHING = new Uint8Array(0);

/** What a stream lends to the one who publishes to it. */
export type Outlets = {
	readonly clock: Clock;
	readonly log: Logger;
	readonly restamper: Restamper;
	readonly packetSinks: SinkList<PacketSink>;
	readonly unitSinks: SinkList<UnitSink>;
	readonly gopCache: GopCache;
	/** Wall-clock time is the publisher's, as it says, and not ours. */
	readonly useAbsoluteTimestamp: boolean;
	/** Packets that are larger are divided, where their payload format can be. */
	readonly maxPacketBytes: number;
	/** There is another encoding of a track. */
	readonly onRendition: (track: number, rendition: RenditionRequest) => Publication;
	/** The tracks have new parameter sets. */
	readonly onTracks: (tracks: readonly Track[]) => void;
	/** The publisher went away by itself. Called at most once, and not after an eviction. */
	readonly onClosed: (reason: SluiceError | null) => void;
};

/** What a publisher has brought so far. */
export type Counters = {
	readonly bytesReceived: number;
	/** RTP packets, or access units of a publisher that has no packets. */
	readonly packetsReceived: number;
	/** Malformed, or not of the track. */
	readonly packetErrors: number;
	/** Incomplete, malformed, or with impossible time stamps. */
	readonly unitsDropped: number;
};

/**
 * The publisher's end of a stream: one synchronous way from a packet to all readers. A packet becomes part of a batch if
 * anyone reads at all; the batch goes to the packet sinks as it is, and becomes units if there is a unit sink.
 */
export class StreamPublication implements Publication {
	readonly info: PublisherInfo;
	readonly #outlets: Outlets;
	readonly #onEvicted: (reason: SluiceError) => void;
	readonly #onKeyFrameNeeded: ((track: number) => void) | undefined;
	/** By track: what the publisher's packets say, which need not be what those of the stream say. */
	readonly #payloadTypes: readonly number[];
	readonly #feed: UnitFeed;
	readonly #builder: BatchBuilder;
	readonly #packet = newRtpPacket();
	/** Made when they are wanted. */
	#toUnits: ToUnits | null = null;
	#toPackets: ToPackets | null = null;
	/** By track: the newest report in the stream's time, and one that waits for the first packet; both as readers get them. */
	readonly #reports: (SenderReport | null)[];
	readonly #heldReports: ({ readonly wallclockMs: number; readonly rtpTime: number } | null)[];
	readonly #ourClock = new OurClock();
	#open = true;
	/** When this read came, by both clocks; asked for once a read. */
	#inRead = false;
	#arrivalMs = 0;
	#nowMs = 0;
	/** The bytes of this read, and the same as depacketizers get them. */
	#source: Uint8Array = NOTHING;
	#view: Uint8Array = NOTHING;
	#bytesReceived = 0;
	#packetsReceived = 0;
	#packetErrors = 0;
	#unitsDropped = 0;

	/** `tracks` are the stream's, one for each of the request's. */
	constructor(request: PublishRequest, tracks: readonly Track[], outlets: Outlets) {
		this.info = request.publisher;
		this.#outlets = outlets;
		this.#onEvicted = request.onEvicted;
		this.#onKeyFrameNeeded = request.onKeyFrameNeeded;
		this.#payloadTypes = request.tracks.map((track) => track.rtp.payloadType);
		this.#feed = new UnitFeed(tracks, outlets.unitSinks, outlets.onTracks);
		const { packetSinks, gopCache } = outlets;
		this.#builder = new BatchBuilder(
			tracks,
			(batch) => this.#deliver(batch),
			() => packetSinks.size > 0 || gopCache.isOn,
		);
		this.#reports = tracks.map(() => null);
		this.#heldReports = tracks.map(() => null);
		outlets.restamper.release();
		this.#feed.begin();
	}

	get tracks(): readonly Track[] {
		return this.#feed.tracks;
	}

	get counters(): Counters {
		return {
			bytesReceived: this.#bytesReceived,
			packetsReceived: this.#packetsReceived,
			packetErrors: this.#packetErrors,
			unitsDropped: this.#unitsDropped + this.#feed.dropped + (this.#toUnits?.dropped ?? 0),
		};
	}

	/** A reader needs a key frame of a track. */
	askKeyFrame(track: number): void {
		this.#onKeyFrameNeeded?.(track);
	}

	writePacket(track: number, bytes: Uint8Array, offset: number, length: number): void {
		if (!this.#open) return;
		const packet = this.#packet;
		if (
			length > MAX_PACKET_BYTES ||
			!readRtpPacket(packet, bytes, offset, length) ||
			packet.payloadType !== this.#payloadTypes[track]
		) {
			this.#packetErrors++;
			return;
		}
		if (!this.#inRead) this.#beginRead();
		this.#packetsReceived++;
		this.#bytesReceived += length;
		const { restamper, packetSinks, unitSinks, gopCache } = this.#outlets;
		restamper.stamp(track, packet, this.#nowMs);
		if (packetSinks.size === 0 && !gopCache.isOn) {
			if (unitSinks.size > 0) this.#pushToUnits(track, bytes);
			return;
		}
		if (length > this.#outlets.maxPacketBytes && this.#addDivided(track, bytes)) return;
		this.#builder.addPacket(track, bytes, offset, length, packet, this.#arrivalMs);
	}

	/** Nobody keeps packets: the one that was read last becomes units where it is, without a copy. */
	#pushToUnits(track: number, bytes: Uint8Array): void {
		// What was collected for readers who have just left goes first.
		this.#builder.flush();
		if (this.#source !== bytes) {
			this.#source = bytes;
			// Not a `Buffer`, of which `slice` is a view; and another object for each read, whose memory may be the same.
			this.#view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
		}
		this.#units().pushPacket(track, this.#view, this.#packet, this.#arrivalMs);
	}

	#units(): ToUnits {
		this.#toUnits ??= new ToUnits(this.#feed, this.#reports, this.#outlets.useAbsoluteTimestamp);
		return this.#toUnits;
	}

	/** Adds the packet that was read last in several. Says whether its payload format can be divided. */
	#addDivided(track: number, bytes: Uint8Array): boolean {
		const packet = this.#packet;
		const codec = this.#feed.tracks[track]?.codec.name ?? "Generic";
		const { payloadOffset, payloadLength, marker, sequence } = packet;
		const room = this.#outlets.maxPacketBytes - RTP_HEADER_BYTES;
		const payloads = divideOversized(codec, bytes, payloadOffset, payloadLength, room);
		if (payloads === null) return false;
		let starts = startsRandomAccess(codec, bytes, payloadOffset, payloadLength);
		payloads.forEach((payload, i) => {
			packet.sequence = (sequence + i) & 0xffff;
			packet.marker = marker && i === payloads.length - 1;
			this.#builder.addPayload(track, payload, packet, starts, this.#arrivalMs);
			starts = false;
		});
		this.#outlets.restamper.insert(track, payloads.length - 1);
		return true;
	}

	flush(): void {
		if (!this.#open) return;
		this.#inRead = false;
		this.#source = NOTHING;
		this.#releaseReports();
		this.#builder.flush();
		this.#toPackets?.flush();
	}

	writeSenderReport(track: number, report: { readonly wallclockMs: number; readonly rtpTime: number }): void {
		if (!this.#open || track >= this.#heldReports.length) return;
		const { useAbsoluteTimestamp, clock } = this.#outlets;
		this.#heldReports[track] = useAbsoluteTimestamp ? report : this.#ourClock.reportOf(report, clock.now());
		this.#releaseReports();
	}

	writeUnit(track: number, unit: Omit<Unit, "track">): void {
		if (!this.#open) return;
		if (!this.#inRead) this.#beginRead();
		const verdict = this.#feed.judge(track, Number.isSafeInteger(unit.pts) ? unit.dts : Number.NaN, this.#arrivalMs);
		if (verdict === "drop") return;
		if (verdict === "break") this.#feed.begin();
		this.#packetsReceived++;
		for (const frame of unit.frames) this.#bytesReceived += frame.length;
		const { restamper, packetSinks, gopCache, maxPacketBytes } = this.#outlets;
		const whole = { ...unit, track: this.#feed.refresh(track, unit.randomAccess ? unit.frames : []) };
		this.#feed.push(whole, this.#arrivalMs);
		if (packetSinks.size > 0 || gopCache.isOn) {
			this.#toPackets ??= new ToPackets(this.#feed.tracks, restamper, maxPacketBytes, (batch) =>
				this.#givePackets(batch),
			);
			this.#toPackets.push(whole, this.#arrivalMs, this.#nowMs);
		}
	}

	addRendition(track: number, rendition: RenditionRequest): Publication {
		if (!this.#open) throw new GoneError("stream.ended", "Nothing can be added to a publication that has ended");
		return this.#outlets.onRendition(track, rendition);
	}

	close(reason?: SluiceError): void {
		if (!this.#open) return;
		this.#shut();
		this.#outlets.onClosed(reason ?? null);
	}

	/** Throws the publisher out. */
	evict(reason: SluiceError): void {
		if (!this.#open) return;
		this.#shut();
		try {
			this.#onEvicted(reason);
		} catch (error) {
			this.#outlets.log.error({ err: error, publisher: this.info.id }, "A publisher failed while it was thrown out");
		}
	}

	#shut(): void {
		this.flush();
		this.#open = false;
		if (this.#packetErrors > 0) {
			const { id: publisher, protocol } = this.info;
			const { packetErrors } = this.counters;
			this.#outlets.log.warn({ publisher, protocol, packetErrors }, "The publisher sent packets that were left out");
		}
	}

	#beginRead(): void {
		this.#inRead = true;
		this.#arrivalMs = this.#outlets.clock.now();
		this.#nowMs = this.#outlets.clock.monotonic();
	}

	#deliver(batch: RtpBatch): void {
		const { unitSinks } = this.#outlets;
		this.#givePackets(batch);
		if (unitSinks.size > 0) {
			this.#units().push(batch);
		} else if (this.#toUnits !== null) {
			this.#unitsDropped += this.#toUnits.dropped;
			this.#toUnits = null;
		}
	}

	/** First into the cache: a sink that comes in mid-round gets from there what this round does not give it. */
	#givePackets(batch: RtpBatch): void {
		const { gopCache, packetSinks } = this.#outlets;
		if (gopCache.isOn) gopCache.push(batch);
		packetSinks.each(pushBatch, batch);
	}

	/** Tells a sink that has just come what the reports so far said, so that it need not wait for the next ones. */
	replayReports(sink: PacketSink): void {
		for (const [track, report] of this.#reports.entries()) {
			if (report !== null) sink.senderReport(track, report);
		}
	}

	/** Passes on the reports of tracks of which a packet was seen: only then their time in the stream is known. */
	#releaseReports(): void {
		for (let track = 0; track < this.#heldReports.length; track++) {
			const held = this.#heldReports[track] ?? null;
			const report = held === null ? null : this.#outlets.restamper.report(track, held);
			if (report === null) continue;
			this.#heldReports[track] = null;
			this.#reports[track] = report;
			this.#toUnits?.senderReport(track, report);
			this.#outlets.packetSinks.each(pushReport, { track, report });
		}
	}
}

function pushBatch(sink: PacketSink, batch: RtpBatch): void {
	sink.push(batch);
}

function pushReport(sink: PacketSink, { track, report }: { track: number; report: SenderReport }): void {
	sink.senderReport(track, report);
}

import { startsRandomAccess } from "../rtp/random-access.ts";
import { newRtpPacket, patchRtpHeader, RTP_HEADER_BYTES, type RtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import type { Publication } from "../stream/publication.ts";
import { IncomingLayer } from "./incoming-layer.ts";
import type { IncomingTrack, LayerStatistics } from "./incoming-track.ts";
import { KeyFrameRequests } from "./key-frame-requests.ts";
import { chooseLayer, LAYER_SILENT_MS } from "./layer-choice.ts";
import { type PictureOrderWatch, watchPictureOrder } from "./picture-order-watch.ts";

/** Encodings of one track. Browsers send up to three. */
const MAX_LAYERS = 8;

export type TrackReceiverOptions = {
	readonly incoming: IncomingTrack;
	/** In the publication. */
	readonly index: number;
	readonly publication: Publication;
	/** Asks the sender of `ssrc` for a key frame. */
	readonly askKeyFrame: (ssrc: number, how: "pli" | "fir") => void;
	/** Something was written: a flush has to follow. */
	readonly onWritten: () => void;
	/** Its pictures come in another order than they are shown in. Called once at most. */
	readonly onReordered: () => void;
};

/**
 * Makes the packets of one media section one track of the publication: in order, with what was asked for again, and of
 * one encoding at a time. Each encoding is a {@link IncomingLayer} of its own; readers get the best one that comes, and
 * another one only from its next key frame on, with numbers and time stamps that go on.
 */
export class TrackReceiver {
	readonly options: TrackReceiverOptions;
	readonly keyFrames: KeyFrameRequests;
	readonly #layers: IncomingLayer[] = [];
	readonly #packet = newRtpPacket();
	readonly #isVideo: boolean;
	readonly #watch: PictureOrderWatch | null;
	#published: IncomingLayer | null = null;
	/** The encoding whose next key frame is waited for. */
	#candidate: IncomingLayer | null = null;
	/** What is added to the numbers and time stamps of the encoding. */
	#sequenceOffset = 0;
	#timeOffset = 0;
	/** The next packet is of another run of numbers. */
	#rebase = false;
	#lastSequence = -1;
	#lastTime = 0;
	#lastMs = 0;
	#nowMs = 0;

	constructor(options: TrackReceiverOptions) {
		this.options = options;
		const { track, keyFrameRequest } = options.incoming;
		this.#isVideo = track.kind === "video";
		this.#watch = watchPictureOrder(track.codec);
		this.keyFrames = new KeyFrameRequests({
			ask: () => {
				const layer = this.#candidate ?? this.#published ?? this.#layers[0] ?? null;
				if (layer !== null && keyFrameRequest !== null) options.askKeyFrame(layer.ssrc, keyFrameRequest);
			},
		});
	}

	get layers(): readonly IncomingLayer[] {
		return this.#layers;
	}

	/** The encoding that readers get; `null` before the first packet. */
	get published(): IncomingLayer | null {
		return this.#published;
	}

	/** The encoding of a RID, with its SSRC of now. `null` when there are too many. */
	layerOf(rid: string, ssrc: number): IncomingLayer | null {
		const known = this.#layers.find((layer) => layer.rid === rid);
		if (known !== undefined) {
			if (known.ssrc !== ssrc) {
				known.restart(ssrc);
				if (known === this.#published) this.#rebase = true;
			}
			return known;
		}
		if (this.#layers.length >= MAX_LAYERS) return null;
		const { track, hasNack } = this.options.incoming;
		const layer: IncomingLayer = new IncomingLayer(rid, ssrc, track.clockRate, hasNack, {
			deliver: (bytes, offset, length) => this.#deliver(bytes, offset, length),
			onLost: (sequence) => {
				layer.nack.forget(sequence);
				if (this.#isVideo) this.keyFrames.need(this.#nowMs);
			},
		});
		this.#layers.push(layer);
		return layer;
	}

	/** Takes a packet without extension, that `packet` was read from. `size`: what came over the network. */
	receive(
		layer: IncomingLayer,
		bytes: Uint8Array,
		offset: number,
		packet: RtpPacket,
		size: number,
		isRetransmission: boolean,
		nowMs: number,
	): void {
		this.#nowMs = nowMs;
		layer.count(packet, size, isRetransmission, nowMs);
		if (layer !== this.#published && !this.#switchTo(layer, bytes, packet)) return;
		if (this.options.incoming.hasNack) layer.nack.received(packet.sequence, nowMs);
		layer.jitter.push(bytes, offset, RTP_HEADER_BYTES + packet.payloadLength, nowMs);
	}

	/** Gives up what is late. Says which packets are to be asked for now. */
	tick(nowMs: number): readonly number[] {
		this.#nowMs = nowMs;
		const layer = this.#published;
		if (layer === null) return [];
		layer.jitter.expire(nowMs, layer.waitMs);
		this.keyFrames.tick(nowMs);
		return this.options.incoming.hasNack ? layer.nack.due(nowMs) : [];
	}

	/** Looks whether another encoding is better. Called about once a second. */
	choose(nowMs: number): void {
		if (this.#layers.length < 2) return;
		const rates = this.#layers.map((layer) => ({
			bitrate: layer.bitrate(nowMs),
			silentMs: nowMs - layer.lastPacketMs,
		}));
		const best =
			this.#layers[chooseLayer(rates, this.#published === null ? -1 : this.#layers.indexOf(this.#published))];
		this.#candidate = best === undefined || best === this.#published ? null : best;
		if (this.#candidate !== null) this.keyFrames.need(nowMs);
	}

	/** A sender report of the encoding: readers get that of the one they see. */
	senderReport(layer: IncomingLayer, wallclockMs: number, rtpTime: number): void {
		if (layer !== this.#published || this.#rebase) return;
		const { publication, index } = this.options;
		publication.writeSenderReport(index, { wallclockMs, rtpTime: (rtpTime + this.#timeOffset) >>> 0 });
	}

	describe(nowMs: number): LayerStatistics[] {
		return this.#layers.map((layer) => layer.describe(layer === this.#published, nowMs));
	}

	/** Says whether the encoding is the one that readers get from this packet on. */
	#switchTo(layer: IncomingLayer, bytes: Uint8Array, packet: RtpPacket): boolean {
		const { incoming } = this.options;
		const isSimulcast = incoming.rids.length > 1 || this.#layers.length > 1;
		const isWanted = layer === this.#candidate || this.#published === null;
		if (isSimulcast) {
			const isFirst = this.#published === null;
			if (!isWanted && !this.#isSilent(this.#published)) return false;
			const { payloadOffset, payloadLength } = packet;
			if (!startsRandomAccess(incoming.track.codec.name, bytes, payloadOffset, payloadLength)) {
				if (isFirst) this.keyFrames.need(this.#nowMs);
				return false;
			}
		}
		this.#published?.rest();
		if (this.#published !== null) this.#rebase = true;
		this.#published = layer;
		this.#candidate = null;
		layer.rest();
		return true;
	}

	#isSilent(layer: IncomingLayer | null): boolean {
		return layer === null || this.#nowMs - layer.lastPacketMs >= LAYER_SILENT_MS;
	}

	/** In order, and of the encoding that readers get. */
	#deliver(bytes: Uint8Array, offset: number, length: number): void {
		const packet = this.#packet;
		const { publication, index, incoming, onReordered, onWritten } = this.options;
		if (!readRtpPacket(packet, bytes, offset, length)) return;
		if (this.#rebase) this.#continueWith(packet);
		if (packet.payloadLength === 0) {
			// It only probed for bandwidth: readers must not miss its number.
			this.#sequenceOffset--;
			return;
		}
		const { payloadOffset, payloadLength } = packet;
		if (this.#isVideo && startsRandomAccess(incoming.track.codec.name, bytes, payloadOffset, payloadLength)) {
			this.keyFrames.came(this.#nowMs);
		}
		if (this.#watch?.see(packet.timestamp) === true) onReordered();
		this.#lastSequence = (packet.sequence + this.#sequenceOffset) & 0xffff;
		this.#lastTime = (packet.timestamp + this.#timeOffset) >>> 0;
		this.#lastMs = this.#nowMs;
		patchRtpHeader(bytes, offset, this.#lastSequence, this.#lastTime, packet.ssrc);
		publication.writePacket(index, bytes, offset, length);
		onWritten();
	}

	/** Another source counts from anywhere: it goes on where the one before it was, as much later as it came. */
	#continueWith(packet: RtpPacket): void {
		this.#rebase = false;
		if (this.#lastSequence === -1) return;
		const elapsed = Math.round(((this.#nowMs - this.#lastMs) * this.options.incoming.track.clockRate) / 1000);
		this.#timeOffset = (this.#lastTime + Math.max(1, elapsed) - packet.timestamp) | 0;
		this.#sequenceOffset = this.#lastSequence + 1 - packet.sequence;
	}
}

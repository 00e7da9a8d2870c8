import { putU16 } from "../../bytes/big-endian.ts";
import { startsRandomAccess } from "../../rtp/random-access.ts";
import { newRtpPacket, patchRtpHeader, RTP_HEADER_BYTES, type RtpPacket, readRtpPacket } from "../../rtp/rtp-packet.ts";
import type { Publication } from "../../stream/publication.ts";
import { type PictureOrderWatch, watchPictureOrder } from "../picture-order-watch.ts";
import { IncomingLayer } from "./incoming-layer.ts";
import type { IncomingTrack, LayerStatistics } from "./incoming-track.ts";
import { chooseLayer, LAYER_SILENT_MS } from "./layer-choice.ts";

/** Encodings of one track. Browsers send up to three. */
const MAX_LAYERS = 8;

export type TrackReceiverOptions = {
	readonly incoming: IncomingTrack;
	/** In the publication. */
	readonly index: number;
	readonly publication: Publication;
	/** Asks the sender of `ssrc` for a key frame. */
	readonly askKeyFrame: (ssrc: number, how: "pli" | "fir") => void;
	/** Asks the sender of `ssrc` for packets. */
	readonly askAgain: (ssrc: number, sequences: readonly number[]) => void;
	/** Something was written: a flush has to follow. */
	readonly onWritten: () => void;
	/** Its pictures come in another order than they are shown in. Called once at most. */
	readonly onReordered: () => void;
};

/**
 * Makes the packets of one media section one track of the publication: in order, with what was asked for again. Each
 * encoding is an {@link IncomingLayer}. Of several, each is a rendition of its own, and the track is the best one that
 * comes: another one only from its next key frame on, with numbers and time stamps that go on.
 */
export class TrackReceiver {
	readonly options: TrackReceiverOptions;
	readonly #layers: IncomingLayer[] = [];
	readonly #packet = newRtpPacket();
	readonly #isVideo: boolean;
	readonly #watch: PictureOrderWatch | null;
	readonly #renditions = new Map<IncomingLayer, Publication>();
	#published: IncomingLayer | null = null;
	/** The encoding whose next key frame is waited for. */
	#candidate: IncomingLayer | null = null;
	/** What is added to the numbers and time stamps of the encoding. */
	#sequenceOffset = 0;
	#timeOffset = 0;
	/** Readers need a key frame, of whom there is nobody yet to be asked. */
	#isKeyFrameNeeded = false;
	/** The next packet is of another run of numbers. */
	#rebase = false;
	#lastSequence = -1;
	#lastTime = 0;
	#lastMs = 0;
	#nowMs = 0;

	constructor(options: TrackReceiverOptions) {
		this.options = options;
		const { track } = options.incoming;
		this.#isVideo = track.kind === "video";
		this.#watch = watchPictureOrder(track.codec);
	}

	/** Key frames that were asked for. */
	get keyFrameRequests(): number {
		return this.#layers.reduce((sum, { keyFrames }) => sum + keyFrames.asked, 0);
	}

	get layers(): readonly IncomingLayer[] {
		return this.#layers;
	}

	/** Readers of the track need a key frame. `isFresh`: one that came lately does as well. Of sound there are none. */
	keyFrameNeeded(nowMs: number, isFresh = false): void {
		if (!this.#isVideo) return;
		const layer = this.#candidate ?? this.#published ?? this.#layers[0];
		if (layer === undefined) this.#isKeyFrameNeeded = true;
		else if (isFresh) layer.keyFrames.join(nowMs);
		else layer.keyFrames.need(nowMs);
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
		const { track, hasNack, keyFrameRequest } = this.options.incoming;
		const layer: IncomingLayer = new IncomingLayer({
			...{ rid, ssrc, hasNack, clockRate: track.clockRate },
			deliver: (bytes, offset, length) => this.#deliver(layer, bytes, offset, length),
			onLost: (sequence) => {
				layer.nack.forget(sequence);
				if (this.#isVideo) layer.keyFrames.need(this.#nowMs);
			},
			askKeyFrame: () => {
				if (keyFrameRequest !== null) this.options.askKeyFrame(layer.ssrc, keyFrameRequest);
			},
		});
		this.#layers.push(layer);
		if (this.#isKeyFrameNeeded) layer.keyFrames.need(this.#nowMs);
		this.#isKeyFrameNeeded = false;
		if (this.#isSimulcast) for (const each of this.#layers) this.#publishLayer(each);
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
		if (this.options.incoming.hasNack) layer.nack.received(packet.sequence, nowMs);
		layer.jitter.push(bytes, offset, RTP_HEADER_BYTES + packet.payloadLength, nowMs);
	}

	/**
	 * Takes a packet that did not come, without extension: it was made of others, or it has no payload, for its number is not
	 * one of the media.
	 */
	repaired(layer: IncomingLayer, bytes: Uint8Array, offset: number, packet: RtpPacket, nowMs: number): void {
		this.#nowMs = nowMs;
		if (this.options.incoming.hasNack) layer.nack.received(packet.sequence, nowMs, false);
		layer.jitter.push(bytes, offset, RTP_HEADER_BYTES + packet.payloadLength, nowMs);
	}

	/** Gives up what is late, and asks for what is missing. */
	tick(nowMs: number): void {
		this.#nowMs = nowMs;
		for (const layer of this.#layers) {
			layer.jitter.expire(nowMs, layer.waitMs);
			layer.keyFrames.tick(nowMs);
			const missing = this.options.incoming.hasNack ? layer.nack.due(nowMs) : [];
			if (missing.length > 0) this.options.askAgain(layer.ssrc, missing);
		}
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
		this.#candidate?.keyFrames.need(nowMs);
	}

	/** Gives readers of renditions what was written; those of the track get it with the publication's flush. */
	flush(): void {
		for (const rendition of this.#renditions.values()) rendition.flush();
	}

	/** A sender report of the encoding: readers get that of the one they see. */
	senderReport(layer: IncomingLayer, wallclockMs: number, rtpTime: number): void {
		this.#renditions.get(layer)?.writeSenderReport(0, { wallclockMs, rtpTime });
		if (layer !== this.#published || this.#rebase) return;
		const { publication, index } = this.options;
		publication.writeSenderReport(index, { wallclockMs, rtpTime: (rtpTime + this.#timeOffset) >>> 0 });
	}

	describe(nowMs: number): LayerStatistics[] {
		return this.#layers.map((layer) => layer.describe(layer === this.#published, nowMs));
	}

	get #isSimulcast(): boolean {
		return this.options.incoming.rids.length > 1 || this.#layers.length > 1;
	}

	#publishLayer(layer: IncomingLayer): void {
		const { publication, index } = this.options;
		if (this.#renditions.has(layer) || publication.addRendition === undefined) return;
		const rendition = publication.addRendition(index, {
			name: layer.rid,
			bitrate: () => layer.bitrate(this.#nowMs),
			onKeyFrameNeeded: () => layer.keyFrames.need(this.#nowMs),
		});
		this.#renditions.set(layer, rendition);
	}

	/** Says whether the track is of this encoding from this packet on. */
	#isTrack(layer: IncomingLayer, begins: boolean): boolean {
		if (layer === this.#published) return true;
		const isWanted = layer === this.#candidate || this.#isSilent(this.#published);
		if (!isWanted) return false;
		if (this.#isSimulcast && !begins) {
			if (this.#published === null) layer.keyFrames.need(this.#nowMs);
			return false;
		}
		if (this.#published !== null) this.#rebase = true;
		this.#published = layer;
		this.#candidate = null;
		return true;
	}

	#isSilent(layer: IncomingLayer | null): boolean {
		return layer === null || this.#nowMs - layer.lastPacketMs >= LAYER_SILENT_MS;
	}

	/** In order. */
	#deliver(layer: IncomingLayer, bytes: Uint8Array, offset: number, length: number): void {
		const packet = this.#packet;
		const { publication, index, incoming, onReordered, onWritten } = this.options;
		if (!readRtpPacket(packet, bytes, offset, length)) return;
		const { payloadOffset, payloadLength } = packet;
		const begins = this.#isVideo && startsRandomAccess(incoming.track.codec.name, bytes, payloadOffset, payloadLength);
		if (begins) layer.keyFrames.came(this.#nowMs);
		const isTrack = this.#isTrack(layer, begins);
		if (isTrack && this.#rebase) this.#continueWith(packet);
		if (payloadLength === 0) {
			// It only probed for bandwidth: readers must not miss its number.
			layer.emptyPackets++;
			if (isTrack) this.#sequenceOffset--;
			return;
		}
		const rendition = this.#renditions.get(layer);
		if (rendition !== undefined) {
			putU16(bytes, offset + 2, (packet.sequence - layer.emptyPackets) & 0xffff);
			rendition.writePacket(0, bytes, offset, length);
			onWritten();
		}
		if (!isTrack) return;
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

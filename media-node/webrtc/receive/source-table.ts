import type { RtpPacket } from "../../rtp/rtp-packet.ts";
import { type ExtensionIds, extensionText } from "../sdp/header-extensions.ts";
import type { IncomingLayer } from "./incoming-layer.ts";
import { isMediaType, isRetransmissionType } from "./incoming-payload-type.ts";
import type { TrackReceiver } from "./track-receiver.ts";

/** Where the packets of an SSRC go. */
export type Source = {
	readonly receiver: TrackReceiver;
	readonly layer: IncomingLayer;
	readonly isRetransmission: boolean;
};

/** SSRCs of one publisher. Those of more are of nobody. */
export const MAX_SOURCES = 128;

/**
 * Finds the track and the encoding that a packet belongs to: by its SSRC once that is known, and before by what the SDP
 * said of it, by its MID and RID, or by its payload type when only one track has that. RFC 9143 §9.2.
 */
export class SourceTable {
	readonly #receivers: readonly TrackReceiver[];
	readonly #ids: ExtensionIds;
	/** `null`: it was replaced by another one. */
	readonly #sources = new Map<number, Source | null>();
	/** By SSRC of the SDP. */
	readonly #announced = new Map<number, { receiver: TrackReceiver; ssrc: number; isRetransmission: boolean }>();
	/** Of the last new source that is no retransmission; 0 before. */
	latestSsrc = 0;

	constructor(receivers: readonly TrackReceiver[], ids: ExtensionIds) {
		this.#receivers = receivers;
		this.#ids = ids;
		for (const receiver of receivers) {
			for (const { ssrc, rtx } of receiver.options.incoming.ssrcs.slice(0, MAX_SOURCES)) {
				this.#announced.set(ssrc, { receiver, ssrc, isRetransmission: false });
				if (rtx !== null) this.#announced.set(rtx, { receiver, ssrc, isRetransmission: true });
			}
		}
	}

	/** What was found for an SSRC before. */
	known(ssrc: number): Source | null {
		return this.#sources.get(ssrc) ?? null;
	}

	/** Says whether a packet is of the payload type of retransmissions of any track. */
	isRetransmission({ payloadType }: RtpPacket): boolean {
		return this.#receivers.some(({ options }) => isRetransmissionType(options.incoming, payloadType));
	}

	/** `null` when it belongs to nobody. */
	find(packet: RtpPacket, bytes: Uint8Array, offset: number, length: number): Source | null {
		const source = this.#sources.get(packet.ssrc) ?? this.#meet(packet, bytes, offset, length);
		if (source === null) return null;
		const isTaken = source.isRetransmission ? isRetransmissionType : isMediaType;
		return isTaken(source.receiver.options.incoming, packet.payloadType) ? source : null;
	}

	#meet(packet: RtpPacket, bytes: Uint8Array, offset: number, length: number): Source | null {
		const { ssrc } = packet;
		if (this.#sources.has(ssrc) || this.#sources.size >= MAX_SOURCES) return null;
		const found = this.#receiverOf(packet, bytes, offset, length);
		if (found === null) return null;
		const { receiver, isRetransmission } = found;
		const layer = isRetransmission
			? this.#repairedLayer(receiver, ssrc, extensionText(bytes, offset, length, this.#ids.repairedRid))
			: this.#layer(receiver, ssrc, extensionText(bytes, offset, length, this.#ids.rid));
		if (layer === null) return null;
		const source = { receiver, layer, isRetransmission };
		this.#sources.set(ssrc, source);
		return source;
	}

	#receiverOf(
		packet: RtpPacket,
		bytes: Uint8Array,
		offset: number,
		length: number,
	): { receiver: TrackReceiver; isRetransmission: boolean } | null {
		const mid = extensionText(bytes, offset, length, this.#ids.mid);
		const announced = this.#announced.get(packet.ssrc);
		if (mid === null && announced !== undefined) return announced;
		let only: { receiver: TrackReceiver; isRetransmission: boolean } | null = null;
		for (const receiver of this.#receivers) {
			const { incoming } = receiver.options;
			const isMedia = isMediaType(incoming, packet.payloadType);
			const isRetransmission = isRetransmissionType(incoming, packet.payloadType);
			if (!isMedia && !isRetransmission) continue;
			if (mid === incoming.mid) return { receiver, isRetransmission };
			// Of several that could be meant, none is.
			if (mid === null) {
				if (only !== null) return null;
				only = { receiver, isRetransmission };
			}
		}
		return only;
	}

	#layer(receiver: TrackReceiver, ssrc: number, rid: string | null): IncomingLayer | null {
		const { rids, ssrcs } = receiver.options.incoming;
		// An encoding whose name does not come with each packet is waited for until it does.
		if (rids.length > 0 && (rid === null || !rids.includes(rid))) return null;
		// Encodings of older browsers have no names: their order in the SDP serves.
		const place = ssrcs.length > 1 && rids.length === 0 ? ssrcs.findIndex((one) => one.ssrc === ssrc) : 0;
		const name = rids.length > 0 ? (rid ?? "") : place > 0 ? `${place}` : "";
		const before = receiver.layers.find((layer) => layer.rid === name)?.ssrc;
		const layer = receiver.layerOf(name, ssrc);
		if (layer === null) return null;
		if (before !== undefined && before !== ssrc) this.#sources.set(before, null);
		this.latestSsrc = ssrc;
		return layer;
	}

	#repairedLayer(receiver: TrackReceiver, ssrc: number, rid: string | null): IncomingLayer | null {
		const primary = this.#announced.get(ssrc)?.ssrc;
		const { layers } = receiver;
		if (rid !== null) return layers.find((layer) => layer.rid === rid) ?? null;
		if (primary !== undefined) return layers.find((layer) => layer.ssrc === primary) ?? null;
		return layers.length === 1 ? (layers[0] ?? null) : null;
	}
}

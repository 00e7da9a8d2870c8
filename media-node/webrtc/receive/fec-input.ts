import { u32 } from "../../bytes/big-endian.ts";
import { type RedBlock, readRed } from "../../rtp/red.ts";
import { newRtpPacket, RTP_HEADER_BYTES, type RtpPacket, readRtpPacket, writeRtpHeader } from "../../rtp/rtp-packet.ts";
import type { ExtensionIds } from "../sdp/header-extensions.ts";
import { makeBare } from "./bare-packet.ts";
import { FecReceiver } from "./fec-receiver.ts";
import type { IncomingLayer } from "./incoming-layer.ts";
import type { IncomingTrack } from "./incoming-track.ts";
import type { Source } from "./source-table.ts";

/** Where the SSRC that a FlexFEC packet protects stands in its payload. */
const PROTECTED_SSRC_AT = 12;

/**
 * Takes RED and FEC out of what comes of a publisher, so that only media are left, and gives those that can be recovered as
 * if they had come. Only of the encoding that readers get: of the others nothing is waited for.
 */
export class FecInput {
	readonly #extensions: ExtensionIds;
	readonly #flexfecTypes: readonly number[];
	readonly #receivers = new Map<IncomingLayer, FecReceiver>();
	readonly #block: RedBlock = { payloadType: 0, offset: 0, length: 0 };
	readonly #packet = newRtpPacket();
	#nowMs = 0;

	constructor(tracks: readonly IncomingTrack[], extensions: ExtensionIds) {
		this.#extensions = extensions;
		this.#flexfecTypes = tracks.flatMap(({ fec }) => fec?.flexfec ?? []);
	}

	/** Says whether the packet protects those of another source. */
	isFlexfec({ payloadType }: RtpPacket): boolean {
		return this.#flexfecTypes.length > 0 && this.#flexfecTypes.includes(payloadType);
	}

	/** Takes a packet of FlexFEC. `known` finds the source that it protects. */
	flexfec(packet: RtpPacket, bytes: Uint8Array, known: (ssrc: number) => Source | null, nowMs: number): void {
		const { payloadOffset: at, payloadLength: length } = packet;
		if (length < PROTECTED_SSRC_AT + 4) return;
		const source = known(u32(bytes, at + PROTECTED_SSRC_AT));
		if (source === null || source.isRetransmission) return;
		this.#nowMs = nowMs;
		const fec = this.#of(source);
		fec.flexfec(bytes, at, length, nowMs);
		fec.repair();
	}

	/**
	 * Takes RED off, in place: `packet` and its payload, which has no bytes where the packet is a FEC packet. Keeps what may
	 * be protected. The packet began at `offset`, and ends with its padding at `end`. `false`: it is not of the track.
	 */
	unwrap(source: Source, packet: RtpPacket, bytes: Uint8Array, offset: number, end: number, nowMs: number): boolean {
		const { receiver, layer, isRetransmission } = source;
		const { track, fec: format } = receiver.options.incoming;
		const headerEnd = packet.payloadOffset;
		const block = this.#block;
		let isFec = false;
		// What is sent again without anything only probes for bandwidth.
		if (packet.payloadType === format?.ulpfec?.red && packet.payloadLength > 0) {
			if (!readRed(block, bytes, packet.payloadOffset, packet.payloadLength)) return false;
			packet.payloadOffset = block.offset;
			packet.payloadLength = block.length;
			isFec = block.payloadType === format.ulpfec.ulpfec;
			if (!isFec && block.payloadType !== track.rtp.payloadType) return false;
		}
		packet.payloadType = track.rtp.payloadType;
		this.#nowMs = nowMs;
		if (isFec) {
			this.#of(source).ulpfec(packet.sequence, bytes, packet.payloadOffset, packet.payloadLength, nowMs);
		} else {
			const fec = this.#active(layer, nowMs);
			if (fec !== null) fec.keep(packet, bytes, offset, headerEnd, end, !isRetransmission);
		}
		if (isFec) packet.payloadLength = 0;
		return true;
	}

	/** Recovers what can be, after a packet was given on. */
	repair({ layer }: Source, nowMs: number): void {
		const fec = this.#active(layer, nowMs);
		if (fec === null) return;
		this.#nowMs = nowMs;
		fec.repair();
	}

	#active(layer: IncomingLayer, nowMs: number): FecReceiver | null {
		const fec = this.#receivers.size === 0 ? undefined : this.#receivers.get(layer);
		return fec?.isActive(nowMs) === true && fec.ssrc === layer.ssrc ? fec : null;
	}

	#of({ receiver, layer }: Source): FecReceiver {
		const known = this.#receivers.get(layer);
		if (known !== undefined && known.ssrc === layer.ssrc) return known;
		const { track } = receiver.options.incoming;
		const { payloadType } = track.rtp;
		const fec = new FecReceiver({
			ssrc: layer.ssrc,
			codec: track.codec.name,
			payloadType,
			extensions: this.#extensions,
			onRecovered: (bytes) => {
				const packet = this.#packet;
				if (!readRtpPacket(packet, bytes, 0, bytes.length)) return;
				layer.recoveredByFec++;
				receiver.repaired(layer, bytes, makeBare(packet, bytes), packet, this.#nowMs);
			},
			onNotMedia: (sequence) => {
				const bytes = new Uint8Array(RTP_HEADER_BYTES);
				const packet = { ...newRtpPacket(), payloadType, sequence, ssrc: layer.ssrc, payloadOffset: RTP_HEADER_BYTES };
				writeRtpHeader(bytes, 0, packet);
				receiver.repaired(layer, bytes, 0, packet, this.#nowMs);
			},
		});
		this.#receivers.set(layer, fec);
		return fec;
	}
}

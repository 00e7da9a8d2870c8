import { hasCode } from "#shared/problem.ts";
import type { Packetizer } from "../rtp/access-unit.ts";
import { createPacketizer } from "../rtp/packetizer.ts";
import { newRtpPacket, RTP_HEADER_BYTES } from "../rtp/rtp-packet.ts";
import { BatchBuilder } from "./batch-builder.ts";
import type { Restamper } from "./restamper.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";

/** The restamper replaces it: a publisher of units is one source. */
const SOURCE = 0;

/** Makes the RTP packets of one publisher's units. */
export class ToPackets {
	readonly #packetizers: readonly (Packetizer | null)[];
	readonly #sequences: number[];
	readonly #restamper: Restamper;
	readonly #maxPayloadBytes: number;
	readonly #builder: BatchBuilder;
	readonly #packet = newRtpPacket();

	constructor(tracks: readonly Track[], restamper: Restamper, maxPacketBytes: number, emit: (batch: RtpBatch) => void) {
		this.#maxPayloadBytes = maxPacketBytes - RTP_HEADER_BYTES;
		this.#packetizers = tracks.map(packetizerOf);
		this.#sequences = tracks.map(() => 0);
		this.#restamper = restamper;
		this.#builder = new BatchBuilder(tracks, emit);
	}

	/** `arrivalMs` is wall-clock time, `nowMs` monotonic. */
	push(unit: Unit, arrivalMs: number, nowMs: number): void {
		const track = unit.track.index;
		const payloads = this.#packetizers[track]?.(unit.frames, this.#maxPayloadBytes) ?? [];
		const packet = this.#packet;
		let starts = unit.randomAccess;
		for (const { bytes, marker, ticks } of payloads) {
			const sequence = this.#sequences[track] ?? 0;
			this.#sequences[track] = (sequence + 1) & 0xffff;
			packet.marker = marker;
			packet.sequence = sequence;
			packet.timestamp = ((unit.pts + ticks) % 2 ** 32) >>> 0;
			packet.ssrc = SOURCE;
			packet.payloadLength = bytes.length;
			this.#restamper.stamp(track, packet, nowMs);
			this.#builder.addPayload(track, bytes, packet, starts, arrivalMs);
			starts = false;
		}
	}

	flush(): void {
		this.#builder.flush();
	}
}

/** `null` for a codec that cannot be put into packets: its track stays silent for readers of packets. */
function packetizerOf(track: Track): Packetizer | null {
	try {
		return createPacketizer(track.codec, track.clockRate);
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
}

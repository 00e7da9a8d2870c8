import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";
import { FragmentArena } from "./fragment-arena.ts";

export type MarkedUnitOptions = {
	/** The largest unit that is put together. */
	readonly maxBytes: number;
	/** The frames of a unit; `null` when it is not whole. They may be views. Never throws. */
	readonly framesOf: (unit: Uint8Array) => readonly Uint8Array[] | null;
};

/**
 * Units in fragments without header: the packets of one time stamp up to the one with the marker. LATM (RFC 6416 §6.3)
 * and KLV (RFC 6597 §4.2).
 */
export class MarkedUnitDepacketizer implements Depacketizer {
	readonly #options: MarkedUnitOptions;
	readonly #arena = new FragmentArena();
	#rtpTime = 0;
	/** The unit of `#rtpTime` has lost something: what is left of it is not wanted. */
	#broken = false;
	#nextSequence = -1;
	#dropped = 0;

	constructor(options: MarkedUnitOptions) {
		this.#options = options;
	}

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, packet: RtpPacket): readonly AccessUnit[] {
		const { timestamp, marker, payloadOffset, payloadLength } = packet;
		const gap = packet.sequence !== this.#nextSequence;
		this.#nextSequence = (packet.sequence + 1) & 0xffff;
		if (this.#broken && timestamp !== this.#rtpTime) this.#broken = false;
		if (this.#arena.length > 0 && (gap || timestamp !== this.#rtpTime)) this.#drop(timestamp === this.#rtpTime);
		if (payloadLength === 0) return NO_UNITS;
		this.#rtpTime = timestamp;
		if (this.#broken) {
			this.#broken = !marker;
			return NO_UNITS;
		}

		if (this.#arena.length === 0 && marker) {
			return this.#give(bytes.subarray(payloadOffset, payloadOffset + payloadLength));
		}
		if (this.#arena.length + payloadLength > this.#options.maxBytes) {
			this.#drop(!marker);
			return NO_UNITS;
		}
		this.#arena.append(bytes, payloadOffset, payloadLength);
		if (!marker) return NO_UNITS;
		const unit = this.#arena.take();
		this.#arena.swap();
		return this.#give(unit);
	}

	#give(unit: Uint8Array): readonly AccessUnit[] {
		const frames = this.#options.framesOf(unit);
		if (frames !== null) return [{ rtpTime: this.#rtpTime, frames, randomAccess: true }];
		this.#dropped++;
		return NO_UNITS;
	}

	#drop(broken: boolean): void {
		this.#dropped++;
		this.#broken = broken;
		this.#arena.swap();
	}
}

import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";

/** Joins the payloads of one access unit, by the rules of one payload format. */
export interface UnitAssembler {
	/** Begins a unit. `unsure`: packets before it are missing that may have been part of it. */
	begin(unsure: boolean): void;
	/** Takes the next payload of the unit, which is not empty. `false`: it is malformed, or does not go on from there. */
	add(bytes: Uint8Array, offset: number, length: number): boolean;
	/** There is something of a picture in it, rather than only headers that stand before one. */
	readonly hasPicture: boolean;
	/** The unit, or `null` when its end is missing. Its frames stay as they are until the end of the next unit. */
	take(): Omit<AccessUnit, "rtpTime"> | null;
}

/**
 * Finds the access units of payload formats in which the marker is on the last packet of a picture. Where a sender
 * leaves it out, a unit ends with the next time stamp. Headers with a marker or a time stamp of their own become part of
 * the unit that follows. After a gap in the sequence numbers the unit in work is dropped.
 */
export class UnitDepacketizer implements Depacketizer {
	readonly #assembler: UnitAssembler;
	#rtpTime = 0;
	/** A payload of the unit in work came. */
	#open = false;
	/** A part of the unit in work is missing: what is left of it is skipped. */
	#damaged = false;
	#unsure = false;
	#nextSequence = -1;
	#dropped = 0;

	constructor(assembler: UnitAssembler) {
		this.#assembler = assembler;
	}

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, packet: RtpPacket): readonly AccessUnit[] {
		const gap = packet.sequence !== this.#nextSequence;
		this.#nextSequence = (packet.sequence + 1) & 0xffff;
		if (gap && this.#open) this.#damaged = true;

		let units = NO_UNITS;
		if (packet.timestamp !== this.#rtpTime) {
			if (this.#isPicture) units = this.#finish(units);
			this.#rtpTime = packet.timestamp;
		}
		if (gap && !this.#open) this.#unsure = true;

		if (packet.payloadLength > 0) this.#add(bytes, packet.payloadOffset, packet.payloadLength);
		if (packet.marker && this.#isPicture) units = this.#finish(units);
		return units;
	}

	#add(bytes: Uint8Array, offset: number, length: number): void {
		if (!this.#open) {
			this.#open = true;
			this.#assembler.begin(this.#unsure);
			this.#unsure = false;
		}
		if (!this.#damaged) this.#damaged = !this.#assembler.add(bytes, offset, length);
	}

	/** The unit in work has something of a picture, or may have had. */
	get #isPicture(): boolean {
		return this.#open && (this.#damaged || this.#assembler.hasPicture);
	}

	/** Ends the unit in work, and gives `units` with it if it is whole. */
	#finish(units: readonly AccessUnit[]): readonly AccessUnit[] {
		const unit = this.#damaged ? null : this.#assembler.take();
		this.#open = false;
		this.#damaged = false;
		if (unit !== null) return [...units, { rtpTime: this.#rtpTime, ...unit }];
		this.#dropped++;
		return units;
	}
}

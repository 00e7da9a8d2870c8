import {
	type AccessUnit,
	type Depacketizer,
	MAX_ACCESS_UNIT_BYTES,
	MAX_ACCESS_UNIT_NALS,
	NO_UNITS,
} from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";
import { FragmentArena } from "./fragment-arena.ts";

/** What differs between the payload formats of H.264 and H.265. */
export type NalPayloadFormat = {
	/** Gives the NAL units and fragments of a payload that is not empty to `nals`. `false`: it is malformed. */
	readonly readPayload: (nals: NalCollector, bytes: Uint8Array, offset: number, length: number) => boolean;
	/** The NAL unit is a slice of a picture, rather than something about it. */
	readonly isSlice: (nal: Uint8Array) => boolean;
	/** No slice of the same picture comes before the NAL unit. */
	readonly beginsPicture: (nal: Uint8Array) => boolean;
	readonly isRandomAccess: (nal: Uint8Array) => boolean;
};

/** Takes what a payload holds. Each call gives `false` when that cannot be, and the unit is damaged. */
export interface NalCollector {
	/** A whole NAL unit. */
	nal(bytes: Uint8Array, offset: number, length: number): boolean;
	/** The first fragment of a NAL unit, without its header, which is `header`. */
	beginFragments(header: readonly number[], bytes: Uint8Array, offset: number, length: number): boolean;
	/** Another fragment. */
	continueFragments(bytes: Uint8Array, offset: number, length: number): boolean;
	/** The fragment before was the last one. */
	endFragments(): boolean;
}

/**
 * Puts NAL units together into access units. A unit ends with the marker, or, where a sender leaves it out, with the
 * next time stamp.
 *
 * - After a gap in the sequence numbers the unit in work is dropped, and so is the next one unless it begins with what
 *   only the beginning of a picture has.
 * - A unit without a slice is no picture: cameras send parameter sets with a marker or a time stamp of their own. It
 *   becomes part of the unit that follows.
 */
export class NalDepacketizer implements Depacketizer, NalCollector {
	readonly #format: NalPayloadFormat;
	readonly #arena = new FragmentArena();
	#frames: Uint8Array[] = [];
	#size = 0;
	#rtpTime = 0;
	#hasSlice = false;
	#randomAccess = false;
	/** A part of the unit in work is missing: what is left of it is skipped. */
	#damaged = false;
	/** Packets before the unit in work are missing, and may have been part of it. */
	#unsureOfStart = false;
	#inFragments = false;
	#nextSequence = -1;
	#dropped = 0;

	constructor(format: NalPayloadFormat) {
		this.#format = format;
	}

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, packet: RtpPacket): readonly AccessUnit[] {
		const gap = packet.sequence !== this.#nextSequence;
		this.#nextSequence = (packet.sequence + 1) & 0xffff;
		if (gap && this.#isOpen) this.#damaged = true;

		let units = NO_UNITS;
		if (packet.timestamp !== this.#rtpTime) {
			if (this.#isPicture) units = this.#finish(units);
			this.#rtpTime = packet.timestamp;
		}
		if (gap && !this.#isOpen) this.#unsureOfStart = true;

		if (packet.payloadLength > 0 && !this.#damaged) {
			this.#damaged = !this.#format.readPayload(this, bytes, packet.payloadOffset, packet.payloadLength);
		}
		if (packet.marker && this.#isPicture) units = this.#finish(units);
		return units;
	}

	nal(bytes: Uint8Array, offset: number, length: number): boolean {
		if (this.#inFragments || length === 0 || this.#size + length > MAX_ACCESS_UNIT_BYTES) return false;
		this.#arena.begin();
		this.#arena.append(bytes, offset, length);
		return this.#add(this.#arena.take());
	}

	beginFragments(header: readonly number[], bytes: Uint8Array, offset: number, length: number): boolean {
		if (this.#inFragments) return false;
		this.#inFragments = true;
		this.#arena.begin();
		for (const byte of header) this.#arena.appendByte(byte);
		return this.continueFragments(bytes, offset, length);
	}

	continueFragments(bytes: Uint8Array, offset: number, length: number): boolean {
		if (!this.#inFragments || this.#size + this.#arena.length + length > MAX_ACCESS_UNIT_BYTES) return false;
		this.#arena.append(bytes, offset, length);
		return true;
	}

	endFragments(): boolean {
		this.#inFragments = false;
		return this.#add(this.#arena.take());
	}

	/** The unit in work has a slice, or may have had. */
	get #isPicture(): boolean {
		return this.#hasSlice || this.#inFragments || this.#damaged;
	}

	get #isOpen(): boolean {
		return this.#frames.length > 0 || this.#isPicture;
	}

	#add(nal: Uint8Array): boolean {
		const { isSlice, beginsPicture, isRandomAccess } = this.#format;
		const slice = isSlice(nal);
		if (this.#frames.length === MAX_ACCESS_UNIT_NALS) return false;
		if (this.#unsureOfStart) {
			this.#unsureOfStart = !beginsPicture(nal);
			if (this.#unsureOfStart && slice) return false;
		}
		this.#frames.push(nal);
		this.#size += nal.length;
		this.#hasSlice ||= slice;
		this.#randomAccess ||= isRandomAccess(nal);
		return true;
	}

	/** Ends the unit in work, and gives `units` with it if it is whole. */
	#finish(units: readonly AccessUnit[]): readonly AccessUnit[] {
		const whole = !this.#damaged && !this.#inFragments;
		const unit = { rtpTime: this.#rtpTime, frames: this.#frames, randomAccess: this.#randomAccess };
		if (!whole) this.#dropped++;
		this.#arena.swap();
		this.#frames = [];
		this.#size = 0;
		this.#hasSlice = false;
		this.#randomAccess = false;
		this.#damaged = false;
		this.#unsureOfStart = false;
		this.#inFragments = false;
		return whole ? [...units, unit] : units;
	}
}

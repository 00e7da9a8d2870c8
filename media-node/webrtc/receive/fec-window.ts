import { RTP_HEADER_BYTES, sequenceDistance } from "../../rtp/rtp-packet.ts";
import { type ExtensionIds, type ExtensionPlace, findExtension } from "../sdp/header-extensions.ts";
import { follows, type PictureNumber } from "./picture-number.ts";

/** Packets that are kept: as many as one FEC packet can protect, and those of a large picture that come before it. */
export const FEC_WINDOW_PACKETS = 256;
/** Lost FEC packets in a row that are recognized. */
const MAX_GAP = 32;
/** Farther than this no packet is of the same run of numbers. */
const MAX_JUMP = 3_000;

/** What is known of a number. */
export type Kept = {
	/** -1: nothing yet. */
	sequence: number;
	/** As the sender protected it; `length` 0 when its media are known, but not these bytes. */
	bytes: Uint8Array;
	length: number;
	/** It is no media, but a FEC packet. */
	isFec: boolean;
	marker: boolean;
	readonly picture: PictureNumber;
};

/** The last packets of a source, as FEC protects them. Bounded: newer ones take the places of older ones. */
export class FecWindow {
	readonly #kept: Kept[] = [];
	#newest = -1;

	/** What is known of a packet; `null` when it did not come, or long ago. */
	find(sequence: number): Kept | null {
		const kept = this.#kept[sequence & (FEC_WINDOW_PACKETS - 1)];
		return kept?.sequence === sequence ? kept : null;
	}

	/** A place for a packet that came; `null` when it is too old, or is there. Its `sequence` is set, and it is no FEC. */
	place(sequence: number): Kept | null {
		const slot = sequence & (FEC_WINDOW_PACKETS - 1);
		if (this.#newest !== -1 && Math.abs(sequenceDistance(this.#newest, sequence)) >= MAX_JUMP) this.clear();
		if (this.isOld(sequence)) return null;
		const ahead = this.#newest === -1 ? 1 : sequenceDistance(this.#newest, sequence);
		if (ahead > 0) this.#newest = sequence;
		let kept = this.#kept[slot];
		if (kept === undefined) {
			kept = newKept();
			this.#kept[slot] = kept;
		}
		if (kept.sequence === sequence) return null;
		kept.sequence = sequence;
		kept.length = 0;
		kept.isFec = false;
		kept.marker = false;
		kept.picture.number = -1;
		kept.picture.begins = false;
		return kept;
	}

	/** Says whether a packet is so far behind the newest that nothing is known of it any more. */
	isOld(sequence: number): boolean {
		return this.#newest !== -1 && sequenceDistance(sequence, this.#newest) >= FEC_WINDOW_PACKETS;
	}

	clear(): void {
		for (const kept of this.#kept) if (kept !== undefined) kept.sequence = -1;
		this.#newest = -1;
	}

	/**
	 * The numbers that are missing right before or after a packet that came, and that can only be those of FEC packets: for
	 * the pictures on both sides are neighbours, and whole on the sides that face each other.
	 */
	notMedia(kept: Kept): number[] {
		if (kept.picture.begins) {
			const missing = this.#gap(kept.sequence, -1, (other) => other.marker && follows(other.picture, kept.picture));
			if (missing.length > 0) return missing;
		}
		if (!kept.marker) return [];
		return this.#gap(kept.sequence, 1, (other) => other.picture.begins && follows(kept.picture, other.picture));
	}

	#gap(from: number, step: 1 | -1, isNeighbour: (other: Kept) => boolean): number[] {
		const missing: number[] = [];
		for (let i = 1; i <= MAX_GAP; i++) {
			const sequence = (from + i * step) & 0xffff;
			const other = this.find(sequence);
			if (other === null) missing.push(sequence);
			else if (!other.isFec) return isNeighbour(other) ? missing : [];
		}
		return [];
	}
}

function newKept(): Kept {
	return {
		sequence: -1,
		bytes: new Uint8Array(0),
		length: 0,
		isFec: false,
		marker: false,
		picture: { number: -1, mask: 0x7f, begins: false },
	};
}

/** Room for the bytes of a packet. Only grows. */
export function makeRoom(kept: Kept, length: number): Uint8Array {
	if (kept.bytes.length < length) kept.bytes = new Uint8Array(Math.max(length, 1_500));
	kept.length = length;
	return kept.bytes;
}

const place: ExtensionPlace = { offset: 0, length: 0 };

/** Takes out what senders put in after they protected the packet: when it went out, and its number on the path. */
export function zeroMutableExtensions(bytes: Uint8Array, length: number, ids: ExtensionIds): void {
	if (length < RTP_HEADER_BYTES) return;
	for (const id of [ids.absSendTime, ids.transportSequence]) {
		if (findExtension(place, bytes, 0, length, id)) bytes.fill(0, place.offset, place.offset + place.length);
	}
}

import { u16 } from "../bytes/big-endian.ts";
import { RTP_HEADER_BYTES, sequenceDistance } from "./rtp-packet.ts";

/** Bounds of a {@link ReorderBuffer}. */
export type ReorderOptions = {
	/** How far ahead of a missing packet others may be: a power of two up to 4096. */
	readonly maxPackets?: number;
	/** How long a missing packet is waited for. */
	readonly maxDelayMs?: number;
};

/**
 * Puts the RTP packets of one source, as they come over UDP, back into the order of their sequence numbers. A packet
 * that is missing is given up when a packet `maxPackets` ahead of it comes, or after `maxDelayMs`. Packets are kept by
 * reference. What comes twice, or too late, is left out.
 */
export class ReorderBuffer {
	readonly #maxDelayMs: number;
	/** The packets that wait, each at its sequence number modulo the size. */
	readonly #slots: (Uint8Array | undefined)[];
	#waiting = 0;
	/** The number of the packet that is next; -1 before the first one. */
	#next = -1;
	/** Since when that packet is missing. */
	#missingSinceMs = 0;
	/** The last packet of numbers out of reach: another behind it shows that the source began anew. */
	#stranger: Uint8Array | null = null;
	#ready: Uint8Array[] = [];

	/** Packets that were given up. */
	lost = 0;
	/** Packets that came after they were given up, or were of nowhere. */
	late = 0;
	duplicates = 0;

	constructor({ maxPackets = 256, maxDelayMs = 200 }: ReorderOptions = {}) {
		if (maxPackets < 2 || maxPackets > 4096 || (maxPackets & (maxPackets - 1)) !== 0) {
			throw new RangeError(`maxPackets is ${maxPackets}, which is not a power of two from 2 to 4096`);
		}
		this.#slots = new Array<Uint8Array | undefined>(maxPackets);
		this.#maxDelayMs = maxDelayMs;
	}

	/** Takes a packet, and gives those that are in order with it. The list holds until the next call. */
	push(packet: Uint8Array, nowMs: number): readonly Uint8Array[] {
		this.#ready.length = 0;
		if (packet.length < RTP_HEADER_BYTES) return this.#ready;
		const sequence = u16(packet, 2);
		if (this.#next === -1) this.#next = sequence;
		const ahead = sequenceDistance(this.#next, sequence);
		if (Math.abs(ahead) >= MAX_JUMP) return this.#meetStranger(packet, sequence, nowMs);
		this.#stranger = null;
		if (ahead < 0) {
			this.late++;
			return this.#ready;
		}
		// Whoever is that far behind will not come any more.
		while (sequenceDistance(this.#next, sequence) >= this.#slots.length) this.#advance(nowMs);
		this.#store(packet, sequence, nowMs);
		this.#release(nowMs);
		return this.#ready;
	}

	/** Gives what waited too long for a missing packet. The list holds until the next call. */
	expire(nowMs: number): readonly Uint8Array[] {
		this.#ready.length = 0;
		if (this.#waiting > 0 && nowMs - this.#missingSinceMs >= this.#maxDelayMs) {
			while (this.#slots[this.#next & (this.#slots.length - 1)] === undefined) this.#advance(nowMs);
			this.#release(nowMs);
		}
		return this.#ready;
	}

	#store(packet: Uint8Array, sequence: number, nowMs: number): void {
		const slot = sequence & (this.#slots.length - 1);
		if (this.#slots[slot] !== undefined) {
			this.duplicates++;
			return;
		}
		if (this.#waiting === 0) this.#missingSinceMs = nowMs;
		this.#slots[slot] = packet;
		this.#waiting++;
	}

	/** Gives the packets in order up to the next one that is missing. */
	#release(nowMs: number): void {
		while (this.#waiting > 0 && this.#slots[this.#next & (this.#slots.length - 1)] !== undefined) {
			this.#advance(nowMs);
		}
	}

	/** Goes on to the next number: with its packet, or without one. */
	#advance(nowMs: number): void {
		const slot = this.#next & (this.#slots.length - 1);
		const packet = this.#slots[slot];
		if (packet === undefined) {
			this.lost++;
		} else {
			this.#slots[slot] = undefined;
			this.#waiting--;
			this.#ready.push(packet);
		}
		this.#next = (this.#next + 1) & 0xffff;
		this.#missingSinceMs = nowMs;
	}

	/** One packet of far off may have strayed; two in a row are a source that began anew. RFC 3550 §A.1. */
	#meetStranger(packet: Uint8Array, sequence: number, nowMs: number): readonly Uint8Array[] {
		const before = this.#stranger;
		if (before === null || u16(before, 2) !== ((sequence - 1) & 0xffff)) {
			if (before !== null) this.late++;
			this.#stranger = packet;
			return this.#ready;
		}
		while (this.#waiting > 0) this.#advance(nowMs);
		this.#ready.push(before, packet);
		this.#next = (sequence + 1) & 0xffff;
		this.#stranger = null;
		return this.#ready;
	}
}

/** Farther than this no packet is of the same run of numbers. RFC 3550 §A.1 takes 3000 and 100. */
const MAX_JUMP = 3_000;

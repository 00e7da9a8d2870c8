import { u16 } from "../../bytes/big-endian.ts";
import { RTP_HEADER_BYTES, sequenceDistance } from "../../rtp/rtp-packet.ts";

/** Takes the packets in order. The bytes are only good for the time of the call. */
export type DeliverPacket = (bytes: Uint8Array, offset: number, length: number) => void;

export type JitterBufferOptions = {
	readonly deliver: DeliverPacket;
	/** `count` packets are given up, of which `sequence` is the last one. */
	readonly onLost: (sequence: number, count: number) => void;
};

/** Packets that may wait: a power of two. */
const SLOTS = 2048;
/** Bytes that may wait. */
export const MAX_WAITING_BYTES = 2 * 1024 * 1024;
/** Farther than this no packet is of the same run of numbers. RFC 3550 §A.1. */
const MAX_JUMP = 3_000;

type Waiting = { readonly bytes: Uint8Array; readonly arrivalMs: number };

/**
 * Gives the packets of one source in order. What is in order goes on at once and is not copied; what came after a gap
 * waits for the missing ones, but not longer than {@link expire} is told. What comes twice is left out.
 */
export class JitterBuffer {
	readonly #options: JitterBufferOptions;
	readonly #slots = new Array<Waiting | undefined>(SLOTS);
	#waiting = 0;
	#waitingBytes = 0;
	/** The number that is next; -1 before the first packet. */
	#next = -1;
	/** The number that would show that the source began anew; -1 when there is none. */
	#restart = -1;
	/** Packets that were given up, that came after that, and that came twice. */
	lost = 0;
	late = 0;
	duplicates = 0;
	/** The longest that a packet has waited, in ms. */
	longestMs = 0;

	constructor(options: JitterBufferOptions) {
		this.#options = options;
	}

	/** How many packets wait for others. */
	get waiting(): number {
		return this.#waiting;
	}

	push(bytes: Uint8Array, offset: number, length: number, nowMs: number): void {
		if (length < RTP_HEADER_BYTES) return;
		const sequence = u16(bytes, offset + 2);
		if (this.#next === -1) this.#next = sequence;
		let ahead = sequenceDistance(this.#next, sequence);
		if (Math.abs(ahead) >= MAX_JUMP) {
			// One packet of far off may have strayed; two in a row are a source that began anew.
			const isSecond = sequence === this.#restart;
			this.#restart = (sequence + 1) & 0xffff;
			if (!isSecond) {
				this.late++;
				return;
			}
			this.#skipAll();
			this.#next = sequence;
			ahead = 0;
		}
		this.#restart = -1;
		if (ahead < 0) {
			this.late++;
			return;
		}
		if (ahead === 0) {
			this.#next = (sequence + 1) & 0xffff;
			this.#options.deliver(bytes, offset, length);
			if (this.#waiting > 0) this.#release(nowMs);
			return;
		}
		const isFull = ahead >= SLOTS || this.#waitingBytes + length > MAX_WAITING_BYTES;
		if (isFull) {
			this.#skipAll();
			this.#giveUp(sequence);
			this.push(bytes, offset, length, nowMs);
			return;
		}
		const slot = sequence & (SLOTS - 1);
		if (this.#slots[slot] !== undefined) {
			this.duplicates++;
			return;
		}
		// Not `slice`, which is a view where a socket gave a `Buffer`.
		this.#slots[slot] = { bytes: Uint8Array.from(bytes.subarray(offset, offset + length)), arrivalMs: nowMs };
		this.#waiting++;
		this.#waitingBytes += length;
	}

	/** Gives up what packets waited for longer than `maxDelayMs`. */
	expire(nowMs: number, maxDelayMs: number): void {
		while (this.#waiting > 0) {
			let sequence = this.#next;
			while (this.#slots[sequence & (SLOTS - 1)] === undefined) sequence = (sequence + 1) & 0xffff;
			// Only the first one behind the gap is looked at: one that is older behind it came out of order itself.
			if (nowMs - (this.#slots[sequence & (SLOTS - 1)]?.arrivalMs ?? 0) < maxDelayMs) return;
			this.#giveUp(sequence);
			this.#release(nowMs);
		}
	}

	/** Begins anew, with the next packet. What waits is left out. */
	reset(): void {
		this.#slots.fill(undefined);
		this.#waiting = 0;
		this.#waitingBytes = 0;
		this.#next = -1;
		this.#restart = -1;
	}

	/** Goes on to `sequence`, without those before it. */
	#giveUp(sequence: number): void {
		const count = (sequence - this.#next) & 0xffff;
		this.#next = sequence;
		if (count === 0) return;
		this.lost += count;
		this.#options.onLost((sequence - 1) & 0xffff, count);
	}

	#skipAll(): void {
		while (this.#waiting > 0) {
			let sequence = this.#next;
			while (this.#slots[sequence & (SLOTS - 1)] === undefined) sequence = (sequence + 1) & 0xffff;
			this.#giveUp(sequence);
			this.#release(0);
		}
	}

	#release(nowMs: number): void {
		for (;;) {
			const slot = this.#next & (SLOTS - 1);
			const packet = this.#slots[slot];
			if (packet === undefined) return;
			this.#slots[slot] = undefined;
			this.#waiting--;
			this.#waitingBytes -= packet.bytes.length;
			this.#next = (this.#next + 1) & 0xffff;
			this.longestMs = Math.max(this.longestMs, nowMs - packet.arrivalMs);
			this.#options.deliver(packet.bytes, 0, packet.bytes.length);
		}
	}
}

/** What is kept to be sent again, of each track. */
export const HISTORY_MS = 1_000;
export const HISTORY_BYTES = 1024 * 1024;
/** Powers of two. The list grows with the rate of the track. */
const MIN_SLOTS = 64;
const MAX_SLOTS = 2048;
/** The same packet is not sent again sooner, whatever the round trip is. */
const MIN_AGAIN_MS = 10;
/** What may be sent again: a part of what is sent, but never less than this, in bits per second. */
const MIN_BITRATE = 500_000;
const PART_OF_BITRATE = 0.5;
/** What may be sent again at once. */
const BURST_BYTES = 64 * 1024;

/** A packet as the stream has it. One object serves for all. */
export type SentPacket = { bytes: Uint8Array; offset: number; length: number; transportSequence: number };

const NOTHING = new Uint8Array(0);

/**
 * The packets that a viewer was sent lately, by the numbers that it got them with. They are not copied: the batches of
 * the stream, which all viewers share, are kept instead.
 */
export class Retransmission {
	#slots = MIN_SLOTS;
	#bytes: Uint8Array[] = new Array<Uint8Array>(MIN_SLOTS).fill(NOTHING);
	/** Of each slot: offset, length, sequence number, transport-wide sequence number. */
	#places = new Uint32Array(MIN_SLOTS * 4);
	/** Of each slot: when it was sent, and sent again. */
	#times = new Float64Array(MIN_SLOTS * 2);
	/** Sequence number of the oldest, and how many there are up to the newest. */
	#oldest = 0;
	#count = 0;
	#held = 0;
	#allowance = BURST_BYTES;
	#allowanceMs = 0;

	/** Bytes of the packets that are kept. */
	get heldBytes(): number {
		return this.#held;
	}

	get heldPackets(): number {
		return this.#count;
	}

	/** Keeps a packet. Numbers ascend; where some are left out, the history begins anew. */
	push(
		sequence: number,
		bytes: Uint8Array,
		offset: number,
		length: number,
		transportSequence: number,
		nowMs: number,
	): void {
		if (this.#count > 0 && sequence !== ((this.#oldest + this.#count) & 0xffff)) this.#skipTo(sequence);
		if (this.#count === 0) this.#oldest = sequence;
		while (this.#count > 0 && (this.#isOld(nowMs) || this.#held + length > HISTORY_BYTES)) this.#drop();
		if (this.#count === this.#slots) {
			if (this.#slots < MAX_SLOTS) this.#grow();
			else this.#drop();
		}
		const slot = sequence & (this.#slots - 1);
		this.#bytes[slot] = bytes;
		this.#places[slot * 4] = offset;
		this.#places[slot * 4 + 1] = length;
		this.#places[slot * 4 + 2] = sequence;
		this.#places[slot * 4 + 3] = transportSequence;
		this.#times[slot * 2] = nowMs;
		this.#times[slot * 2 + 1] = Number.NEGATIVE_INFINITY;
		if (this.#count === 0) this.#oldest = sequence;
		this.#count++;
		this.#held += length;
	}

	/**
	 * Finds a packet to send again, into `found`. `false`: it is gone, was sent again less than a round trip ago, or too
	 * much was sent again lately. `bitrate`: what the track has.
	 */
	take(found: SentPacket, sequence: number, rttMs: number, bitrate: number, nowMs: number): boolean {
		const slot = sequence & (this.#slots - 1);
		const bytes = this.#bytes[slot] ?? NOTHING;
		if (((sequence - this.#oldest) & 0xffff) >= this.#count || this.#places[slot * 4 + 2] !== sequence) return false;
		if (bytes === NOTHING) return false;
		if (nowMs - (this.#times[slot * 2 + 1] ?? 0) < Math.max(MIN_AGAIN_MS, rttMs)) return false;
		const length = this.#places[slot * 4 + 1] ?? 0;
		const rate = Math.max(MIN_BITRATE, bitrate * PART_OF_BITRATE);
		this.#allowance = Math.min(BURST_BYTES, this.#allowance + ((nowMs - this.#allowanceMs) * rate) / 8000);
		this.#allowanceMs = nowMs;
		if (this.#allowance < length) return false;
		this.#allowance -= length;
		this.#times[slot * 2 + 1] = nowMs;
		return this.#load(found, slot);
	}

	/** Finds the newest packet, into `found`, whatever was sent again. Gives its number, or -1 when there is none. */
	newest(found: SentPacket): number {
		if (this.#count === 0) return -1;
		const sequence = (this.#oldest + this.#count - 1) & 0xffff;
		return this.#load(found, sequence & (this.#slots - 1)) ? sequence : -1;
	}

	/** Keeps nothing. */
	clear(): void {
		while (this.#count > 0) this.#drop();
	}

	#load(found: SentPacket, slot: number): boolean {
		const bytes = this.#bytes[slot] ?? NOTHING;
		if (bytes === NOTHING) return false;
		found.bytes = bytes;
		found.offset = this.#places[slot * 4] ?? 0;
		found.length = this.#places[slot * 4 + 1] ?? 0;
		found.transportSequence = this.#places[slot * 4 + 3] ?? 0;
		return true;
	}

	#isOld(nowMs: number): boolean {
		return nowMs - (this.#times[(this.#oldest & (this.#slots - 1)) * 2] ?? 0) > HISTORY_MS;
	}

	#drop(): void {
		const slot = this.#oldest & (this.#slots - 1);
		if (this.#bytes[slot] !== NOTHING) {
			this.#bytes[slot] = NOTHING;
			this.#held -= this.#places[slot * 4 + 1] ?? 0;
		}
		this.#oldest = (this.#oldest + 1) & 0xffff;
		this.#count--;
	}

	/** The publisher lost packets: their slots are empty. */
	#skipTo(sequence: number): void {
		const gap = (sequence - this.#oldest - this.#count) & 0xffff;
		if (gap >= MAX_SLOTS) {
			this.clear();
			return;
		}
		for (let i = 0; i < gap; i++) {
			if (this.#count === this.#slots) {
				if (this.#slots < MAX_SLOTS) this.#grow();
				else this.#drop();
			}
			const empty = (this.#oldest + this.#count) & 0xffff;
			const slot = empty & (this.#slots - 1);
			this.#bytes[slot] = NOTHING;
			this.#places[slot * 4 + 2] = empty;
			// As old as what was sent before it.
			this.#times[slot * 2] = this.#times[((empty - 1) & (this.#slots - 1)) * 2] ?? 0;
			this.#count++;
		}
	}

	#grow(): void {
		const [slots, bytes, places, times] = [this.#slots, this.#bytes, this.#places, this.#times];
		this.#slots = slots * 2;
		this.#bytes = new Array<Uint8Array>(this.#slots).fill(NOTHING);
		this.#places = new Uint32Array(this.#slots * 4);
		this.#times = new Float64Array(this.#slots * 2);
		for (let i = 0; i < this.#count; i++) {
			const sequence = (this.#oldest + i) & 0xffff;
			const from = sequence & (slots - 1);
			const to = sequence & (this.#slots - 1);
			this.#bytes[to] = bytes[from] ?? NOTHING;
			this.#places.set(places.subarray(from * 4, from * 4 + 4), to * 4);
			this.#times.set(times.subarray(from * 2, from * 2 + 2), to * 2);
		}
	}
}

/** FEC packets that are kept to be sent again: those of the last pictures. */
const MAX_PACKETS = 64;
/** How often each may be, and not sooner than this, whatever the round trip is. */
const MAX_AGAIN = 2;
const MIN_AGAIN_MS = 10;

/**
 * The FEC packets that went out among those of the media. A viewer of some codecs waits for them as for any other: it
 * cannot tell what it lost.
 */
export class RepairHistory {
	/** By number, in the order that they went out. */
	readonly #packets = new Map<number, { readonly bytes: Uint8Array; again: number; lastMs: number }>();

	get size(): number {
		return this.#packets.size;
	}

	/** Keeps a packet. */
	push(sequence: number, bytes: Uint8Array): void {
		this.#packets.delete(sequence);
		this.#packets.set(sequence, { bytes, again: 0, lastMs: Number.NEGATIVE_INFINITY });
		for (const oldest of this.#packets.keys()) {
			if (this.#packets.size <= MAX_PACKETS) break;
			this.#packets.delete(oldest);
		}
	}

	/** The packet to send again; `null` when it is gone, or was sent again often, or less than a round trip ago. */
	take(sequence: number, rttMs: number, nowMs: number): Uint8Array | null {
		const packet = this.#packets.get(sequence);
		if (packet === undefined || packet.again >= MAX_AGAIN) return null;
		if (nowMs - packet.lastMs < Math.max(MIN_AGAIN_MS, rttMs)) return null;
		packet.again++;
		packet.lastMs = nowMs;
		return packet.bytes;
	}

	clear(): void {
		this.#packets.clear();
	}
}

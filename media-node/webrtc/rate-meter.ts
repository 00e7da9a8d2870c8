/** Bits per second over the last second, in slots of 100 ms. Time goes by `nowMs` of a monotonic clock. */
export class RateMeter {
	readonly #slots = new Float64Array(SLOTS);
	#slot = 0;
	#bytes = 0;
	#startMs = -1;

	add(bytes: number, nowMs: number): void {
		this.#advance(nowMs);
		this.#slots[this.#slot % SLOTS] = (this.#slots[this.#slot % SLOTS] ?? 0) + bytes;
		this.#bytes += bytes;
	}

	/** 0 before anything came. */
	bitrate(nowMs: number): number {
		if (this.#startMs === -1) return 0;
		this.#advance(nowMs);
		const sinceMs = Math.max(SLOT_MS, Math.min(SLOTS * SLOT_MS, nowMs - this.#startMs));
		return (this.#bytes * 8000) / sinceMs;
	}

	#advance(nowMs: number): void {
		const slot = Math.floor(nowMs / SLOT_MS);
		if (this.#startMs === -1) {
			this.#startMs = nowMs;
			this.#slot = slot;
		}
		const steps = Math.min(SLOTS, slot - this.#slot);
		for (let i = 1; i <= steps; i++) {
			const at = (slot - steps + i) % SLOTS;
			this.#bytes -= this.#slots[at] ?? 0;
			this.#slots[at] = 0;
		}
		if (steps > 0) this.#slot = slot;
	}
}

const SLOT_MS = 100;
const SLOTS = 10;

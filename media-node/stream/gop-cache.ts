import { u16, u32 } from "../bytes/big-endian.ts";
import { PACKET_STRIDE, type RtpBatch } from "./rtp-batch.ts";

/** A group of pictures that costs or lasts more is not kept. */
export const MAX_GOP_BYTES = 8 * 1024 * 1024;
export const MAX_GOP_MS = 10_000;

/** About what a batch costs beside its bytes, and what a number in its list does. */
const BATCH_BYTES = 256;
const NUMBER_BYTES = 8;

/** What a batch costs in memory, in bytes: many small ones cost more than their packets do. */
export function costOf(batch: RtpBatch): number {
	return BATCH_BYTES + batch.bytes.length + batch.packets.length * NUMBER_BYTES;
}

/**
 * The batches of a stream since its last key frame, for readers that come. It holds nothing while it is off, and after
 * its bounds were hit nothing before the next key frame.
 */
export class GopCache {
	#isOn = false;
	#batches: RtpBatch[] = [];
	#bytes = 0;

	get isOn(): boolean {
		return this.#isOn;
	}

	/** Begins with a key frame; empty when there is nothing to begin with. It changes with each batch: copy it. */
	get batches(): readonly RtpBatch[] {
		return this.#batches;
	}

	turn(isOn: boolean): void {
		this.#isOn = isOn;
		if (!isOn) this.clear();
	}

	/** Takes the next batch of the stream. */
	push(batch: RtpBatch): void {
		if (!this.#isOn) return;
		// A new list each time: what is let go of is not held by the capacity of the old one.
		if (batch.randomAccess) this.clear();
		else if (this.#batches.length === 0) return;
		this.#batches.push(batch);
		this.#bytes += costOf(batch);
		const first = this.#batches[0] ?? batch;
		// Wall-clock time may have been set meanwhile, either way: then it tells nothing.
		const lastsTooLong = Math.abs(batch.arrivalMs - first.arrivalMs) > MAX_GOP_MS;
		if (this.#bytes > MAX_GOP_BYTES || lastsTooLong) this.clear();
	}

	/** Forgets all: what follows does not continue it. */
	clear(): void {
		if (this.#batches.length > 0) this.#batches = [];
		this.#bytes = 0;
	}

	/** The numbers of the first packet of a track that is kept; `null` when there is none. */
	position(track: number): { readonly sequence: number; readonly rtpTime: number; readonly ssrc: number } | null {
		for (const { bytes, packets } of this.#batches) {
			for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
				if (packets[i] !== track) continue;
				const at = packets[i + 1] as number;
				return { sequence: u16(bytes, at + 2), rtpTime: u32(bytes, at + 4), ssrc: u32(bytes, at + 8) };
			}
		}
		return null;
	}
}

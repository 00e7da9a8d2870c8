import { groupSizeFor } from "../../rtp/fec-cover.ts";

/** The part of all packets from which on they are protected, and below which they are no more. */
const MIN_LOSS = 0.005;
const STILL_LOSS = 0.0025;
/** Below this, what is lost is sent again in time. */
const MIN_RTT_MS = 30;
const STILL_RTT_MS = 20;
/** Reports may be of a packet or two: so many are looked at together. */
export const LOSS_PACKETS = 64;
/** More loss is half believed when a report is of so many packets, and less loss of so many. */
const RISE_PACKETS = 100;
const FALL_PACKETS = 300;
/** What waits for more pictures to be protected together waits for this part of the round trip at most. */
const WAIT_PART = 0.5;

/** What a viewer says of one track. */
export type PathReport = {
	/** The part of `packets` that did not come, 0 to 1. */
	readonly fractionLost: number;
	/** Since the report before. */
	readonly packets: number;
	/** `null` while it is not known. */
	readonly rttMs: number | null;
	/** The network carries more than what is sent now: more would not make it worse. */
	readonly hasRoom: boolean;
};

/** Decides how well a viewer's packets are protected: by what it says that it loses, and how far away it is. */
export class FecPolicy {
	/** Fewer packets than this gain nothing by being protected. */
	readonly minGroup: number;
	#packets = 0;
	#lost = 0;
	#loss = 0;
	#rttMs = 0;
	#isActive = false;
	#groupSize = 0;

	/** `skipsLost`: the viewer goes on where only a FEC packet is lost. */
	constructor(skipsLost: boolean) {
		this.minGroup = skipsLost ? 1 : 2;
	}

	get isActive(): boolean {
		return this.#isActive;
	}

	/** Packets for each FEC packet. */
	get groupSize(): number {
		return this.#groupSize;
	}

	report({ fractionLost, packets, rttMs, hasRoom }: PathReport): void {
		this.#packets += packets;
		this.#lost += fractionLost * packets;
		this.#rttMs = rttMs ?? 0;
		if (this.#packets >= LOSS_PACKETS) {
			const loss = Math.min(1, this.#lost / this.#packets);
			const halfBelieved = loss > this.#loss ? RISE_PACKETS : FALL_PACKETS;
			this.#loss += ((loss - this.#loss) * this.#packets) / (this.#packets + halfBelieved);
			this.#packets = this.#lost = 0;
			this.#groupSize = groupSizeFor(this.#loss);
		}
		this.#isActive =
			hasRoom &&
			this.#loss >= (this.#isActive ? STILL_LOSS : MIN_LOSS) &&
			this.#rttMs >= (this.#isActive ? STILL_RTT_MS : MIN_RTT_MS);
	}

	/** Says whether `count` packets may wait for those of the next picture, which would make it `waitMs` for the first. */
	waits(count: number, waitMs: number): boolean {
		return count < this.#groupSize && waitMs <= this.#rttMs * WAIT_PART;
	}
}

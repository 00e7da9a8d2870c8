import { SequenceUnwrapper } from "../sequence.ts";

/**
 * How often a packet is asked for. Where a twentieth is lost both ways, of the packets of a minute at 2 Mbit/s three
 * tries leave one out in most minutes, and four in one of fifteen.
 */
export const MAX_TRIES = 4;
/** A packet that is behind others by this much is late rather than lost. */
const REORDER_MS = 5;
/** Until it is known how long an answer takes. */
const INITIAL_RTT_MS = 100;
/** An answer is waited for as long as the last ones took, and this much more. */
const RTT_MARGIN_MS = 10;
const MIN_RETRY_MS = 20;
const MAX_RETRY_MS = 500;
/** More missing packets are not asked for: a key frame is cheaper. */
export const MAX_MISSING = 512;

type Missing = { readonly number: number; tries: number; nextMs: number; askedMs: number };

/**
 * Knows which packets of a source are missing, and when to ask for them. Time goes by `nowMs` of a monotonic clock.
 * The time that answers take is learned from those to first questions.
 */
export class NackGenerator {
	readonly #unwrapper = new SequenceUnwrapper();
	/** By number, ascending as they are found missing. */
	readonly #missing = new Map<number, Missing>();
	#highest = -1;
	#rttMs = INITIAL_RTT_MS;
	#knowsRtt = false;
	/** Questions, answers to them, and packets that were asked for in vain. */
	asked = 0;
	recovered = 0;
	givenUp = 0;

	/** How long an answer takes, as far as it is known. */
	get rttMs(): number {
		return this.#rttMs;
	}

	get missing(): number {
		return this.#missing.size;
	}

	/** Takes note of a packet that came, by itself or as an answer; or, if not `byNetwork`, that needs to come no more. */
	received(sequence: number, nowMs: number, byNetwork = true): void {
		if (this.#highest === -1) {
			this.#highest = this.#unwrapper.unwrap(sequence);
			return;
		}
		const number = this.#unwrapper.peek(sequence);
		if (number <= this.#highest) {
			if (byNetwork) this.#answer(number, nowMs);
			else this.#missing.delete(number);
			return;
		}
		this.#unwrapper.unwrap(sequence);
		const gap = number - this.#highest - 1;
		if (this.#missing.size + gap > MAX_MISSING) {
			this.givenUp += this.#missing.size;
			this.#missing.clear();
		} else {
			for (let lost = this.#highest + 1; lost < number; lost++) {
				this.#missing.set(lost, { number: lost, tries: 0, nextMs: nowMs + REORDER_MS, askedMs: 0 });
			}
		}
		this.#highest = number;
	}

	/** The numbers to ask for now, ascending modulo 2^16. Those that were asked for in vain are given up. */
	due(nowMs: number): number[] {
		const sequences: number[] = [];
		for (const missing of this.#missing.values()) {
			if (nowMs < missing.nextMs) continue;
			if (missing.tries >= MAX_TRIES) {
				this.#missing.delete(missing.number);
				this.givenUp++;
				continue;
			}
			missing.tries++;
			missing.askedMs = nowMs;
			missing.nextMs = nowMs + Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, this.#rttMs + RTT_MARGIN_MS));
			sequences.push(missing.number & 0xffff);
		}
		this.asked += sequences.length;
		return sequences;
	}

	/** Asks no more for a packet and those before it: nobody waits for them. */
	forget(sequence: number): void {
		const number = this.#unwrapper.peek(sequence);
		for (const lost of this.#missing.keys()) {
			if (lost > number) break;
			this.#missing.delete(lost);
			this.givenUp++;
		}
	}

	/** Begins anew, with the next packet. */
	reset(): void {
		this.#missing.clear();
		this.#unwrapper.reset();
		this.#highest = -1;
	}

	#answer(number: number, nowMs: number): void {
		const missing = this.#missing.get(number);
		if (missing === undefined) return;
		this.#missing.delete(number);
		if (missing.tries === 0) return;
		this.recovered++;
		if (missing.tries > 1) return;
		const tookMs = nowMs - missing.askedMs;
		this.#rttMs = this.#knowsRtt ? this.#rttMs + (tookMs - this.#rttMs) / 8 : tookMs;
		this.#knowsRtt = true;
	}
}

import type { Clock } from "#shared/clock.ts";

export type Rate = {
	/** Tokens that come back each second. */
	readonly perSecond: number;
	/** Tokens of a bucket that is full. */
	readonly burst: number;
};

type Bucket = { tokens: number; atMs: number };

/** Token buckets by name. One that was forgotten counts as full, so memory is bounded and never a reason to refuse. */
export class TokenBuckets {
	readonly #rate: Rate;
	readonly #max: number;
	readonly #clock: Pick<Clock, "monotonic">;
	readonly #buckets = new Map<string, Bucket>();

	/** @param max how many buckets are remembered; beyond it the one that was used longest ago goes */
	constructor(rate: Rate, max: number, clock: Pick<Clock, "monotonic">) {
		this.#rate = rate;
		this.#max = max;
		this.#clock = clock;
	}

	/** Takes a token. Returns 0 when there was one, else in how many seconds there is. */
	take(name: string): number {
		const bucket = this.#filled(name);
		if (bucket.tokens < 1) return this.#waitS(bucket);
		bucket.tokens -= 1;
		return 0;
	}

	/** As {@link take}, without taking. */
	peek(name: string): number {
		if (!this.#buckets.has(name)) return 0;
		const bucket = this.#filled(name);
		return bucket.tokens < 1 ? this.#waitS(bucket) : 0;
	}

	get size(): number {
		return this.#buckets.size;
	}

	#filled(name: string): Bucket {
		const nowMs = this.#clock.monotonic();
		const { perSecond, burst } = this.#rate;
		const bucket = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs };
		bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
		bucket.atMs = nowMs;
		// Moved to the end: a map keeps the order in which names came, so its first is the one used longest ago.
		this.#buckets.delete(name);
		this.#buckets.set(name, bucket);
		if (this.#buckets.size > this.#max) this.#buckets.delete(this.#buckets.keys().next().value as string);
		return bucket;
	}

	#waitS({ tokens }: Bucket): number {
		return Math.max(1, Math.ceil((1 - tokens) / this.#rate.perSecond));
	}
}

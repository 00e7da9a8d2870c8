/**
 * How often one instance answers. Buckets in memory: each instance counts for itself and forgets when it ends, so this
 * keeps one client from taking an instance for itself, and guesses of secrets slow; it is not a quota. What must hold
 * over all instances belongs in front of them (`docs/limits.md`).
 */

import { parseIp } from "#shared/access/ip-range.ts";
import type { Clock } from "#shared/clock.ts";
import { DeniedError, hasCode } from "#shared/problem.ts";
import { type Rate, TokenBuckets } from "./token-buckets.ts";

/** Requests of one address to everything but playback. Behind one address there can be an office. */
export const ADDRESS_RATE: Rate = { perSecond: 50, burst: 300 };
/** Requests with one key or token, from wherever. */
export const CALLER_RATE: Rate = { perSecond: 50, burst: 200 };
/** Requests of one address for media: servers that ask for each of their clients, a site's cameras after a power cut. */
export const MEDIA_RATE: Rate = { perSecond: 1000, burst: 5000 };
/** Requests of one address whose token or key is none of ours. Then none from there is answered until some come back. */
export const FAILURE_RATE: Rate = { perSecond: 1 / 3, burst: 20 };
/** Requests for playback with one token from one address. A token can be that of a page that many watch. */
export const PLAYBACK_RATE: Rate = { perSecond: 200, burst: 1000 };
/** Of each kind of bucket: some 5 MiB. */
export const MAX_BUCKETS = 20_000;
/** More of a token is not needed to tell it from others: its signature ends it. */
const TOKEN_TAIL_CHARS = 43;

/** What the application asks of its limits. */
export type Limits = Pick<RateLimits, "request" | "media" | "caller" | "playback" | "failed">;

/** The limits of one instance. An address that is not known, `null`, is not counted: it would be everybody's. */
export class RateLimits {
	readonly #addresses: TokenBuckets;
	readonly #media: TokenBuckets;
	readonly #callers: TokenBuckets;
	readonly #failures: TokenBuckets;
	readonly #viewers: TokenBuckets;

	constructor(clock: Pick<Clock, "monotonic">) {
		this.#addresses = new TokenBuckets(ADDRESS_RATE, MAX_BUCKETS, clock);
		this.#media = new TokenBuckets(MEDIA_RATE, MAX_BUCKETS, clock);
		this.#callers = new TokenBuckets(CALLER_RATE, MAX_BUCKETS, clock);
		this.#failures = new TokenBuckets(FAILURE_RATE, MAX_BUCKETS, clock);
		this.#viewers = new TokenBuckets(PLAYBACK_RATE, MAX_BUCKETS, clock);
	}

	/** Counts a request, before anything is done for it. @throws DeniedError `access.rate` */
	request(address: string | null): void {
		if (address === null) return;
		const of = network(address);
		expectToken(this.#failures.peek(of), "Too many requests of this address had no valid key or token");
		expectToken(this.#addresses.take(of), "This address asks too often");
	}

	/** Counts a request of a client of media. @throws DeniedError `access.rate` */
	media(address: string | null): void {
		if (address !== null) expectToken(this.#media.take(network(address)), "This address asks too often");
	}

	/** Counts a request of somebody who was recognized. @throws DeniedError `access.rate` */
	caller(id: string): void {
		expectToken(this.#callers.take(id), "This key or token is used too often");
	}

	/** Counts a request for playback, before its token is looked at. @throws DeniedError `access.rate` */
	playback(address: string | null, token: string): void {
		if (address === null) return;
		// One viewer whose token has run out must not stop others behind the same address: failures do not count here.
		expectToken(
			this.#viewers.take(`${network(address)} ${token.slice(-TOKEN_TAIL_CHARS)}`),
			"This viewer asks too often",
		);
	}

	/** Counts a request whose token or key is none of ours; not one that has expired, which an honest client shows too. */
	failed(address: string | null, error: unknown): void {
		if (address !== null && hasCode(error, "access.token_invalid", "access.credentials"))
			this.#failures.take(network(address));
	}
}

function expectToken(waitS: number, what: string): void {
	if (waitS > 0)
		throw new DeniedError("access.rate", `${what}; try again in ${waitS} s`, { data: { retryAfterS: waitS } });
}

/** An address, or of IPv6 its /64: a client has all of that (RFC 4291 §2.5.4). */
function network(address: string): string {
	const bytes = parseIp(address.split("%", 1)[0] ?? "");
	return bytes?.length === 16 ? bytes.slice(0, 8).join(" ") : address;
}

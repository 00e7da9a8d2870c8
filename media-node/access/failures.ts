import { randomInt } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "#shared/clock.ts";

/** So many failures of one address within the window close it for a while. A camera with a stale password makes few. */
export const MAX_FAILURES = 20;
export const WINDOW_MS = 60_000;
export const REFUSED_MS = 60_000;
/** Addresses that are remembered. Beyond them the one that failed longest ago is forgotten. */
export const MAX_ADDRESSES = 10_000;
/** A failure is answered after a time between these: guessing takes long, and the time tells nothing. */
export const MIN_PAUSE_MS = 500;
export const MAX_PAUSE_MS = 2000;

type Record = { failures: number; sinceMs: number; refusedUntilMs: number };

export type FailuresOptions = {
	readonly clock: Clock;
	/** An integer from `min` up to but without `max`. */
	readonly random?: (min: number, max: number) => number;
};

/** Counts failed attempts by address, and says who may try no more for a while. */
export class Failures {
	readonly #clock: Clock;
	readonly #random: (min: number, max: number) => number;
	/** In the order of each address's last failure. */
	readonly #records = new Map<string, Record>();

	constructor({ clock, random = randomInt }: FailuresOptions) {
		this.#clock = clock;
		this.#random = random;
	}

	/** How many addresses are remembered. */
	get size(): number {
		return this.#records.size;
	}

	/** Says whether attempts from this address are refused now. */
	refuses(ip: string): boolean {
		const record = this.#records.get(addressKey(ip));
		return record !== undefined && this.#clock.monotonic() < record.refusedUntilMs;
	}

	/** Counts a failure. Gives how long its answer must wait, in milliseconds. */
	add(ip: string): number {
		const nowMs = this.#clock.monotonic();
		const key = addressKey(ip);
		const known = this.#records.get(key);
		const isFresh = known !== undefined && nowMs - known.sinceMs < WINDOW_MS;
		const record = isFresh ? known : { failures: 0, sinceMs: nowMs, refusedUntilMs: known?.refusedUntilMs ?? 0 };
		record.failures++;
		if (record.failures >= MAX_FAILURES) {
			record.failures = 0;
			record.sinceMs = nowMs;
			record.refusedUntilMs = nowMs + REFUSED_MS;
		}
		this.#records.delete(key);
		this.#records.set(key, record);
		this.#forget(nowMs);
		return this.#random(MIN_PAUSE_MS, MAX_PAUSE_MS);
	}

	/** The first have failed longest ago: it ends at one that still counts. */
	#forget(nowMs: number): void {
		for (const [key, { sinceMs, refusedUntilMs }] of this.#records) {
			const isOver = nowMs - sinceMs >= WINDOW_MS && nowMs >= refusedUntilMs;
			if (!isOver && this.#records.size <= MAX_ADDRESSES) return;
			this.#records.delete(key);
		}
	}
}

/** IPv4 behind IPv6 is the IPv4 address that it is; of IPv6 the network counts, as a host has all of a /64. */
export function addressKey(ip: string): string {
	const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(ip)?.[1];
	if (mapped !== undefined) return mapped;
	const [address = ""] = ip.split("%");
	if (isIP(address) !== 6) return ip;
	const [head = "", tail] = address.toLowerCase().split("::");
	const before = groupsOf(head);
	const after = tail === undefined ? [] : groupsOf(tail);
	const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
	const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
	return `${groups
		.slice(0, 4)
		.map((group) => group.replace(/^0+(?=.)/, ""))
		.join(":")}::/64`;
}

/** Groups of 16 bits; an IPv4 address at the end stands for two of them, never among the first four that count. */
function groupsOf(text: string): string[] {
	if (text === "") return [];
	return text.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));
}

import { joinedBehind } from "../../rtp/packetize/joined.ts";
import type { ForwardTsn, SctpData, SctpSack, StreamReset } from "./sctp-chunk.ts";
import { tsnAfter, tsnDistance } from "./sctp-packet.ts";

export type SctpMessage = {
	readonly stream: number;
	readonly ppid: number;
	readonly bytes: Uint8Array;
};

/** What the peer may have on its way, in bytes. */
export const INBOUND_WINDOW_BYTES = 256 * 1024;
/** Streams that the peer may use. */
export const INBOUND_STREAMS = 1024;
/** The longest message, RFC 8841 §6: what answers say. */
export const MAX_INBOUND_MESSAGE_BYTES = 65_536;
/** What a part costs besides its bytes, so that many small ones are not free. */
const PART_COST_BYTES = 64;
/** A message of more parts would be of parts of less than 64 bytes. */
const MAX_PARTS = 1024;
/** How far ahead of the first that lacks one may be. */
const MAX_AHEAD = 1024;
/** As many as fit into a packet with room to spare. */
const MAX_GAPS = 64;

type Run = { readonly first: number; readonly count: number; readonly isWhole: boolean };
type Ordered = { next: number; readonly early: Map<number, SctpMessage> };

/** The half of an association that receives: what came, and the messages of it, in their order where they have one. */
export class SctpInbound {
	readonly #deliver: (message: SctpMessage) => void;
	/** All up to this one came. */
	#cumulative: number;
	/** Those that came beyond it. */
	readonly #beyond = new Set<number>();
	/** By TSN: parts of messages that are not whole. */
	readonly #parts = new Map<number, SctpData>();
	/** By stream: whole messages, by their number, that wait for others before them. */
	readonly #ordered = new Map<number, Ordered>();
	#held = 0;

	constructor(firstTsn: number, deliver: (message: SctpMessage) => void) {
		this.#cumulative = tsnAfter(firstTsn, -1);
		this.#deliver = deliver;
	}

	/** What to tell the peer, RFC 9260 §6.2. */
	get sack(): SctpSack {
		const steps = [...this.#beyond].map((tsn) => tsnDistance(tsn, this.#cumulative)).sort((a, b) => a - b);
		const gaps: { first: number; last: number }[] = [];
		for (const step of steps) {
			const gap = gaps.at(-1);
			if (gap !== undefined && gap.last === step - 1) gap.last = step;
			else if (gaps.length < MAX_GAPS) gaps.push({ first: step, last: step });
			else break;
		}
		return { cumulativeTsn: this.#cumulative, window: Math.max(0, INBOUND_WINDOW_BYTES - this.#held), gaps };
	}

	/** What is kept, with what it costs to keep it. */
	get heldBytes(): number {
		return this.#held;
	}

	/** Takes a chunk, and copies it where it is kept. `false`: no peer that keeps to the limits sends it. */
	data(chunk: SctpData): boolean {
		const { tsn, payload } = chunk;
		const ahead = tsnDistance(tsn, this.#cumulative);
		if (ahead <= 0 || ahead > MAX_AHEAD || this.#beyond.has(tsn)) return true;
		const held = this.#held + payload.length + PART_COST_BYTES;
		// What does not fit comes again. But the next one may be what all others wait for.
		if (held > INBOUND_WINDOW_BYTES && ahead > 1) return true;
		if (held > 2 * INBOUND_WINDOW_BYTES) return false;
		if (ahead === 1) this.#advance(tsn);
		else this.#beyond.add(tsn);
		// RFC 9260 §6.5: dropped, but acknowledged.
		if (chunk.stream >= INBOUND_STREAMS) return true;
		this.#parts.set(tsn, { ...chunk, payload: payload.slice() });
		this.#held = held;
		const run = this.#runOf(tsn);
		if (run === null) return false;
		if (run.isWhole) this.#complete(run);
		return true;
	}

	/** Gives up what the peer does not send any more, RFC 3758 §3.6. */
	forward({ cumulativeTsn, streams }: ForwardTsn): void {
		const ahead = tsnDistance(cumulativeTsn, this.#cumulative);
		if (ahead <= 0) return;
		for (const tsn of this.#parts.keys()) if (tsnDistance(tsn, cumulativeTsn) <= 0) this.#take(tsn);
		for (const tsn of this.#beyond) if (tsnDistance(tsn, cumulativeTsn) <= 0) this.#beyond.delete(tsn);
		this.#advance(cumulativeTsn);
		for (const { stream, ssn } of streams) {
			if (stream >= INBOUND_STREAMS) continue;
			const ordered = this.#orderedOf(stream);
			if (ssnDistance(ssn, ordered.next) < 0) continue;
			const late = [...ordered.early.keys()].filter((number) => ssnDistance(number, ssn) <= 0);
			for (const number of late.sort(ssnDistance)) this.#pass(ordered, number);
			ordered.next = (ssn + 1) & 0xffff;
			this.#passReady(ordered);
		}
	}

	/** Begins streams of the peer anew. `false`: not yet, messages of before are still to come. RFC 6525 §5.2.2. */
	reset({ lastTsn, streams }: StreamReset): boolean {
		if (tsnDistance(lastTsn, this.#cumulative) > 0) return false;
		for (const stream of streams.length === 0 ? [...this.#ordered.keys()] : streams) {
			for (const message of this.#ordered.get(stream)?.early.values() ?? []) this.#held -= costOf(message.bytes);
			this.#ordered.delete(stream);
		}
		return true;
	}

	#advance(to: number): void {
		this.#cumulative = to;
		while (this.#beyond.delete(tsnAfter(this.#cumulative))) this.#cumulative = tsnAfter(this.#cumulative);
	}

	/** What is there of the message that a part is of; `null` when it is too long. */
	#runOf(tsn: number): Run | null {
		let bytes = 0;
		let count = 0;
		const isTooLong = (part: SctpData) => {
			bytes += part.payload.length;
			return ++count > MAX_PARTS || bytes > MAX_INBOUND_MESSAGE_BYTES;
		};
		let first = tsn;
		let part = this.#parts.get(tsn);
		for (; part !== undefined; part = this.#parts.get(tsnAfter(first, -1)), first = tsnAfter(first, -1)) {
			if (isTooLong(part)) return null;
			if (part.begins) break;
		}
		const hasBegin = part !== undefined;
		let last = this.#parts.get(tsn);
		for (let at = tsn; last !== undefined && !last.ends; ) {
			at = tsnAfter(at);
			last = this.#parts.get(at);
			if (last !== undefined && isTooLong(last)) return null;
		}
		return { first, count, isWhole: hasBegin && last !== undefined };
	}

	#complete({ first, count }: Run): void {
		const parts = Array.from({ length: count }, (_, at) => this.#take(tsnAfter(first, at)));
		const [head] = parts;
		if (head === undefined) return;
		const { stream, ssn, ppid, unordered } = head;
		const bytes =
			count === 1
				? head.payload
				: joinedBehind(
						0,
						parts.map(({ payload }) => payload),
					);
		const message = { stream, ppid, bytes };
		if (unordered) {
			this.#deliver(message);
			return;
		}
		const ordered = this.#orderedOf(stream);
		if (ssnDistance(ssn, ordered.next) < 0 || ordered.early.has(ssn)) return;
		ordered.early.set(ssn, message);
		this.#held += costOf(message.bytes);
		this.#passReady(ordered);
	}

	#take(tsn: number): SctpData {
		const part = this.#parts.get(tsn) as SctpData;
		this.#parts.delete(tsn);
		this.#held -= costOf(part.payload);
		return part;
	}

	#orderedOf(stream: number): Ordered {
		const known = this.#ordered.get(stream);
		if (known !== undefined) return known;
		const ordered = { next: 0, early: new Map<number, SctpMessage>() };
		this.#ordered.set(stream, ordered);
		return ordered;
	}

	#passReady(ordered: Ordered): void {
		while (this.#pass(ordered, ordered.next)) ordered.next = (ordered.next + 1) & 0xffff;
	}

	#pass({ early }: Ordered, ssn: number): boolean {
		const message = early.get(ssn);
		if (message === undefined) return false;
		early.delete(ssn);
		this.#held -= costOf(message.bytes);
		this.#deliver(message);
		return true;
	}
}

function costOf(bytes: Uint8Array): number {
	return bytes.length + PART_COST_BYTES;
}

/** How far `a` is after `b`, of 16 bits that wrap. */
function ssnDistance(a: number, b: number): number {
	return ((a - b) << 16) >> 16;
}

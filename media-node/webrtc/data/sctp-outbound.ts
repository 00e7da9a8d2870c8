import { DATA_HEADER_BYTES, type SctpData, type SctpSack, writeData } from "./sctp-chunk.ts";
import { paddedTo4, SCTP_HEADER_BYTES, type SctpChunk, tsnAfter, tsnDistance } from "./sctp-packet.ts";

/** What fits into a datagram of 1200 bytes with the record of DTLS around it, RFC 8831 §5. */
export const MAX_SCTP_PACKET_BYTES = 1152;
/** What may wait to be sent and to be acknowledged, in bytes with {@link PART_COST_BYTES}. */
export const OUTBOUND_BUFFER_BYTES = 512 * 1024;
const PART_COST_BYTES = 64;
const MAX_PART_BYTES = MAX_SCTP_PACKET_BYTES - SCTP_HEADER_BYTES - DATA_HEADER_BYTES;
/** RFC 9260 §7.2.1. */
const INITIAL_CONGESTION_WINDOW = 4 * MAX_SCTP_PACKET_BYTES;
const MIN_SLOW_START_THRESHOLD = 4 * MAX_SCTP_PACKET_BYTES;
/** Of live data no more than this is worth to be on its way. */
const MAX_CONGESTION_WINDOW = 256 * 1024;
/** RFC 9260 §7.2.4: so many SACKs tell of a gap before what is in it is sent again. */
const MISSES_BEFORE_RESEND = 3;
/** RFC 9260 §16, but for the most: what is live is not waited for a minute. */
const RTO_INITIAL_MS = 1_000;
const RTO_MIN_MS = 400;
const RTO_MAX_MS = 10_000;

export type OutboundMessage = {
	readonly stream: number;
	readonly ppid: number;
	readonly unordered: boolean;
	/** At least one byte. */
	readonly bytes: Uint8Array;
};

type Part = SctpData & {
	readonly size: number;
	state: "waiting" | "flying" | "lost" | "acked";
	sentMs: number;
	sends: number;
	misses: number;
};

/** The half of an association that sends: what waits, what is on its way, and how much may be. RFC 9260 §6 and §7. */
export class SctpOutbound {
	/** In the order of their TSN, from the first that is not acknowledged together with all before it. */
	readonly #parts: Part[] = [];
	readonly #ssns = new Map<number, number>();
	#nextTsn: number;
	#peerWindow: number;
	#window = INITIAL_CONGESTION_WINDOW;
	#threshold = MAX_CONGESTION_WINDOW;
	#partialAcked = 0;
	/** The last TSN that was sent when a loss was seen: until it is acknowledged, more losses are the same one. */
	#recoveryUntil: number | null = null;
	#flight = 0;
	#buffered = 0;
	#srttMs: number | null = null;
	#rttvarMs = 0;
	#rtoMs = RTO_INITIAL_MS;

	constructor(firstTsn: number, peerWindow: number) {
		this.#nextTsn = firstTsn;
		this.#peerWindow = peerWindow;
	}

	/** How long to wait for an acknowledgement, in milliseconds. */
	get rtoMs(): number {
		return this.#rtoMs;
	}

	/** Something is on its way, or waits for a window of the peer. */
	get isWaiting(): boolean {
		return this.#parts.length > 0;
	}

	get bufferedBytes(): number {
		return this.#buffered;
	}

	/** The last that a message or part of one has got. */
	get lastTsn(): number {
		return tsnAfter(this.#nextTsn, -1);
	}

	/** Begins those of the streams anew that were begun, of all where none is named; which ones they are. */
	reset(streams: readonly number[]): number[] {
		const begun = [...this.#ssns.keys()].filter((stream) => streams.length === 0 || streams.includes(stream));
		for (const stream of begun) this.#ssns.delete(stream);
		return begun;
	}

	/** Copies a message and keeps it until it is acknowledged. `false`: there is no room for it. */
	add({ stream, ppid, unordered, bytes }: OutboundMessage): boolean {
		const count = Math.ceil(bytes.length / MAX_PART_BYTES);
		const cost = bytes.length + count * PART_COST_BYTES;
		if (count === 0 || this.#buffered + cost > OUTBOUND_BUFFER_BYTES) return false;
		this.#buffered += cost;
		const ssn = unordered ? 0 : (this.#ssns.get(stream) ?? 0);
		if (!unordered) this.#ssns.set(stream, (ssn + 1) & 0xffff);
		const own = bytes.slice();
		for (let at = 0; at < own.length; at += MAX_PART_BYTES) {
			const payload = own.subarray(at, at + MAX_PART_BYTES);
			this.#parts.push({
				...{ stream, ssn, ppid, unordered, payload, tsn: this.#nextTsn },
				begins: at === 0,
				ends: at + MAX_PART_BYTES >= own.length,
				size: DATA_HEADER_BYTES + paddedTo4(payload.length),
				...{ state: "waiting", sentMs: 0, sends: 0, misses: 0 },
			});
			this.#nextTsn = tsnAfter(this.#nextTsn);
		}
		return true;
	}

	/** The chunks of the next packet, which are on their way now; none when nothing may be sent. */
	next(nowMs: number): SctpChunk[] {
		const chunks: SctpChunk[] = [];
		let room = MAX_SCTP_PACKET_BYTES - SCTP_HEADER_BYTES;
		for (const part of this.#parts) {
			if (part.state !== "lost" && part.state !== "waiting") continue;
			if (part.size > room || !this.#allows(part)) break;
			room -= part.size;
			part.state = "flying";
			part.sentMs = nowMs;
			part.sends++;
			part.misses = 0;
			this.#flight += part.payload.length;
			chunks.push(writeData(part));
		}
		return chunks;
	}

	/** Takes an acknowledgement. `true`: it told of something new. */
	acknowledged({ cumulativeTsn, window, gaps }: SctpSack, nowMs: number): boolean {
		const [first] = this.#parts;
		const base = first === undefined ? this.#nextTsn : first.tsn;
		const steps = tsnDistance(cumulativeTsn, tsnAfter(base, -1));
		// Older than one before, or of what was never sent.
		if (steps < 0 || steps > this.#sentCount()) return false;
		this.#peerWindow = window;
		const wasFull = this.#flight + MAX_PART_BYTES >= this.#window;
		let bytes = 0;
		for (const part of this.#parts.splice(0, steps)) {
			this.#buffered -= part.payload.length + PART_COST_BYTES;
			bytes += this.#ack(part, nowMs);
		}
		const isCumulative = steps > 0;
		let highest = -1;
		let seen = 0;
		for (const gap of gaps) {
			// Blocks ascend. A part is looked at once, however many blocks a peer makes of it.
			for (let at = Math.max(gap.first - 1, seen); at < gap.last; at++) {
				seen = at + 1;
				const part = this.#parts[at];
				if (part === undefined || part.sends === 0) break;
				const fresh = this.#ack(part, nowMs);
				if (fresh > 0) highest = Math.max(highest, at);
				bytes += fresh;
			}
		}
		this.#countMisses(highest);
		if (isCumulative) {
			if (this.#recoveryUntil !== null && tsnDistance(cumulativeTsn, this.#recoveryUntil) >= 0)
				this.#recoveryUntil = null;
			if (wasFull && this.#recoveryUntil === null) this.#grow(bytes);
			this.#rtoMs = this.#rtoOfRtt();
		}
		return bytes > 0;
	}

	/** No acknowledgement came in time: all that is on its way goes again. RFC 9260 §6.3.3. */
	timedOut(): void {
		this.#threshold = Math.max(this.#window / 2, MIN_SLOW_START_THRESHOLD);
		this.#window = MAX_SCTP_PACKET_BYTES;
		this.#partialAcked = 0;
		this.#recoveryUntil = null;
		this.#rtoMs = Math.min(this.#rtoMs * 2, RTO_MAX_MS);
		for (const part of this.#parts) if (part.state === "flying") this.#lose(part);
	}

	/** Something may always be on its way, so that a window that opens again is heard of: RFC 9260 §6.1. */
	#allows({ payload }: Part): boolean {
		if (this.#flight === 0) return true;
		return this.#flight + payload.length <= Math.min(this.#window, this.#peerWindow);
	}

	#sentCount(): number {
		let count = 0;
		for (const part of this.#parts) {
			if (part.sends === 0) break;
			count++;
		}
		return count;
	}

	/** How many bytes this tells of that nobody had told of before. */
	#ack(part: Part, nowMs: number): number {
		if (part.state === "acked") return 0;
		if (part.state === "flying") this.#flight -= part.payload.length;
		part.state = "acked";
		// Karn: of what was sent again, nobody knows which one is answered.
		if (part.sends === 1) this.#measure(nowMs - part.sentMs);
		return part.payload.length;
	}

	#countMisses(highest: number): void {
		for (let at = 0; at < highest; at++) {
			const part = this.#parts[at] as Part;
			if (part.state !== "flying" || ++part.misses < MISSES_BEFORE_RESEND) continue;
			this.#lose(part);
			if (this.#recoveryUntil !== null) continue;
			this.#threshold = Math.max(this.#window / 2, MIN_SLOW_START_THRESHOLD);
			this.#window = this.#threshold;
			this.#partialAcked = 0;
			this.#recoveryUntil = this.#parts[this.#sentCount() - 1]?.tsn ?? part.tsn;
		}
	}

	#lose(part: Part): void {
		part.state = "lost";
		part.misses = 0;
		this.#flight -= part.payload.length;
	}

	/** Slow start and congestion avoidance, RFC 9260 §7.2.1 and §7.2.2. */
	#grow(bytes: number): void {
		if (this.#window <= this.#threshold) {
			this.#window += Math.min(bytes, MAX_SCTP_PACKET_BYTES);
		} else {
			this.#partialAcked += bytes;
			if (this.#partialAcked < this.#window) return;
			this.#partialAcked -= this.#window;
			this.#window += MAX_SCTP_PACKET_BYTES;
		}
		this.#window = Math.min(this.#window, MAX_CONGESTION_WINDOW);
	}

	/** RFC 9260 §6.3.1. */
	#measure(rttMs: number): void {
		if (this.#srttMs === null) {
			this.#srttMs = rttMs;
			this.#rttvarMs = rttMs / 2;
		} else {
			this.#rttvarMs = 0.75 * this.#rttvarMs + 0.25 * Math.abs(this.#srttMs - rttMs);
			this.#srttMs = 0.875 * this.#srttMs + 0.125 * rttMs;
		}
	}

	#rtoOfRtt(): number {
		if (this.#srttMs === null) return this.#rtoMs;
		return Math.min(Math.max(this.#srttMs + 4 * this.#rttvarMs, RTO_MIN_MS), RTO_MAX_MS);
	}
}

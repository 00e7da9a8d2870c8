import { ByteWriter } from "../../bytes/byte-writer.ts";
import { writeTransportFeedback } from "../rtcp-feedback.ts";
import { SequenceUnwrapper } from "../sequence.ts";

/** Senders take changes of the network into account this often. The draft says 50 to 250 ms. */
export const TRANSPORT_FEEDBACK_MS = 50;

/** Ticks of a delta are of 250 µs, those of the reference time of 64 ms. */
const TICKS_PER_MS = 4;
const TICKS_PER_REFERENCE = 256;
/** Arrivals that are kept: more than a feedback's worth of the fastest publisher. */
const WINDOW = 8192;
/** Of one feedback packet, so that it fits a datagram: two bytes each at most, and the chunks. */
const MAX_STATUSES = 512;
/** Older ones are not told once more beside one that came late. */
const RETOLD_MS = 500;

const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;

/**
 * Takes note of when packets came, and writes it down for their sender's congestion control.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |      base sequence number     |      packet status count      |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                 reference time                | fb pkt. count |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |          packet chunk         |   packet chunk, then deltas   |
 *
 * @see draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1
 */
export class TransportCc {
	readonly #unwrapper = new SequenceUnwrapper();
	/** Of each number modulo {@link WINDOW}: when it came in ticks, and which one it was. */
	readonly #ticks = new Float64Array(WINDOW);
	readonly #numbers = new Float64Array(WINDOW).fill(-1);
	/** The first number that was not told yet; -1 before any packet. */
	#next = -1;
	#highest = -1;
	#hasNews = false;
	#count = 0;

	/** Takes note of a packet. Of one that comes twice the first arrival counts. */
	received(sequence: number, arrivalMs: number): void {
		const ahead = this.#highest === -1 ? 0 : this.#unwrapper.peek(sequence) - this.#highest;
		if (ahead <= -WINDOW / 2) return;
		const number = this.#unwrapper.unwrap(sequence);
		const slot = number % WINDOW;
		if (this.#numbers[slot] === number) return;
		this.#numbers[slot] = number;
		this.#ticks[slot] = Math.round(arrivalMs * TICKS_PER_MS);
		this.#hasNews = true;
		if (number > this.#highest) this.#highest = number;
		if (this.#next === -1 || number < this.#next) this.#next = number;
		// After a jump what lies between is of no interest.
		if (this.#highest - this.#next >= WINDOW / 2) this.#next = number;
	}

	/** Writes what came since the last time; empty when nothing did. `ssrc`: any source of the sender. */
	feedback(sender: number, ssrc: number, nowMs: number): Uint8Array[] {
		const packets: Uint8Array[] = [];
		if (!this.#hasNews) return packets;
		this.#hasNews = false;
		const oldest = (nowMs - RETOLD_MS) * TICKS_PER_MS;
		while (this.#next <= this.#highest) {
			const first = this.#next;
			// The lost ones before the first that came are told too, when it follows what was told.
			let received = first;
			while (received < this.#highest && this.#ticksOf(received) < 0) received++;
			if (this.#ticksOf(received) < oldest && received < this.#highest) {
				this.#next = received + 1;
				continue;
			}
			packets.push(this.#write(sender, ssrc, first, received));
		}
		return packets;
	}

	#ticksOf(number: number): number {
		const slot = number % WINDOW;
		return this.#numbers[slot] === number ? (this.#ticks[slot] ?? -1) : -1;
	}

	/** Writes as much as fits from `first` on, of which `received` came first. */
	#write(sender: number, ssrc: number, first: number, received: number): Uint8Array {
		const reference = Math.floor(this.#ticksOf(received) / TICKS_PER_REFERENCE);
		let lastTicks = reference * TICKS_PER_REFERENCE;
		const statuses: number[] = [];
		const deltas = new ByteWriter(128);
		// A gap that is longer than a packet can tell is told from its end.
		let number = received - first >= MAX_STATUSES ? received : first;
		const base = number;
		for (; number <= this.#highest && statuses.length < MAX_STATUSES; number++) {
			const ticks = this.#ticksOf(number);
			if (ticks < 0) {
				statuses.push(NOT_RECEIVED);
				continue;
			}
			const delta = ticks - lastTicks;
			if (delta < -0x8000 || delta > 0x7fff) break;
			lastTicks = ticks;
			if (delta >= 0 && delta <= 0xff) {
				statuses.push(SMALL_DELTA);
				deltas.u8(delta);
			} else {
				statuses.push(LARGE_DELTA);
				deltas.u16(delta & 0xffff);
			}
		}
		while (statuses.at(-1) === NOT_RECEIVED) {
			statuses.pop();
			number--;
		}
		this.#next = number;
		const writer = new ByteWriter(256);
		writer.u16(base & 0xffff);
		writer.u16(statuses.length);
		writer.u24(reference & 0xffffff);
		writer.u8(this.#count);
		this.#count = (this.#count + 1) & 0xff;
		writeChunks(writer, statuses);
		writer.bytes(deltas.written);
		const padding = -writer.length & 3;
		for (let i = 1; i <= padding; i++) writer.u8(i === padding ? padding : 0);
		return writeTransportFeedback(sender, ssrc, writer.written, padding);
	}
}

/** §3.1.3 and §3.1.4: a run of one status, or a vector of 14 that are told by a bit each, or 7 by two. */
function writeChunks(writer: ByteWriter, statuses: readonly number[]): void {
	let at = 0;
	while (at < statuses.length) {
		const status = statuses[at] ?? NOT_RECEIVED;
		let run = 1;
		while (at + run < statuses.length && statuses[at + run] === status) run++;
		const isLarge = statuses.slice(at, at + 14).includes(LARGE_DELTA);
		if (run >= 14 || (isLarge && run >= 7) || at + run === statuses.length) {
			writer.u16((status << 13) | run);
			at += run;
			continue;
		}
		const [size, bits, flag] = isLarge ? [7, 2, 0xc000] : [14, 1, 0x8000];
		let chunk = flag;
		for (let i = 0; i < size; i++) chunk |= (statuses[at + i] ?? NOT_RECEIVED) << ((size - 1 - i) * bits);
		writer.u16(chunk);
		at += size;
	}
}

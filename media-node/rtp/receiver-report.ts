import { compactNtp, type Ntp } from "./ntp.ts";
import { type ReportBlock, writeRtcp } from "./rtcp-packet.ts";

/** Counts how the packets of one source come in, for receiver reports. RFC 3550 §6.4, §A.1, §A.3, §A.8. */
export class ReceptionStatistics {
	readonly #ssrc: number;
	readonly #clockRate: number;
	/** The first and the highest sequence number, with cycles above 16 bits. */
	#first: number | null = null;
	#highest = 0;
	/** After a jump, the number that would show that the source began anew. */
	#restart = -1;
	#received = 0;
	#expectedBefore = 0;
	#receivedBefore = 0;
	#transit: number | null = null;
	#jitter = 0;
	#senderReport: { readonly compact: number; readonly atMs: number } | null = null;

	constructor(ssrc: number, clockRate: number) {
		this.#ssrc = ssrc;
		this.#clockRate = clockRate;
	}

	/** Packets that did not come so far; less than 0 when some came twice. */
	get lost(): number {
		return this.#expected - this.#received;
	}

	/** Counts a packet as it comes, before any reordering. */
	received(sequence: number, rtpTime: number, arrivalMs: number): void {
		if (!this.#count(sequence)) return;
		this.#received++;
		const transit = (((arrivalMs * this.#clockRate) / 1000) % 2 ** 32) - rtpTime;
		if (this.#transit !== null) {
			const difference = Math.abs((transit - this.#transit) | 0);
			this.#jitter += (difference - this.#jitter) / 16;
		}
		this.#transit = transit;
	}

	/** Takes note of a sender report of the source. */
	senderReport(ntp: Ntp, nowMs: number): void {
		this.#senderReport = { compact: compactNtp(ntp), atMs: nowMs };
	}

	/** What to report now. Begins a new interval for `fractionLost`. */
	report(nowMs: number): ReportBlock {
		const expected = this.#expected - this.#expectedBefore;
		const lost = expected - (this.#received - this.#receivedBefore);
		this.#expectedBefore = this.#expected;
		this.#receivedBefore = this.#received;
		const sinceMs = this.#senderReport === null ? 0 : Math.max(0, nowMs - this.#senderReport.atMs);
		return {
			ssrc: this.#ssrc,
			fractionLost: expected > 0 && lost > 0 ? Math.min(255, Math.floor((lost * 256) / expected)) : 0,
			totalLost: Math.max(-0x800000, Math.min(0x7fffff, this.lost)),
			highestSequence: this.#highest % 2 ** 32,
			jitter: Math.floor(this.#jitter),
			lastSenderReport: this.#senderReport?.compact ?? 0,
			delaySinceLast: Math.min(0xffffffff, Math.floor((sinceMs * 65_536) / 1000)),
		};
	}

	get #expected(): number {
		return this.#first === null ? 0 : this.#highest - this.#first + 1;
	}

	/** RFC 3550 §A.1 without probation: whoever asks for reports has a session with the source. */
	#count(sequence: number): boolean {
		if (this.#first === null) {
			this.#begin(sequence);
			return true;
		}
		const ahead = (sequence - this.#highest) & 0xffff;
		if (ahead < MAX_DROPOUT) {
			this.#highest += ahead;
		} else if (ahead <= 0x10000 - MAX_MISORDER) {
			// A large jump: two in a row show that the source began anew.
			if (sequence !== this.#restart) {
				this.#restart = (sequence + 1) & 0xffff;
				return false;
			}
			this.#begin(sequence);
		}
		this.#restart = -1;
		return true;
	}

	#begin(sequence: number): void {
		this.#first = sequence;
		this.#highest = sequence;
		this.#received = 0;
		this.#expectedBefore = 0;
		this.#receivedBefore = 0;
		this.#transit = null;
	}
}

const MAX_DROPOUT = 3_000;
const MAX_MISORDER = 100;

/** The compound packet of a receiver report and the name of the receiver, RFC 3550 §6.1. At most 31 reports. */
export function writeReceiverReport(ssrc: number, reports: readonly ReportBlock[], cname: string): Uint8Array {
	return writeRtcp([
		{ type: "RR", ssrc, reports },
		{ type: "SDES", chunks: [{ ssrc, cname }] },
	]);
}

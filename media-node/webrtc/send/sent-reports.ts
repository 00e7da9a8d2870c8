import { compactNtp, ntpOf } from "../../rtp/ntp.ts";
import type { ReportBlock } from "../../rtp/rtcp-packet.ts";

/** Reports that a receiver may still refer to. */
const KEPT = 8;
/** A line that was drawn by arrival is drawn anew when packets are off by more. */
const MAX_OFF_MS = 500;

/** One point of the line that says which wall-clock time an RTP time stamp stands for. */
type Anchor = { readonly wallclockMs: number; readonly rtpTime: number; readonly atMs: number };

/**
 * The sender reports of one source: what the publisher said, told for the present moment, so that viewers see and hear
 * together what belongs together; and the round trip that viewers' reports tell. Times `nowMs` are of a monotonic clock.
 */
export class SentReports {
	readonly #clockRate: number;
	readonly #sent: { readonly compact: number; readonly atMs: number }[] = [];
	#anchor: Anchor | null = null;
	#isOurs = true;
	/** `null` until a report came back. */
	rttMs: number | null = null;

	constructor(clockRate: number) {
		this.#clockRate = clockRate;
	}

	/** Takes a report of the publisher. */
	publisherSaid(wallclockMs: number, rtpTime: number, nowMs: number): void {
		this.#anchor = { wallclockMs, rtpTime, atMs: nowMs };
		this.#isOurs = false;
	}

	/** Takes when a packet came: that is all there is until the publisher says something. */
	packetCame(wallclockMs: number, rtpTime: number, nowMs: number): void {
		if (!this.#isOurs) return;
		const anchor = this.#anchor;
		if (anchor !== null) {
			const offMs = wallclockMs - anchor.wallclockMs - (((rtpTime - anchor.rtpTime) | 0) * 1000) / this.#clockRate;
			if (Math.abs(offMs) < MAX_OFF_MS) return;
		}
		this.#anchor = { wallclockMs, rtpTime, atMs: nowMs };
	}

	/** Which time stamp stands for which wall-clock time now; `null` while nothing is known. */
	at(nowMs: number): { readonly wallclockMs: number; readonly rtpTime: number } | null {
		const anchor = this.#anchor;
		if (anchor === null) return null;
		const passedMs = nowMs - anchor.atMs;
		const rtpTime = (anchor.rtpTime + Math.round((passedMs * this.#clockRate) / 1000)) >>> 0;
		return { wallclockMs: anchor.wallclockMs + passedMs, rtpTime };
	}

	/** The report of now, which is to be sent; `null` while nothing is known. */
	report(nowMs: number): { readonly wallclockMs: number; readonly rtpTime: number } | null {
		const report = this.at(nowMs);
		if (report === null) return null;
		this.#sent.push({ compact: compactNtp(ntpOf(report.wallclockMs)), atMs: nowMs });
		if (this.#sent.length > KEPT) this.#sent.shift();
		return report;
	}

	/** Takes what a viewer reports of this source. RFC 3550 §6.4.1. */
	received({ lastSenderReport, delaySinceLast }: ReportBlock, nowMs: number): void {
		const sent = this.#sent.find(({ compact }) => compact === lastSenderReport);
		if (sent === undefined || lastSenderReport === 0) return;
		const tookMs = nowMs - sent.atMs - (delaySinceLast * 1000) / 65_536;
		if (tookMs < 0) return;
		this.rttMs = this.rttMs === null ? tookMs : this.rttMs + (tookMs - this.rttMs) / 8;
	}
}

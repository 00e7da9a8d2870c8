import { SequenceUnwrapper } from "../sequence.ts";
import { QueueDelay } from "./queue-delay.ts";
import { TargetRate } from "./target-rate.ts";
import type { TransportFeedback } from "./transport-feedback.ts";
import { type NetworkUse, Trendline } from "./trendline.ts";

/** Packets that feedback may still come for: a power of two. */
const WINDOW = 4096;
/** What is sent within this time is one group. draft-ietf-rmcat-gcc-02 §5.2. */
const BURST_MS = 5;
/** Over which it is measured what comes. */
const CARRIED_MS = 500;
/** What comes after nothing came for this long tells nothing together with what came before. */
const IDLE_MS = 200;
/** A queue that is this long needs no trend to be seen: on a very thin link, a trend comes late. */
const LONG_QUEUE_MS = 300;
const LOSS_INTERVAL_MS = 1_000;
/** Arrival times that jump by more are of another clock. */
const MAX_ARRIVAL_JUMP_MS = 3_000;
const INITIAL_RTT_MS = 100;
const UNSENT = -1;

/**
 * Finds out, from what a viewer says of the packets that it got, how many bits per second the network carries to it: by
 * the growth of delay, and by loss. It gives no answer while there is no sign that the network carries less than what
 * is sent. Time goes by `nowMs` of a monotonic clock.
 */
export class Bandwidth {
	readonly #sentMs = new Float64Array(WINDOW).fill(UNSENT);
	readonly #sizes = new Uint16Array(WINDOW);
	readonly #unwrapper = new SequenceUnwrapper();
	#trendline = new Trendline();
	#hasTrend = false;
	#use: NetworkUse = "normal";
	readonly #queue = new QueueDelay();
	readonly #target = new TargetRate();
	#next = 0;
	#rttMs = INITIAL_RTT_MS;
	/** The group that packets are added to, and the one before it: times of their last packets. */
	#group: { firstSentMs: number; sentMs: number; arrivalMs: number } | null = null;
	#before: { sentMs: number; arrivalMs: number } | null = null;
	/** What came lately, by time of arrival. */
	#arrivals: { readonly atMs: number; readonly bytes: number }[] = [];
	#arrivedBytes = 0;
	#lossMs = Number.NaN;
	#told = 0;
	#lost = 0;
	/** Everything behind this number was told of. */
	#toldUpTo = -1;
	/** Of the last interval. */
	fractionLost = 0;

	/** Bits per second to aim at; `null`: there was no sign of a limit. */
	get target(): number | null {
		return this.#target.bitrate;
	}

	/** Bits per second that came lately; `null` before there was enough to tell. */
	get carried(): number | null {
		return this.#carried();
	}

	/** What was last told is that a queue grows. */
	get isOverused(): boolean {
		return this.#use === "overuse";
	}

	/** It was tried: so many bits per second are carried. */
	raise(bitrate: number): void {
		this.#target.raise(bitrate);
	}

	/** How long packets wait on their way, in ms, as far as it is known. */
	queueMs(nowMs: number): number {
		return this.#queue.at(nowMs);
	}

	/** Takes note of a packet that goes out, and gives its transport-wide sequence number. */
	sent(length: number, nowMs: number): number {
		const sequence = this.#next;
		const slot = sequence & (WINDOW - 1);
		this.#sentMs[slot] = nowMs;
		this.#sizes[slot] = length;
		this.#next = (sequence + 1) & 0xffff;
		return sequence;
	}

	/** How long the round trip is, from elsewhere. */
	set rttMs(value: number) {
		this.#rttMs = value;
	}

	/** Takes what the viewer says of packets. `sent`: bits per second that went out lately. */
	feedback(feedback: TransportFeedback, sent: number, nowMs: number): void {
		const base = this.#unwrapper.unwrap(feedback.base);
		this.#hasTrend = false;
		for (let i = 0; i < feedback.arrivalsMs.length; i++) {
			const sequence = (feedback.base + i) & 0xffff;
			// What was not sent yet, or long ago, is no news.
			const age = (this.#next - sequence) & 0xffff;
			if (age === 0 || age > WINDOW) continue;
			const slot = sequence & (WINDOW - 1);
			const arrivalMs = feedback.arrivalsMs[i] ?? Number.NaN;
			const isNew = base + i > this.#toldUpTo;
			if (isNew) this.#told++;
			const sentMs = this.#sentMs[slot] ?? UNSENT;
			if (Number.isNaN(arrivalMs)) {
				if (isNew) this.#lost++;
				continue;
			}
			if (sentMs === UNSENT) continue;
			this.#sentMs[slot] = UNSENT;
			if (!isNew) this.#lost--;
			this.#arrived(sentMs, arrivalMs, this.#sizes[slot] ?? 0, nowMs);
		}
		this.#toldUpTo = Math.max(this.#toldUpTo, base + feedback.arrivalsMs.length - 1);
		const trend = this.#hasTrend ? this.#trendline.use : "normal";
		this.#use = this.#queue.at(nowMs) > LONG_QUEUE_MS ? "overuse" : trend;
		this.#target.delay(this.#use, this.#carried(), this.#rttMs, nowMs);
		if (Number.isNaN(this.#lossMs)) this.#lossMs = nowMs;
		if (nowMs - this.#lossMs < LOSS_INTERVAL_MS) return;
		this.fractionLost = this.#told > 0 ? Math.max(0, this.#lost) / this.#told : 0;
		this.#target.loss(this.fractionLost, sent, this.#rttMs, nowMs);
		this.#lossMs = nowMs;
		this.#told = 0;
		this.#lost = 0;
	}

	/** Takes a receiver report of a viewer that sends no transport-wide feedback. */
	report(fractionLost: number, sent: number, nowMs: number): void {
		this.fractionLost = fractionLost;
		this.#target.loss(fractionLost, sent, this.#rttMs, nowMs);
		this.#target.grow(fractionLost, sent);
	}

	/** Takes the receiver's own estimate. draft-alvestrand-rmcat-remb-03. */
	limit(bitrate: number): void {
		this.#target.limit(bitrate);
	}

	#arrived(sentMs: number, arrivalMs: number, bytes: number, nowMs: number): void {
		const newest = this.#arrivals.at(-1)?.atMs ?? arrivalMs;
		if (Math.abs(arrivalMs - newest) > MAX_ARRIVAL_JUMP_MS) this.#queue.reset();
		if (Math.abs(arrivalMs - newest) > IDLE_MS) this.#restart();
		this.#queue.update(arrivalMs - sentMs, nowMs);
		this.#arrivals.push({ atMs: arrivalMs, bytes });
		this.#arrivedBytes += bytes;
		while (arrivalMs - (this.#arrivals[0]?.atMs ?? arrivalMs) > CARRIED_MS) {
			this.#arrivedBytes -= this.#arrivals.shift()?.bytes ?? 0;
		}
		const group = this.#group;
		if (group === null) {
			this.#group = { firstSentMs: sentMs, sentMs, arrivalMs };
			return;
		}
		if (sentMs < group.firstSentMs) return;
		if (sentMs - group.firstSentMs <= BURST_MS) {
			group.sentMs = Math.max(group.sentMs, sentMs);
			group.arrivalMs = Math.max(group.arrivalMs, arrivalMs);
			return;
		}
		const before = this.#before;
		if (before !== null) {
			this.#hasTrend = true;
			this.#trendline.update(group.arrivalMs - before.arrivalMs, group.sentMs - before.sentMs, group.arrivalMs);
		}
		this.#before = { sentMs: group.sentMs, arrivalMs: group.arrivalMs };
		this.#group = { firstSentMs: sentMs, sentMs, arrivalMs };
	}

	/** Bits per second that came; `null` before there was enough to tell. */
	#carried(): number | null {
		const first = this.#arrivals[0]?.atMs ?? 0;
		const spanMs = (this.#arrivals.at(-1)?.atMs ?? 0) - first;
		return spanMs < CARRIED_MS / 2 ? null : (this.#arrivedBytes * 8000) / spanMs;
	}

	#restart(): void {
		this.#arrivals = [];
		this.#arrivedBytes = 0;
		this.#group = null;
		this.#before = null;
		this.#trendline = new Trendline();
	}
}

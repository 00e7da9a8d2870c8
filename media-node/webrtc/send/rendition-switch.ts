import { putU32, u32 } from "../../bytes/big-endian.ts";
import type { Rendition } from "../../stream/publication.ts";
import { PACKET_STRIDE, type RtpBatch } from "../../stream/rtp-batch.ts";
import type { Feed } from "./feed.ts";
import { chooseRendition, rateForBetter } from "./rendition-choice.ts";
import { SentReports } from "./sent-reports.ts";

const USUAL_FRAME_RATE = 30;

export type RenditionSwitchOptions = {
	/** The stream, whose track is the best encoding there is. */
	readonly main: Feed;
	/** All encodings of all tracks, as they are now. */
	readonly renditions: () => readonly Rendition[];
	/** Asks for a key frame of the stream's. */
	readonly askKeyFrame: () => void;
	/** Takes what comes of an encoding that is read. */
	readonly take: (feed: Feed, batch: RtpBatch) => void;
	readonly nowMs: () => number;
};

/** An encoding that is read; `null` rendition: the stream itself. */
type Reading = { readonly feed: Feed; readonly rendition: Rendition | null; readonly seat: Disposable | null };

/**
 * Moves the video of a viewer from one encoding to another: from a key frame of that one on, with time stamps that go
 * on. Only what is sent, and what is waited for, is read.
 */
export class RenditionSwitch implements Disposable {
	readonly #options: RenditionSwitchOptions;
	#present: Reading;
	/** What is added to its time stamps. */
	#timeOffset = 0;
	#next: Reading | null = null;

	constructor(options: RenditionSwitchOptions) {
		this.#options = options;
		this.#present = this.#mainReading();
	}

	/** The name of the encoding that is sent; empty while that is the one of the stream. */
	get name(): string {
		return this.#present.rendition?.name ?? "";
	}

	/** Chooses among the encodings for a network that carries `target` bits per second; `null`: as many as there are. */
	choose(target: number | null): void {
		const list = this.#list();
		if (list.length < 2 || this.#options.main.keyTrack < 0) return;
		const place = chooseRendition(list, this.#place(list), target);
		const best = chooseRendition(list, -1, null);
		const wanted = place === best ? null : (list[place] ?? null);
		const aim = this.#next ?? this.#present;
		if (aim.rendition?.name === wanted?.name) return;
		this.#next?.seat?.[Symbol.dispose]();
		this.#next = null;
		if (this.#present.rendition?.name === wanted?.name) return;
		this.#next = wanted === null ? this.#mainReading() : this.#read(wanted);
		this.#ask(this.#next);
	}

	/** Asks for a key frame of what is sent. */
	askKeyFrame(): void {
		this.#ask(this.#present);
	}

	/** Asks again for a key frame of what is waited for. Called about once a second. */
	tick(): void {
		if (this.#next !== null) this.#ask(this.#next);
	}

	/** What the network has to carry before a better encoding can be chosen; `null` when the best one is sent. */
	get rateForBetter(): number | null {
		const list = this.#list();
		return list.length < 2 ? null : rateForBetter(list, this.#place(list));
	}

	/** Goes on with what is waited for if this batch of it begins with a key frame. */
	arrived(feed: Feed, batch: RtpBatch): void {
		const next = this.#next;
		if (next === null || feed !== next.feed || !batch.randomAccess) return;
		const { feed: before, seat } = this.#present;
		const lane = before.lanes[before.keyTrack];
		const offset = batch.packets[1];
		if (lane === undefined || offset === undefined) return;
		before.lanes[before.keyTrack] = undefined;
		feed.lanes[feed.keyTrack] = lane;
		lane.sender.skip();
		this.#timeOffset = this.#offsetOf(feed, u32(batch.bytes, offset + 4), lane.sender.lastTimestamp);
		this.#present = next;
		this.#next = null;
		seat?.[Symbol.dispose]();
	}

	/** Reads nothing more. Idempotent. */
	[Symbol.dispose](): void {
		this.#next?.seat?.[Symbol.dispose]();
		this.#next = null;
		this.#present.seat?.[Symbol.dispose]();
		this.#present = this.#mainReading();
	}

	#ask({ rendition }: Reading): void {
		if (rendition === null) this.#options.askKeyFrame();
		else rendition.stream.askKeyFrame(0);
	}

	#list(): readonly Rendition[] {
		const { main, renditions } = this.#options;
		return renditions().filter(({ track }) => track === main.keyTrack);
	}

	#place(list: readonly Rendition[]): number {
		const { rendition } = this.#present;
		return rendition === null ? chooseRendition(list, -1, null) : list.indexOf(rendition);
	}

	#mainReading(): Reading {
		return { feed: this.#options.main, rendition: null, seat: null };
	}

	#read(rendition: Rendition): Reading {
		const { stream } = rendition;
		const [track] = stream.tracks;
		const reports = [new SentReports(track?.clockRate ?? 1)];
		const feed: Feed = { stream, lanes: [undefined], reports, keyTrack: 0 };
		const { take, nowMs } = this.#options;
		const seat = stream.readPackets({
			push: (batch) => {
				this.arrived(feed, batch);
				if (this.#present.feed === feed) take(feed, shifted(batch, this.#timeOffset));
			},
			senderReport: (_, { wallclockMs, rtpTime }) => reports[0]?.publisherSaid(wallclockMs, rtpTime, nowMs()),
			end: () => this.#ended(feed),
		});
		return { feed, rendition, seat };
	}

	/** The publisher left. When it comes back, video goes on with the stream. */
	#ended(feed: Feed): void {
		if (this.#next?.feed === feed) this.#next = null;
		if (this.#present.feed === feed) this.#next = this.#mainReading();
	}

	/** What is added to the time stamps of an encoding, of which `first` is the next one, to go on behind `last`. */
	#offsetOf(feed: Feed, first: number, last: number): number {
		const { main, nowMs } = this.#options;
		const clockRate = main.stream.tracks[main.keyTrack]?.clockRate ?? 1;
		const ours = main.reports[main.keyTrack]?.at(nowMs()) ?? null;
		const theirs = feed.reports[0]?.at(nowMs()) ?? null;
		// Those of the stream are what is gone on with.
		if (feed === main) return 0;
		let offset = 0;
		if (ours !== null && theirs !== null) {
			const apart = Math.round(((theirs.wallclockMs - ours.wallclockMs) * clockRate) / 1000);
			offset = (ours.rtpTime - theirs.rtpTime + apart) | 0;
		}
		const ahead = (first + offset - last) | 0;
		if (ahead > 0 && ahead < clockRate) return offset;
		// Nothing tells how they relate, or it cannot be: then it is the next picture.
		return (last + Math.round(clockRate / USUAL_FRAME_RATE) - first) | 0;
	}
}

/** The same packets at other times. */
function shifted(batch: RtpBatch, timeOffset: number): RtpBatch {
	const bytes = Buffer.from(batch.bytes);
	const { packets } = batch;
	for (let i = 1; i < packets.length; i += PACKET_STRIDE) {
		const at = (packets[i] as number) + 4;
		putU32(bytes, at, (u32(bytes, at) + timeOffset) >>> 0);
	}
	return { ...batch, bytes };
}

import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { BatchBuilder } from "../stream/batch-builder.ts";
import type { Publication } from "../stream/publication.ts";
import type { Track } from "../stream/track.ts";
import { Incoming } from "./receive/incoming.ts";
import type { IncomingMedia } from "./receive/incoming-track.ts";
import type { ExtensionIds } from "./sdp/header-extensions.ts";
import { Outgoing } from "./send/outgoing.ts";

const IDS: ExtensionIds = { mid: 1, rid: 0, repairedRid: 0, absSendTime: 0, transportSequence: 3 };
const VIDEO: Track = {
	index: 0,
	kind: "video",
	codec: { name: "VP8" },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
};
const FRAME_TICKS = 3_000;

/** Numbers from 0 to 1 that are the same for a seed. */
function randomOf(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

type Link = {
	readonly seed: number;
	readonly loss: number;
	readonly delayMs: number;
	readonly rtx: boolean;
	readonly jitterMs?: number;
};

/** A viewer's end that sends to a publisher's end, over a link that loses packets of both directions. */
class World {
	readonly clock = new FakeClock();
	readonly random: () => number;
	/** What arrived, in order: number, time stamp, marker, and when. */
	readonly got: { sequence: number; timestamp: number; marker: boolean; atMs: number; size: number }[] = [];
	readonly sentAt = new Map<number, number>();
	readonly incoming: Incoming;
	readonly outgoing: Outgoing;
	readonly warnings: string[] = [];
	keyFramesAsked = 0;
	readonly #builder: BatchBuilder;
	#timestamp = 0xffff_0000;
	#sequence = 65_000;
	frames = 0;
	/** No packet is lost while it is set. */
	isClean = false;

	readonly link: Link;

	constructor(link: Link) {
		this.link = link;
		this.random = randomOf(link.seed);
		const rtx = link.rtx ? { rtxPayloadType: 97, rtxSsrc: 0x2222 } : { rtxPayloadType: null, rtxSsrc: null };
		const shared = { mid: "0", cname: "someone", hasNack: true, hasTransportCc: true, hasRemb: false, extensions: IDS };
		this.outgoing = new Outgoing({
			stream: { tracks: [VIDEO] },
			tracks: [{ ...shared, ...rtx, track: VIDEO, payloadType: 102, ssrc: 0x1111 }],
			clock: this.clock,
			sendRtp: (bytes) => {
				const copy = Uint8Array.from(bytes);
				this.#carry(() => this.incoming.rtp(copy));
				return true;
			},
			sendRtcp: (bytes) => this.#carry(() => this.incoming.rtcp(bytes, 0, bytes.length)),
			askKeyFrame: () => this.keyFramesAsked++,
			onEnd: () => {},
			onWarning: (text) => this.warnings.push(text),
		});
		const incoming: IncomingMedia = {
			extensions: IDS,
			mid: "0",
			track: { ...VIDEO, rtp: { ...VIDEO.rtp, payloadType: 102 } },
			rtxPayloadType: link.rtx ? 97 : null,
			hasNack: true,
			keyFrameRequest: "pli",
			ssrcs: [],
			rids: [],
		};
		this.incoming = new Incoming({
			publication: this.#publication(),
			tracks: [incoming],
			clock: this.clock,
			sendRtcp: (bytes) => this.#carry(() => this.outgoing.rtcp(bytes, 0, bytes.length)),
			onWarning: (text) => this.warnings.push(text),
		});
		this.#builder = new BatchBuilder([VIDEO], (batch) => this.outgoing.push(batch));
	}

	/** Sends a frame of some packets. */
	frame(isKey: boolean, packets: number): void {
		this.#timestamp = (this.#timestamp + FRAME_TICKS) >>> 0;
		this.sentAt.set(this.#timestamp, this.clock.monotonic());
		this.frames++;
		for (let i = 0; i < packets; i++) {
			const payload = new Uint8Array(1_000);
			payload[0] = i === 0 ? 0x10 : 0;
			payload[1] = i === 0 && isKey ? 0 : 1;
			payload.set([0x9d, 0x01, 0x2a], 4);
			const packet = {
				...newRtpPacket(),
				payloadType: 96,
				sequence: this.#sequence,
				timestamp: this.#timestamp,
				ssrc: 7,
			};
			packet.marker = i === packets - 1;
			this.#builder.addPayload(0, payload, packet, isKey && i === 0, this.clock.now());
			this.#sequence = (this.#sequence + 1) & 0xffff;
		}
		this.#builder.flush();
	}

	async play(seconds: number, packetsPerFrame: number): Promise<void> {
		for (let i = 0; i < seconds * 30; i++) {
			this.frame(this.frames % 60 === 0, packetsPerFrame);
			await this.clock.advance(1000 / 30);
		}
		this.isClean = true;
		// What was sent last needs something behind it to be missed.
		for (let i = 0; i < 30; i++) {
			this.frame(false, 1);
			await this.clock.advance(1000 / 30);
		}
		await this.clock.advance(1_000);
	}

	close(): void {
		this.incoming[Symbol.dispose]();
		this.outgoing[Symbol.dispose]();
	}

	#carry(arrive: () => void): void {
		const jitterMs = this.random() * (this.link.jitterMs ?? 0);
		if (this.random() < this.link.loss && !this.isClean) return;
		this.clock.after(this.link.delayMs + jitterMs, arrive);
	}

	#publication(): Publication {
		return {
			tracks: [VIDEO],
			writePacket: (_track, bytes, offset, length) => {
				const packet = newRtpPacket();
				expect(readRtpPacket(packet, bytes, offset, length)).toBe(true);
				const { sequence, timestamp, marker, payloadLength: size } = packet;
				this.got.push({ sequence, timestamp, marker, size, atMs: this.clock.monotonic() });
			},
			flush: () => {},
			writeSenderReport: () => {},
			writeUnit: () => {},
			close: () => {},
		};
	}
}

function expectComplete({ got, frames, sentAt, link }: World, packetsPerFrame: number): void {
	const why = `seed ${link.seed}`;
	for (let i = 1; i < got.length; i++) {
		expect(got[i]!.sequence, why).toBe((got[i - 1]!.sequence + 1) & 0xffff);
	}
	const units = Map.groupBy(got, ({ timestamp }) => timestamp);
	// The first ones may be lost before anybody knows of them.
	expect(units.size, why).toBeGreaterThanOrEqual(frames - 1);
	const whole = [...units].slice(1, -30);
	for (const [timestamp, unit] of whole) {
		expect(unit, `${why}, unit ${timestamp}`).toHaveLength(packetsPerFrame);
		expect(unit.at(-1)?.marker, why).toBe(true);
		const tookMs = unit.at(-1)!.atMs - sentAt.get(timestamp)!;
		expect(tookMs, why).toBeLessThanOrEqual(link.delayMs + 500);
	}
}

describe("Incoming and Outgoing over a link that loses packets", () => {
	for (const rtx of [true, false]) {
		it(`bring every access unit at 5 % loss and 100 ms round trip, ${rtx ? "by RTX" : "by plain packets"}`, async () => {
			const world = new World({ seed: 1, loss: 0.05, delayMs: 50, rtx });
			await world.play(20, 7);
			expectComplete(world, 7);
			const layer = world.incoming.statistics[0]![0]!;
			expect(layer.recovered).toBeGreaterThan(100);
			expect(layer.rttMs).toBeGreaterThanOrEqual(100);
			expect(layer.rttMs).toBeLessThan(125);
			expect(world.outgoing.statistics.targetBitrate).toBeNull();
			world.close();
			expect(world.clock.pending).toBe(0);
		}, 60_000);
	}

	it("keep the order and give nothing twice, whatever is lost or delayed", async () => {
		for (const seed of [11, 12, 13, 14]) {
			const world = new World({ seed, loss: 0.15, delayMs: 10, rtx: seed % 2 === 0, jitterMs: 30 });
			await world.play(4, 4);
			const seen = new Set(world.got.map(({ timestamp, sequence }) => `${timestamp}/${sequence}`));
			expect(seen.size, `seed ${seed}`).toBe(world.got.length);
			for (let i = 1; i < world.got.length; i++) {
				const ahead = (world.got[i]!.sequence - world.got[i - 1]!.sequence) & 0xffff;
				expect(ahead, `seed ${seed}`).toBeLessThan(0x8000);
			}
			world.close();
		}
	}, 60_000);

	it("ask for nothing when nothing is lost", async () => {
		const world = new World({ seed: 1, loss: 0, delayMs: 20, rtx: true });
		await world.play(3, 3);
		expectComplete(world, 3);
		expect(world.incoming.statistics[0]![0]).toMatchObject({ asked: 0, lost: 0 });
		expect(world.keyFramesAsked).toBe(0);
		expect(world.outgoing.statistics).toMatchObject({ freezes: 0, discarded: 0, targetBitrate: null });
		expect(world.outgoing.statistics.rttMs).toBeCloseTo(40, 0);
		world.close();
	}, 30_000);
});

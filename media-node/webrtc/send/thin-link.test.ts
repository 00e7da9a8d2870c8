import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { u16, u32 } from "../../bytes/big-endian.ts";
import { newRtpPacket } from "../../rtp/rtp-packet.ts";
import { BatchBuilder } from "../../stream/batch-builder.ts";
import type { Track } from "../../stream/track.ts";
import { TransportCc } from "../receive/transport-cc.ts";
import { findExtension, NO_EXTENSIONS } from "../sdp/header-extensions.ts";
import { Outgoing } from "./outgoing.ts";

const VIDEO: Track = {
	index: 0,
	kind: "video",
	codec: { name: "VP8" },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
};
const PACKET_BYTES = 1_000;
const FRAMES_PER_GOP = 60;
/** What a link holds before it loses packets. */
const QUEUE_MS = 2_000;

/** A viewer behind a link that carries so many bits per second, and holds what is too much. */
class ThinLink {
	readonly clock = new FakeClock();
	bitrate: number;
	readonly outgoing: Outgoing;
	readonly #cc = new TransportCc();
	readonly #builder: BatchBuilder;
	#freeMs = 0;
	#sequence = 0;
	#frame = 0;
	/** How long each packet took, and of which frame it was. */
	readonly delays: { atMs: number; delayMs: number; frame: number }[] = [];
	lost = 0;
	readonly #feedback: Disposable;

	constructor(bitrate: number) {
		this.bitrate = bitrate;
		const place = { offset: 0, length: 0 };
		this.outgoing = new Outgoing({
			stream: { tracks: [VIDEO] },
			tracks: [
				{
					mid: "0",
					track: VIDEO,
					payloadType: 102,
					rtxPayloadType: null,
					ssrc: 1,
					rtxSsrc: null,
					cname: "us",
					hasNack: true,
					hasTransportCc: true,
					hasRemb: false,
					extensions: { ...NO_EXTENSIONS, transportSequence: 3 },
				},
			],
			clock: this.clock,
			sendRtp: (bytes) => {
				const nowMs = this.clock.monotonic();
				const startMs = Math.max(nowMs, this.#freeMs);
				if (startMs - nowMs > QUEUE_MS) {
					this.lost++;
					return true;
				}
				this.#freeMs = startMs + (bytes.length * 8000) / this.bitrate;
				expect(findExtension(place, bytes, 0, bytes.length, 3)).toBe(true);
				const transport = u16(bytes, place.offset);
				const frame = u32(bytes, 4) / 3_000;
				const arriveMs = this.#freeMs + 20;
				this.clock.after(arriveMs - nowMs, () => {
					this.#cc.received(transport, arriveMs);
					this.delays.push({ atMs: arriveMs, delayMs: arriveMs - nowMs, frame });
				});
				return true;
			},
			sendRtcp: () => {},
			askKeyFrame: () => {},
			onEnd: () => {},
			onWarning: () => {},
		});
		this.#builder = new BatchBuilder([VIDEO], (batch) => this.outgoing.push(batch));
		this.#feedback = this.clock.every(50, () => {
			for (const packet of this.#cc.feedback(1, 1, this.clock.monotonic())) {
				this.clock.after(20, () => this.outgoing.rtcp(packet, 0, packet.length));
			}
		});
	}

	/** About 2 Mbit/s: key frames of 25 packets, others of 8. */
	async play(seconds: number): Promise<void> {
		for (let i = 0; i < seconds * 30; i++, this.#frame++) {
			const isKey = this.#frame % FRAMES_PER_GOP === 0;
			const count = isKey ? 25 : 8;
			for (let p = 0; p < count; p++) {
				const payload = new Uint8Array(PACKET_BYTES);
				payload[0] = p === 0 ? 0x10 : 0;
				const header = { ...newRtpPacket(), payloadType: 96, sequence: this.#sequence++ & 0xffff, ssrc: 9 };
				header.timestamp = this.#frame * 3_000;
				header.marker = p === count - 1;
				this.#builder.addPayload(0, payload, header, isKey && p === 0, this.clock.now());
			}
			this.#builder.flush();
			await this.clock.advance(1000 / 30);
		}
	}

	/** The longest delay since a moment. */
	worst(sinceMs: number): number {
		return Math.max(0, ...this.delays.filter(({ atMs }) => atMs >= sinceMs).map(({ delayMs }) => delayMs));
	}

	/** How many frames began to arrive since a moment. */
	framesSince(sinceMs: number): number {
		return new Set(this.delays.filter(({ atMs }) => atMs >= sinceMs).map(({ frame }) => frame)).size;
	}

	close(): void {
		this.#feedback[Symbol.dispose]();
		this.outgoing[Symbol.dispose]();
	}
}

describe("Outgoing to a viewer behind a thin link", () => {
	it("leaves nothing out where the link carries the stream", async () => {
		const link = new ThinLink(4_000_000);
		await link.play(20);
		expect(link.outgoing.statistics).toMatchObject({ freezes: 0, discarded: 0 });
		expect(link.worst(0)).toBeLessThan(150);
		link.close();
	}, 30_000);

	// In 20 s there are 600 pictures, of which 10 are key frames.
	for (const [bitrate, pictures] of [
		[1_500_000, 180],
		[1_000_000, 50],
		[500_000, 10],
	] as const) {
		it(`keeps the delay down at ${bitrate / 1000} kbit/s, and what it sends can be decoded`, async () => {
			const link = new ThinLink(bitrate);
			await link.play(30);
			const { freezes, discarded, targetBitrate } = link.outgoing.statistics;
			expect(freezes).toBeGreaterThan(0);
			expect(discarded).toBeGreaterThan(100);
			expect(targetBitrate).toBeLessThan(bitrate * 1.3);
			expect(link.lost).toBe(0);
			expect(link.worst(5_000)).toBeLessThan(500);
			// Of each group of pictures there is all up to the last one that was sent.
			const frames = [...new Set(link.delays.map(({ frame }) => frame))];
			for (const frame of frames) {
				if (frame % FRAMES_PER_GOP !== 0) expect(frames).toContain(frame - 1);
			}
			expect(link.framesSince(10_000)).toBeGreaterThanOrEqual(pictures);
			link.close();
		}, 30_000);
	}

	it("sends all pictures again when the link carries them again", async () => {
		const link = new ThinLink(1_000_000);
		await link.play(10);
		link.bitrate = 6_000_000;
		await link.play(30);
		const before = link.outgoing.statistics.discarded;
		await link.play(10);
		expect(link.outgoing.statistics.discarded).toBe(before);
		expect(link.framesSince(40_500)).toBeGreaterThan(280);
		link.close();
	}, 30_000);
});

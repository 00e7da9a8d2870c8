import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { randomOf } from "../../test/support/lossy-udp.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { BatchBuilder } from "../stream/batch-builder.ts";
import type { Publication } from "../stream/publication.ts";
import type { Track } from "../stream/track.ts";
import { Incoming } from "./receive/incoming.ts";
import type { FecFormat } from "./sdp/fec-format.ts";
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
const FRAME_MS = 1000 / 30;
const ULPFEC: FecFormat = { ulpfec: { red: 110, redRtx: 111, ulpfec: 112 }, flexfec: null };
const FLEXFEC: FecFormat = { ulpfec: null, flexfec: 113 };

type Link = {
	readonly seed: number;
	readonly loss: number;
	readonly delayMs: number;
	readonly fec: FecFormat | null;
	readonly packetsPerFrame: number;
};

/** Any bytes, the same for a frame and its packet. VP8 with picture IDs of 15 bits, RFC 7741 §4.2. */
function payloadOf(frame: number, place: number): Uint8Array {
	const random = randomOf(frame * 1_000 + place);
	const payload = Uint8Array.from({ length: 300 + Math.floor(random() * 800) }, () => random() * 256);
	payload.set([place === 0 ? 0x90 : 0x80, 0x80, 0x80 | ((frame >> 8) & 0x7f), frame & 0xff]);
	payload[4] = frame % 60 === 0 && place === 0 ? 0 : 1;
	payload.set([0x9d, 0x01, 0x2a], 7);
	return payload;
}

/** A viewer's end of ours that sends to a publisher's end of ours, which are thus tested against each other. */
class World {
	readonly clock = new FakeClock();
	readonly got: { sequence: number; frame: number; payload: Uint8Array; marker: boolean; atMs: number }[] = [];
	readonly incoming: Incoming;
	readonly outgoing: Outgoing;
	readonly link: Link;
	readonly types = new Map<number, number>();
	keyFramesAsked = 0;
	mediaBytes = 0;
	/** The first frame comes. */
	loss = 0;
	readonly #random: () => number;
	readonly #builder: BatchBuilder;
	#sequence = 65_000;
	#frame = 0;

	constructor(link: Link) {
		this.link = link;
		this.#random = randomOf(link.seed);
		const fec = link.fec === null ? {} : { fec: link.fec };
		const common = { mid: "0", hasNack: true, rtxPayloadType: 97, extensions: IDS, ...fec };
		const outgoing = { ...common, cname: "someone", hasTransportCc: true, hasRemb: false, rtxSsrc: 0x2222 };
		this.outgoing = new Outgoing({
			stream: { tracks: [VIDEO] },
			tracks: [
				{
					...{ ...outgoing, track: VIDEO, payloadType: 102, ssrc: 0x1111 },
					...(typeof link.fec?.flexfec === "number" ? { fecSsrc: 0x3333 } : {}),
				},
			],
			clock: this.clock,
			sendRtp: (bytes) => {
				const copy = Uint8Array.from(bytes);
				const type = (copy[1] ?? 0) & 0x7f;
				this.types.set(type, (this.types.get(type) ?? 0) + 1);
				this.#carry(() => this.incoming.rtp(copy));
				return true;
			},
			sendRtcp: (bytes) => this.#carry(() => this.incoming.rtcp(bytes, 0, bytes.length)),
			askKeyFrame: () => this.keyFramesAsked++,
			onEnd: () => {},
			onWarning: () => {},
		});
		const track = { ...VIDEO, rtp: { ...VIDEO.rtp, payloadType: 102 } };
		this.incoming = new Incoming({
			publication: this.#publication(),
			tracks: [{ ...common, track, keyFrameRequest: "pli", ssrcs: [], rids: [] }],
			clock: this.clock,
			sendRtcp: (bytes) => this.#carry(() => this.outgoing.rtcp(bytes, 0, bytes.length)),
			onWarning: () => {},
		});
		this.#builder = new BatchBuilder([VIDEO], (batch) => this.outgoing.push(batch));
	}

	get layer() {
		return this.incoming.statistics[0]![0]!;
	}

	get sent() {
		return this.outgoing.statistics.tracks[0]!;
	}

	async play(seconds: number): Promise<void> {
		for (let i = 0; i < seconds * 30; i++) {
			if (this.#frame === 1) this.loss = this.link.loss;
			this.#send(this.#frame++);
			await this.clock.advance(FRAME_MS);
		}
	}

	/** What part of the frames from `first` on was whole as soon as the link allows, or a frame later. */
	partInTime(first: number): number {
		const frames = [...Map.groupBy(this.got, ({ frame }) => frame)].filter(([frame]) => frame >= first);
		const isInTime = ([frame, packets]: (typeof frames)[number]) =>
			packets.at(-1)!.atMs <= Math.ceil(frame * FRAME_MS) + this.link.delayMs + 1.5 * FRAME_MS;
		return frames.filter(isInTime).length / frames.length;
	}

	close(): void {
		this.incoming[Symbol.dispose]();
		this.outgoing[Symbol.dispose]();
	}

	#send(frame: number): void {
		const { packetsPerFrame } = this.link;
		for (let place = 0; place < packetsPerFrame; place++) {
			const payload = payloadOf(frame, place);
			const packet = {
				...newRtpPacket(),
				...{ payloadType: 96, sequence: this.#sequence, timestamp: frame * FRAME_TICKS, ssrc: 7 },
				marker: place === packetsPerFrame - 1,
			};
			this.mediaBytes += payload.length;
			this.#builder.addPayload(0, payload, packet, frame % 60 === 0 && place === 0, this.clock.now());
			this.#sequence = (this.#sequence + 1) & 0xffff;
		}
		this.#builder.flush();
	}

	#carry(arrive: () => void): void {
		if (this.#random() >= this.loss) this.clock.after(this.link.delayMs, arrive);
	}

	#publication(): Publication {
		const packet = newRtpPacket();
		return {
			tracks: [VIDEO],
			writePacket: (_track, bytes, offset, length) => {
				expect(readRtpPacket(packet, bytes, offset, length)).toBe(true);
				const { sequence, timestamp, marker, payloadOffset, payloadLength } = packet;
				expect(packet.payloadType).toBe(102);
				const payload = Uint8Array.from(bytes.subarray(payloadOffset, payloadOffset + payloadLength));
				this.got.push({ sequence, frame: timestamp / FRAME_TICKS, marker, payload, atMs: this.clock.monotonic() });
			},
			flush: () => {},
			writeSenderReport: () => {},
			writeUnit: () => {},
			close: () => {},
		};
	}
}

function expectRight({ got, link }: World): void {
	const places = new Map<number, number>();
	for (const [i, { frame, payload, sequence, marker }] of got.entries()) {
		const place = places.get(frame) ?? 0;
		places.set(frame, place + 1);
		expect(Buffer.compare(payload, payloadOf(frame, place)), `seed ${link.seed}, frame ${frame}/${place}`).toBe(0);
		expect(marker).toBe(place === link.packetsPerFrame - 1);
		if (i > 0) expect(sequence).toBe((got[i - 1]!.sequence + 1) & 0xffff);
	}
}

describe("forward error correction over a link that loses packets", () => {
	it.each([
		["ULPFEC", ULPFEC, 7, 20, 0.85],
		["FlexFEC", FLEXFEC, 7, 20, 0.85],
		["ULPFEC of small pictures", ULPFEC, 1, 20, 0.93],
		["FlexFEC of small pictures", FLEXFEC, 1, 20, 0.93],
		["FlexFEC of large pictures", FLEXFEC, 60, 4, 0.3],
		["ULPFEC of large pictures", ULPFEC, 60, 4, 0.3],
	])(
		"recovers by %s, to the byte, without a round trip",
		async (_, fec, packetsPerFrame, seconds, part) => {
			const link = { seed: 7, loss: 0.05, delayMs: 50, packetsPerFrame };
			const [world, plain] = [new World({ ...link, fec }), new World({ ...link, fec: null })];
			for (const each of [world, plain]) await each.play(seconds);
			for (const each of [world, plain]) expectRight(each);
			const figures = JSON.stringify({
				...{ inTime: world.partInTime(60), without: plain.partInTime(60) },
				...{
					overhead: world.sent.bytes / plain.sent.bytes,
					layer: world.layer,
					sent: world.sent,
					keyFrames: world.keyFramesAsked,
				},
			});
			expect(world.layer.recoveredByFec, figures).toBeGreaterThan(0.02 * packetsPerFrame * 30 * (seconds - 2));
			expect(world.partInTime(60), figures).toBeGreaterThan(part);
			expect(world.partInTime(60), figures).toBeGreaterThan(plain.partInTime(60));
			expect(world.layer.asked, figures).toBeLessThan(plain.layer.asked);
			for (const each of [world, plain]) each.close();
			await world.clock.advance(200);
			expect(world.clock.pending).toBe(0);
		},
		60_000,
	);

	it("sends nothing but plain media while nothing is lost, and again when that is long over", async () => {
		const world = new World({ seed: 3, loss: 0, delayMs: 50, fec: ULPFEC, packetsPerFrame: 4 });
		await world.play(4);
		expect([...world.types.keys()]).toEqual([102]);
		world.loss = 0.05;
		await world.play(4);
		expect(world.sent.fecPackets).toBeGreaterThan(10);
		world.loss = 0;
		await world.play(50);
		const { fecPackets } = world.sent;
		world.types.clear();
		await world.play(2);
		expect(world.sent.fecPackets).toBe(fecPackets);
		expect([...world.types.keys()]).toEqual([102]);
		expectRight(world);
		world.close();
	}, 60_000);

	it("leaves it to retransmissions where those come soon", async () => {
		const world = new World({ seed: 3, loss: 0.05, delayMs: 8, fec: FLEXFEC, packetsPerFrame: 4 });
		await world.play(6);
		expect(world.layer.recovered).toBeGreaterThan(10);
		expect(world.sent.fecPackets).toBe(0);
		expectRight(world);
		world.close();
	}, 60_000);

	it("recovers by ULPFEC without a request for a key frame, though FEC packets are lost that nobody sends again", async () => {
		const fec: FecFormat = { ulpfec: { red: 110, redRtx: null, ulpfec: 112 }, flexfec: null };
		const world = new World({ seed: 5, loss: 0.05, delayMs: 50, fec, packetsPerFrame: 4 });
		await world.play(20);
		expectRight(world);
		expect(world.layer).toMatchObject({ lost: 0 });
		expect(world.layer.recoveredByFec).toBeGreaterThan(40);
		// Once when it begins.
		expect(world.keyFramesAsked).toBeLessThanOrEqual(1);
		world.close();
	}, 60_000);
});

import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { recordingLogger, rtpPacket } from "../../../test/support/rtp-stream.ts";
import { u16, u32 } from "../../bytes/big-endian.ts";
import type { Publication } from "../../stream/publication.ts";
import { Stream } from "../../stream/stream.ts";
import type { Track } from "../../stream/track.ts";
import { TransportCc } from "../receive/transport-cc.ts";
import { findExtension, NO_EXTENSIONS } from "../sdp/header-extensions.ts";
import { Outgoing } from "./outgoing.ts";

const VP8: Omit<Track, "index"> = {
	kind: "video",
	codec: { name: "VP8" },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
};
const FRAMES_PER_SECOND = 30;
const KEY_FRAME = [0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 0, 0];
const QUEUE_MS = 3_000;

/** One encoding of a publisher: a clock of its own, and packets that say what they are of. */
class Layer {
	readonly name: string;
	readonly bitrate: number;
	readonly publications: Publication[] = [];
	isKeyWanted = true;
	/** Time stamps begin anywhere. */
	readonly #zero: number;
	#sequence = 0;

	constructor(name: string, bitrate: number, zero: number) {
		this.name = name;
		this.bitrate = bitrate;
		this.#zero = zero;
	}

	frame(index: number, wallclockMs: number): void {
		const isKey = this.isKeyWanted;
		this.isKeyWanted = false;
		const size = this.bitrate / 8 / FRAMES_PER_SECOND;
		const count = Math.ceil(size / 1_000);
		const timestamp = (this.#zero + index * 3_000) >>> 0;
		for (let p = 0; p < count; p++) {
			const payload = new Uint8Array(Math.round(size / count));
			payload.set(p === 0 ? (isKey ? KEY_FRAME : [0x10, 1]) : [0]);
			payload[payload.length - 1] = this.name.charCodeAt(0);
			const marker = p === count - 1;
			const packet = rtpPacket({ sequence: this.#sequence++ & 0xffff, timestamp, payload, marker, payloadType: 96 });
			for (const publication of this.publications) publication.writePacket(0, packet, 0, packet.length);
		}
		for (const publication of this.publications) {
			if (index % FRAMES_PER_SECOND === 0) publication.writeSenderReport(0, { wallclockMs, rtpTime: timestamp });
			publication.flush();
		}
	}
}

/** A publisher of three encodings, and a viewer behind a link that carries so many bits per second. */
class World implements Disposable {
	readonly clock = new FakeClock();
	bitrate: number;
	readonly layers = [
		new Layer("h", 1_500_000, 4_000_000_000),
		new Layer("m", 450_000, 7),
		new Layer("l", 120_000, 90_000),
	];
	readonly stream = new Stream({
		path: parsePathName("cam"),
		config: DEFAULT_PATH_CONFIG,
		clock: this.clock,
		log: recordingLogger(),
	});
	readonly outgoing: Outgoing;
	readonly frames: { atMs: number; layer: string; timestamp: number; delayMs: number }[] = [];
	readonly #stack = new DisposableStack();
	#frame = 0;
	#freeMs = 0;

	constructor(bitrate: number) {
		this.bitrate = bitrate;
		const { stream } = this;
		this.publish(true);
		const cc = new TransportCc();
		const place = { offset: 0, length: 0 };
		this.outgoing = new Outgoing({
			stream,
			renditions: () => stream.renditions,
			tracks: [
				{
					...{ mid: "0", track: { ...VP8, index: 0 }, payloadType: 102, rtxPayloadType: 103, ssrc: 1, rtxSsrc: 2 },
					...{ cname: "us", hasNack: true, hasTransportCc: true, hasRemb: false },
					extensions: { ...NO_EXTENSIONS, transportSequence: 3 },
				},
			],
			clock: this.clock,
			sendRtp: (bytes) => {
				const nowMs = this.clock.monotonic();
				const startMs = Math.max(nowMs, this.#freeMs);
				if (startMs - nowMs > QUEUE_MS) return true;
				this.#freeMs = startMs + (bytes.length * 8_000) / this.bitrate;
				findExtension(place, bytes, 0, bytes.length, 3);
				const transport = u16(bytes, place.offset);
				const atMs = this.#freeMs + 20;
				const isMedia = u32(bytes, 8) === 1;
				const [layer, timestamp] = [String.fromCharCode(bytes.at(-1)!), u32(bytes, 4)];
				this.clock.after(atMs - nowMs, () => {
					cc.received(transport, atMs);
					if (isMedia) this.frames.push({ atMs, layer, timestamp, delayMs: atMs - nowMs });
				});
				return true;
			},
			sendRtcp: () => {},
			askKeyFrame: (track) => stream.askKeyFrame(track),
			onEnd: () => {},
			onWarning: () => {},
		});
		this.#stack.use(this.outgoing);
		this.#stack.use(stream.readPackets(this.outgoing));
		this.#stack.use(
			this.clock.every(50, () => {
				for (const packet of cc.feedback(1, 1, this.clock.monotonic())) {
					this.clock.after(20, () => this.outgoing.rtcp(packet));
				}
			}),
		);
	}

	/** `hasEncodings`: all of them, or else the best one alone. */
	publish(hasEncodings: boolean): void {
		const wantsKey = (layer: Layer) => () => {
			layer.isKeyWanted = true;
		};
		const [best] = this.layers;
		if (best === undefined) throw new Error("There is no encoding");
		const publisher = { id: "p", protocol: "webrtc", remoteAddress: "" };
		const publication = this.stream.publish(
			{
				...{ path: this.stream.path, tracks: [VP8], publisher, onEvicted: () => undefined },
				onKeyFrameNeeded: wantsKey(best),
			},
			() => undefined,
		);
		for (const layer of this.layers) {
			const request = { name: layer.name, bitrate: () => layer.bitrate, onKeyFrameNeeded: wantsKey(layer) };
			const rendition = hasEncodings ? publication.addRendition?.(0, request) : undefined;
			layer.publications.splice(0, layer.publications.length, ...(rendition === undefined ? [] : [rendition]));
		}
		best.publications.unshift(publication);
	}

	async play(seconds: number): Promise<void> {
		for (let i = 0; i < seconds * FRAMES_PER_SECOND; i++, this.#frame++) {
			for (const layer of this.layers) layer.frame(this.#frame, this.clock.now());
			await this.clock.advance(1_000 / FRAMES_PER_SECOND);
		}
	}

	since(seconds: number) {
		const frames = this.frames.filter(({ atMs }) => atMs > this.clock.monotonic() - seconds * 1_000);
		return {
			layers: new Set(frames.map(({ layer }) => layer)),
			worstMs: Math.max(...frames.map(({ delayMs }) => delayMs)),
		};
	}

	[Symbol.dispose](): void {
		this.#stack.dispose();
	}
}

describe("a viewer of a simulcast", () => {
	let world: World;
	afterEach(() => {
		world[Symbol.dispose]();
	});

	it("gets the best encoding of all where the network carries it", async () => {
		world = new World(20_000_000);
		await world.play(10);
		expect(world.since(10).layers).toEqual(new Set(["h"]));
		expect(world.outgoing.statistics).toMatchObject({ freezes: 0, rendition: "" });
	});

	it("gets the one that a thin network carries, without a delay, and in time stamps that go on", async () => {
		world = new World(800_000);
		await world.play(20);
		const { layers, worstMs } = world.since(12);
		expect(layers).toEqual(new Set(["m"]));
		expect(worstMs).toBeLessThan(400);
		expect(world.outgoing.statistics.rendition).toBe("m");
		const steps = world.frames.slice(1).map(({ timestamp }, i) => (timestamp - world.frames[i]!.timestamp) | 0);
		expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
		// What both show was taken at the same moment: nothing is repeated, and left out is what filled the network at first.
		expect(Math.max(...steps)).toBeLessThan(2 * 90_000);
	});

	it("goes up again when the network has become wide, and down when it is thin again", async () => {
		world = new World(300_000);
		await world.play(15);
		expect(world.since(5).layers).toEqual(new Set(["l"]));
		world.bitrate = 10_000_000;
		await world.play(60);
		expect(world.since(5).layers).toEqual(new Set(["h"]));
		world.bitrate = 300_000;
		await world.play(20);
		expect(world.since(5).layers).toEqual(new Set(["l"]));
		expect(world.since(5).worstMs).toBeLessThan(400);
	});

	it("goes on with the stream when the publisher leaves, and comes back without encodings", async () => {
		world = new World(800_000);
		await world.play(10);
		expect(world.since(2).layers).toEqual(new Set(["m"]));
		world.bitrate = 20_000_000;
		world.layers[0]?.publications[0]?.close();
		expect(world.stream.renditions).toEqual([]);
		world.publish(false);
		await world.play(10);
		expect(world.since(5).layers).toEqual(new Set(["h"]));
		expect(world.outgoing.statistics.rendition).toBe("");
	});
});

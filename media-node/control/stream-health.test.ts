import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { nodeStreamSchema } from "#shared/nodes/node-streams.ts";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { AAC_TRACK, H264_TRACK, RecordingPacketSink, recordingLogger } from "../../test/support/rtp-stream.ts";
import { Stream } from "../stream/stream.ts";
import { type HlsFacts, StreamHealth } from "./stream-health.ts";

const FRAME_BYTES = 10_000;
const FRAMES_PER_SECOND = 25;

function world({ hls = true } = {}) {
	const clock = new FakeClock();
	const lost = new Map<string, number>();
	const bucket: { facts: HlsFacts | null } = { facts: hls ? { waitMs: 200, hls: null } : null };
	const health = new StreamHealth({
		clock,
		hlsOf: () => bucket.facts,
		isInHls: (_, track) => track.kind === "video",
		webrtc: () => true,
		lost: () => lost,
	});
	const stream = new Stream({
		path: parsePathName("cam/1"),
		config: { ...DEFAULT_PATH_CONFIG, hls, hlsSegmentDuration: "2s" },
		clock,
		log: recordingLogger(),
		onReader: () => health.readerJoined(stream),
	});
	const publisher = { id: "p1", protocol: "rtsp", remoteAddress: "192.0.2.1:5000" };
	const request = { path: stream.path, tracks: [H264_TRACK, AAC_TRACK], publisher, onEvicted: () => undefined };
	const publication = stream.publish(request, () => undefined);
	health.streamBegan(stream);
	let frame = 0;
	/** Publishes, in real time; `order` is how the frames of each group are numbered as they are shown. */
	const play = async (seconds: number, { gop = 50, order = [0], sound = true } = {}) => {
		for (let i = 0; i < seconds * FRAMES_PER_SECOND; i++, frame++) {
			const isKey = frame % gop === 0;
			const pts = (frame - (frame % order.length) + (order[frame % order.length] ?? 0) + 2) * 3_600;
			// An IDR slice, or another one; ITU-T H.264 table 7-1.
			const bytes = new Uint8Array(FRAME_BYTES).fill(0x55);
			bytes[0] = isKey ? 0x65 : 0x41;
			const times = { pts, dts: frame * 3_600, wallclockMs: clock.now() };
			publication.writeUnit(0, { ...times, randomAccess: isKey, frames: [bytes] });
			if (sound) {
				const at = frame * 1_920;
				publication.writeUnit(1, { ...times, pts: at, dts: at, randomAccess: true, frames: [new Uint8Array(100)] });
			}
			await clock.advance(1_000 / FRAMES_PER_SECOND);
		}
		return health.streams()[0];
	};
	return { clock, health, stream, publication, play, lost, bucket };
}

const codesOf = (said: Awaited<ReturnType<ReturnType<typeof world>["play"]>>) => said?.warnings.map(({ code }) => code);

describe("how the streams of a node fare", () => {
	it("is said in the form in which it is published", async () => {
		const { play } = world();
		const said = await play(12);
		expect(nodeStreamSchema.parse(said)).toEqual(said);
		expect(said).toMatchObject({
			path: "cam/1",
			source: { type: "rtsp" },
			tracks: [
				{ kind: "video", codec: "H264" },
				{ kind: "audio", codec: "MPEG-4 Audio" },
			],
			uploadLagMs: 200,
			keyFrameIntervalMs: 2_000,
			packetLoss: null,
			hls: null,
		});
		// 25 frames of 10,000 bytes and 25 of 100 in a second.
		expect(said?.bitsPerSecond).toBeCloseTo(FRAMES_PER_SECOND * (FRAME_BYTES + 100) * 8, -5);
	});

	it("does not change with a stream that goes on as before", async () => {
		const { play } = world();
		const before = JSON.stringify(await play(30));
		expect(JSON.stringify(await play(10))).toBe(before);
	});

	it("has the warnings of what is published: sound that HLS does not carry, key frames too far apart, B-frames", async () => {
		expect(codesOf(await world().play(20))).toEqual(["not_in_hls"]);
		expect(codesOf(await world().play(20, { gop: 200 }))).toContain("gop_too_long");
		expect(codesOf(await world().play(20, { order: [0, 3, 1, 2] }))).toContain("b_frames");
		expect(codesOf(await world().play(20, { sound: false }))).toContain("no_audio");
	});

	it("tells of loss where the publisher's protocol does", async () => {
		const { play, lost } = world();
		lost.set("p1", 0);
		expect((await play(10))?.packetLoss).toBe(0);
		for (let i = 0; i < 10; i++) {
			lost.set("p1", 5 * (i + 1));
			await play(1);
		}
		const said = await play(0);
		// Five of some 55 packets of each second, and all of a sudden none.
		expect(said?.packetLoss).toBeGreaterThan(0.05);
		expect(codesOf(said)).toContain("packet_loss");
	});

	it("counts who reads, and watches packets only while somebody does where there is no HLS", async () => {
		const { play, stream } = world({ hls: false });
		expect(await play(10)).toMatchObject({ keyFrameIntervalMs: null, readers: { rtsp: 0, webrtc: 0 } });
		const reader = { id: "r", type: "webRTCSession", remoteAddress: "", query: "" };
		using _seat = stream.readPackets(new RecordingPacketSink(), reader);
		const said = await play(20, { order: [0, 3, 1, 2] });
		expect(said?.readers).toEqual({ rtsp: 0, webrtc: 1 });
		expect(codesOf(said)).toContain("b_frames");
	});

	it("forgets a stream that has ended, and leaves no timer behind", () => {
		const { clock, health, stream } = world();
		health.streamEnded(stream);
		expect(health.streams()).toEqual([]);
		health[Symbol.dispose]();
		expect(clock.pending).toBe(0);
	});
});

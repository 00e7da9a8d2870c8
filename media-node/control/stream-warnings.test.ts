import { describe, expect, it } from "vitest";
import {
	CLEAR_AFTER_MS,
	decideWarnings,
	RAISE_AFTER_MS,
	type StreamFacts,
	type WarningMemory,
	warningsIn,
} from "./stream-warnings.ts";

const track = (kind: "video" | "audio" | "data", codec: string) => ({ kind, codec, inHls: true, silentMs: 0 });
const HEALTHY: StreamFacts = {
	tracks: [track("video", "H264"), track("audio", "MPEG-4 Audio")],
	segmentDurationMs: 2_000,
	webrtc: true,
	keyFrameIntervalMs: 2_000,
	bFrames: false,
	uploadLagMs: 300,
	packetLoss: 0,
};
const at = (ms: number) => ({ monotonicMs: ms, wallclockMs: Date.UTC(2026, 10, 21) + ms });

/** Decides each second on what is so for so many seconds each. */
function run(...steps: readonly (readonly [Partial<StreamFacts>, number])[]) {
	let memory: WarningMemory = {};
	let ms = 0;
	let changes = 0;
	let shown = "";
	for (const [facts, seconds] of steps) {
		for (let second = 0; second < seconds; second++, ms += 1_000) {
			memory = decideWarnings(memory, { ...HEALTHY, ...facts }, at(ms));
			const now = warningsIn(memory)
				.map(({ code }) => code)
				.join();
			if (now !== shown) changes++;
			shown = now;
		}
	}
	return { codes: warningsIn(memory).map(({ code }) => code), warnings: warningsIn(memory), changes };
}

describe("warnings about a stream", () => {
	it.each<[string, Partial<StreamFacts>, string[]]>([
		["nothing of a healthy stream", {}, []],
		["key frames at twice the segment duration are right", { keyFrameIntervalMs: 4_000 }, []],
		["key frames further apart than 4 s", { keyFrameIntervalMs: 5_000 }, ["gop_too_long"]],
		[
			"key frames further apart than twice a short segment",
			{ keyFrameIntervalMs: 3_000, segmentDurationMs: 1_000 },
			["gop_too_long"],
		],
		["without HLS 4 s count alone", { keyFrameIntervalMs: 3_900, segmentDurationMs: null }, []],
		["key frames 4 s apart, but for a frame more", { keyFrameIntervalMs: 4_040 }, []],
		["an interval that is not known yet", { keyFrameIntervalMs: null }, []],
		["B-frames where WebRTC is served", { bFrames: true }, ["b_frames"]],
		["B-frames where it is not", { bFrames: true, webrtc: false }, []],
		["segments that wait", { uploadLagMs: 9_000 }, ["upload_lag"]],
		["segments that wait about as long as they are", { uploadLagMs: 4_000 }, []],
		["no sound", { tracks: [track("video", "H264")] }, ["no_audio"]],
		["no video", { tracks: [track("audio", "Opus")] }, ["no_video"]],
		[
			"sound that is announced and never comes",
			{ tracks: [track("video", "H264"), { ...track("audio", "Opus"), silentMs: 20_000 }] },
			["no_audio"],
		],
		[
			"a silent sound track beside one that is not",
			{ tracks: [...HEALTHY.tracks, { ...track("audio", "Opus"), silentMs: 20_000 }] },
			[],
		],
		[
			"a track that nobody watches is no silent one",
			{ tracks: HEALTHY.tracks.map((one) => ({ ...one, silentMs: null })) },
			[],
		],
		["loss of 2 %", { packetLoss: 0.02 }, ["packet_loss"]],
		["loss of 0.7 % alone is no reason", { packetLoss: 0.007 }, []],
		["loss that nobody knows", { packetLoss: null }, []],
		[
			"a codec that HLS does not take",
			{ tracks: [track("video", "H264"), { ...track("audio", "G722"), inHls: false }] },
			["not_in_hls"],
		],
		[
			"several at once, in a set order",
			{ keyFrameIntervalMs: 9_000, bFrames: true, packetLoss: 0.5 },
			["gop_too_long", "b_frames", "packet_loss"],
		],
	])("say: %s", (_, facts, codes) => {
		expect(run([facts, 30]).codes).toEqual(codes);
	});

	it("come after their reason has lasted, and since when it did", () => {
		expect(run([{ bFrames: true }, RAISE_AFTER_MS / 1_000]).codes).toEqual([]);
		const { warnings } = run([{}, 10], [{ bFrames: true }, RAISE_AFTER_MS / 1_000 + 1]);
		expect(warnings).toMatchObject([{ code: "b_frames", since: "2026-11-21T00:00:10.000Z" }]);
	});

	it("go after their reason has been away, and not before", () => {
		const bad = [{ packetLoss: 0.1 }, 10] as const;
		expect(run(bad, [{ packetLoss: 0 }, CLEAR_AFTER_MS / 1_000]).codes).toEqual(["packet_loss"]);
		expect(run(bad, [{ packetLoss: 0 }, CLEAR_AFTER_MS / 1_000 + 1]).codes).toEqual([]);
	});

	it("do not flicker with a figure that goes up and down around the limit", () => {
		const wobble = Array.from({ length: 60 }, (_, i) => [{ packetLoss: i % 2 === 0 ? 0.012 : 0.007 }, 1] as const);
		expect(run(...wobble).changes).toBe(1);
		const spikes = Array.from({ length: 60 }, (_, i) => [{ uploadLagMs: i % 2 === 0 ? 9_000 : 0 }, 1] as const);
		expect(run(...spikes).changes).toBe(0);
	});

	it("say what to do, in at most 500 characters, whatever the codecs are called", () => {
		const tracks = Array.from({ length: 64 }, (_, i) => ({
			...track("data", `codec-${"x".repeat(40)}-${i}`),
			inHls: false,
		}));
		const { warnings } = run([{ tracks, keyFrameIntervalMs: 1e9, bFrames: true, packetLoss: 1, uploadLagMs: 1e9 }, 30]);
		expect(warnings.map(({ code }) => code)).toHaveLength(7);
		for (const { message } of warnings) expect(message.length).toBeLessThan(500);
		expect(warnings[0]?.message).toContain("-g");
	});

	it("keep the message while the reason goes away", () => {
		const { warnings } = run([{ uploadLagMs: 9_000 }, 10], [{ uploadLagMs: 0 }, 5]);
		expect(warnings[0]?.message).toContain("9 s");
	});
});

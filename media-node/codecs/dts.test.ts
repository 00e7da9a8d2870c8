import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeVideo } from "../../test/support/encoded-video.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { H264Codec, H265Codec } from "./codec.ts";
import { DtsExtractor } from "./dts.ts";
import { withParameterSets } from "./parameter-sets.ts";

const NO_H264: H264Codec = { name: "H264", sps: null, pps: null };
const NO_H265: H265Codec = { name: "H265", vps: null, sps: null, pps: null };

/** Of x264: 160x120 with `-profile:v baseline`, and 1920x1080. */
const SPS_OF_DEPTH_0 = bytesOfHex("6742c00bd902847e5c0440000003004000000c83c50a92");
const SPS_OF_DEPTH_2 = bytesOfHex("67640028acd940780227e5c044000003000400000300f03c60c658");

describe("DtsExtractor gives the decoding times of the encoder", () => {
	test.each([
		["x264 without B-frames", "h264", ["-bf", "0"]],
		["x264 with a B-frame", "h264", ["-bf", "1"]],
		["x264 with two B-frames", "h264", ["-bf", "2", "-b_strategy", "0"]],
		["x264 with three B-frames in a pyramid", "h264", ["-bf", "3", "-x264-params", "b-pyramid=normal:b-adapt=0"]],
		["x264 with a strict pyramid", "h264", ["-bf", "7", "-x264-params", "b-pyramid=strict:b-adapt=0"]],
		["x264 with B-frames as it likes", "h264", ["-bf", "16"]],
		["x264 with open groups of pictures", "h264", ["-bf", "3", "-x264-params", "open-gop=1"]],
		["x264 with intra refresh", "h264", ["-x264-params", "intra-refresh=1:keyint=20:bframes=0"]],
		["x264 with interlaced pictures", "h264", ["-bf", "2", "-flags", "+ildct+ilme", "-x264-params", "tff=1"]],
		["x264 with slices", "h264", ["-bf", "3", "-slices", "4"]],
		["x264 at its fastest", "h264", ["-preset", "ultrafast", "-tune", "zerolatency"]],
		["x265 as it likes", "hevc", ["-x265-params", "log-level=none"]],
		["x265 without B-frames", "hevc", ["-x265-params", "log-level=none:bframes=0"]],
		["x265 with closed groups and no pyramid", "hevc", ["-x265-params", "log-level=none:open-gop=0:b-pyramid=0"]],
		["x265 with eight B-frames", "hevc", ["-x265-params", "log-level=none:bframes=8:b-adapt=0"]],
	] as const)("%s", async (_, format, options) => {
		const units = await encodeVideo(format, ["-g", "25", ...options]);
		const first = units[0]!.frames;
		const codec = format === "h264" ? withParameterSets(NO_H264, first) : withParameterSets(NO_H265, first);
		expect(codec.sps).not.toBeNull();
		const extractor = new DtsExtractor(codec);
		expect(units.map(({ pts }) => extractor.dtsOf(pts))).toEqual(units.map(({ dts }) => dts));
	});
});

describe("DtsExtractor", () => {
	test("follows a frame rate that varies, but for the first frames, which come before any is known", async () => {
		const units = await encodeVideo("h264", ["-bf", "3", "-vf", "select=gt(random(1)\\,0.4)"]);
		const extractor = new DtsExtractor(withParameterSets(NO_H264, units[0]!.frames));
		const found = units.map(({ pts }) => extractor.dtsOf(pts));
		expect(new Set(units.map(({ dts }, i) => dts - (units[i - 1]?.dts ?? 0))).size).toBeGreaterThan(4);
		expect(found.slice(2)).toEqual(units.slice(2).map(({ dts }) => dts));
		expect(found.every((dts, i) => dts > (found[i - 1] ?? Number.NEGATIVE_INFINITY) && dts <= units[i]!.pts)).toBe(
			true,
		);
	});

	test("any order that keeps to its depth gives decoding times that increase and are not after presentation", () => {
		const steps = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 60 });
		fc.assert(
			fc.property(steps, fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (deltas, choices) => {
				const extractor = new DtsExtractor({ ...NO_H264, sps: SPS_OF_DEPTH_2 });
				let last = Number.NEGATIVE_INFINITY;
				for (const pts of shuffle(deltas, choices, 2)) {
					const dts = extractor.dtsOf(pts);
					expect(dts).toBeGreaterThan(last);
					expect(dts).toBeLessThanOrEqual(pts);
					last = dts;
				}
			}),
		);
	});

	test.each([{ name: "MPEG-4 Video", config: null }, { name: "MPEG-1/2 Video" }] as const)(
		"$name waits for one picture: B-pictures are presented when they are decoded",
		(codec) => {
			const extractor = new DtsExtractor(codec);
			const order = [0, 3, 1, 2, 6, 4, 5].map((frame) => frame * 3_000);
			expect(order.map((pts) => extractor.dtsOf(pts) / 3_000)).toEqual([-1, 0, 1, 2, 3, 4, 5]);
		},
	);

	test("a stream that reorders deeper than it says is believed after its first B-frame", () => {
		const extractor = new DtsExtractor({ ...NO_H264, sps: SPS_OF_DEPTH_0 });
		const order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8].map((frame) => 90_000 + frame * 3_600);
		const dts = order.map((pts) => extractor.dtsOf(pts));
		expect(dts.every((time, i) => i === 0 || time > dts[i - 1]!)).toBe(true);
		expect(dts.slice(4).map((time) => (time - 90_000) / 3_600)).toEqual([
			3 + 3 / 3_600, // one tick after each of the two frames that came too early
			4,
			5,
			6,
			7,
			8,
		]);
	});

	test("goes on increasing when time goes back, and when it stands still", () => {
		const extractor = new DtsExtractor({ ...NO_H264, sps: SPS_OF_DEPTH_2 });
		const dts = [1_000_000, 1_003_600, 5_000, 8_600, 8_600, 8_600, 12_200].map((pts) => extractor.dtsOf(pts));
		expect(dts.every((time, i) => i === 0 || time > dts[i - 1]!)).toBe(true);
	});

	test("without parameter sets, or with damaged ones, decoding is presentation", () => {
		for (const sps of [null, Uint8Array.of(0x67), SPS_OF_DEPTH_2.subarray(0, 6)]) {
			const extractor = new DtsExtractor({ ...NO_H264, sps });
			expect([0, 3_000, 6_000].map((pts) => extractor.dtsOf(pts))).toEqual([0, 3_000, 6_000]);
		}
	});

	test("takes a new depth under way without going back", () => {
		const extractor = new DtsExtractor({ ...NO_H264, sps: SPS_OF_DEPTH_0 });
		expect([0, 3_600, 7_200].map((pts) => extractor.dtsOf(pts))).toEqual([0, 3_600, 7_200]);
		extractor.configure({ ...NO_H264, sps: SPS_OF_DEPTH_2 });
		const order = [3, 6, 5, 4, 9, 8, 7].map((frame) => frame * 3_600);
		const dts = order.map((pts) => extractor.dtsOf(pts));
		expect(dts).toEqual([7_201, 7_202, 10_800, 14_400, 18_000, 21_600, 25_200]);
		extractor.configure({ ...NO_H264, sps: SPS_OF_DEPTH_0 });
		expect(extractor.dtsOf(10 * 3_600)).toBe(36_000);
	});
});

/** Presentation times after these steps, in an order where no frame is passed by more than `depth` later ones. */
function shuffle(steps: readonly number[], choices: readonly number[], depth: number): number[] {
	let pts = 0;
	const waiting = steps.map((step) => {
		pts += step;
		return { pts, passed: 0 };
	});
	const order: number[] = [];
	while (waiting.length > 0) {
		// A decoder cannot begin with a frame that others come before.
		const first = order.length === 0 || waiting[0]!.passed === depth;
		const choice = first ? 0 : choices[order.length]! % Math.min(4, waiting.length);
		for (const frame of waiting.slice(0, choice)) frame.passed++;
		order.push(waiting.splice(choice, 1)[0]!.pts);
	}
	return order;
}

import { describe, expect, test } from "vitest";
import { ClockMap, FIRST_PTS_MS } from "./clock-map.ts";

const NOW = Date.UTC(2026, 0, 1);
const VIDEO = 0;
const AUDIO = 1;

/** A map of video at 90 kHz and audio at 48 kHz, that gives milliseconds after the first packet. */
function newMap() {
	const clocks = new ClockMap([90_000, 48_000]);
	const msOf = (track: number, pts: number) => pts / (track === VIDEO ? 90 : 48) - FIRST_PTS_MS;
	return {
		clocks,
		pts: (track: number, rtpTime: number, arrivalMs: number) =>
			msOf(track, clocks.ptsOf(track, rtpTime, NOW + arrivalMs)),
	};
}

describe("ClockMap", () => {
	test("begins with the first packet of any track, whatever its time stamp", () => {
		const { pts } = newMap();
		expect(pts(VIDEO, 0xffff_ff00, 0)).toBe(0);
		expect(pts(VIDEO, 0xffff_ff00 + 3_600 - 2 ** 32, 40)).toBe(40);
	});

	test("follows frames that are out of order", () => {
		const { pts } = newMap();
		expect([0, 10_800, 3_600, 7_200].map((rtpTime) => pts(VIDEO, rtpTime, 0))).toEqual([0, 120, 40, 80]);
	});

	test("puts a second track where it arrives, when nothing else is known", () => {
		const { pts } = newMap();
		pts(VIDEO, 500, 0);
		expect(pts(AUDIO, 7_000_000, 30)).toBe(30);
		expect(pts(AUDIO, 7_000_000 + 960, 500)).toBe(50);
	});

	test.each([
		["earlier", -100],
		["later", 250],
	])("puts a second track where the sender reports say, even %s than its arrival", (_, skewMs) => {
		const { clocks, pts } = newMap();
		clocks.senderReport(VIDEO, 1_000_000, 4_000);
		clocks.senderReport(AUDIO, 1_000_000, 9_000);
		expect(pts(VIDEO, 4_000, 0)).toBe(0);
		expect(pts(AUDIO, 9_000 + skewMs * 48, 5)).toBe(skewMs);
	});

	test("reports are of any time, before or after the packets, over the wrap", () => {
		const { clocks, pts } = newMap();
		clocks.senderReport(VIDEO, 1_000_000, 0xffff_fff0);
		clocks.senderReport(AUDIO, 1_002_000, 100);
		expect(pts(VIDEO, 90_000 - 16, 0)).toBe(0); // sent at 1,001,000
		expect(pts(AUDIO, 100 + 48_000, 0)).toBe(2_000); // sent at 1,003,000
	});

	test("a report that comes later moves the track that lags forward, and no track back", () => {
		const { clocks, pts } = newMap();
		pts(VIDEO, 0, 0);
		pts(AUDIO, 0, 300); // was captured with the picture, but came late
		clocks.senderReport(VIDEO, 1_000_000, 0);
		clocks.senderReport(AUDIO, 1_000_000, 0);
		expect(pts(VIDEO, 3_600, 340)).toBeCloseTo(340);
		expect(pts(AUDIO, 1_920, 340)).toBeCloseTo(340);
	});

	test("a difference that nobody notices moves nothing", () => {
		const { clocks, pts } = newMap();
		pts(VIDEO, 0, 0);
		pts(AUDIO, 0, 40);
		clocks.senderReport(VIDEO, 1_000_000, 0);
		clocks.senderReport(AUDIO, 1_000_000, 0);
		expect(pts(VIDEO, 3_600, 40)).toBe(40);
	});

	test("reports that are of different clocks are not believed", () => {
		const { clocks, pts } = newMap();
		clocks.senderReport(VIDEO, 1_000_000, 0);
		clocks.senderReport(AUDIO, 9_000_000_000_000, 0);
		pts(VIDEO, 0, 0);
		expect(pts(AUDIO, 0, 10)).toBe(10);
		clocks.senderReport(AUDIO, 0, 0);
		expect(pts(VIDEO, 3_600, 40)).toBe(40);
		expect(pts(AUDIO, 480, 40)).toBe(20);
	});

	test("clocks that drift apart are brought together again and again", () => {
		const { clocks, pts } = newMap();
		const difference: number[] = [];
		let last = Number.NEGATIVE_INFINITY;
		// The audio clock is 1 % slow: it has 47,520 ticks a second.
		for (let second = 0; second <= 60; second++) {
			clocks.senderReport(VIDEO, 1_000_000 + second * 1_000, second * 90_000);
			clocks.senderReport(AUDIO, 1_000_000 + second * 1_000, second * 47_520);
			const audio = pts(AUDIO, second * 47_520, second * 1_000);
			expect(audio).toBeGreaterThan(last);
			last = audio;
			difference.push(Math.abs(pts(VIDEO, second * 90_000, second * 1_000) - audio));
		}
		expect(Math.max(...difference)).toBeLessThanOrEqual(50);
	});

	test.each([
		["back", 1_000_000_000],
		["ahead", 3_000_000_000],
	])("goes on by arrival when time stamps jump %s", (_, to) => {
		const { pts } = newMap();
		pts(VIDEO, 2_000_000_000, 0);
		pts(VIDEO, 2_000_003_600, 40);
		expect(pts(VIDEO, to, 1_040)).toBe(1_040);
		expect(pts(VIDEO, to + 3_600, 1_080)).toBe(1_080);
	});

	test("a pause of the sender is no jump, and neither is a burst after the network stood still", () => {
		const { pts } = newMap();
		pts(VIDEO, 0, 0);
		expect(pts(VIDEO, 60 * 90_000, 60_000)).toBe(60_000);
		for (let ms = 60_040; ms <= 80_000; ms += 40) expect(pts(VIDEO, ms * 90, 80_000)).toBe(ms);
		expect(pts(VIDEO, 80_040 * 90, 80_040)).toBe(80_040);
	});

	test("tells the wall-clock time of a presentation time, the same for all tracks", () => {
		const { clocks } = newMap();
		const video = clocks.ptsOf(VIDEO, 0, NOW);
		expect(clocks.wallclockOf(VIDEO, video, NOW)).toBe(NOW);
		expect(clocks.wallclockOf(AUDIO, (video * 48_000) / 90_000 + 48, NOW + 700)).toBe(NOW + 1);
	});

	test("tells when the sender says that media was captured, once a report of the track came", () => {
		const { clocks } = newMap();
		const video = clocks.ptsOf(VIDEO, 90_000, NOW);
		const audio = clocks.ptsOf(AUDIO, 0, NOW);
		expect(clocks.sentAt(VIDEO, video)).toBeNull();
		clocks.senderReport(VIDEO, 5_000, 45_000);
		expect(clocks.sentAt(VIDEO, video)).toBe(5_500);
		expect(clocks.sentAt(VIDEO, video - 9_000)).toBe(5_400);
		expect(clocks.sentAt(AUDIO, audio)).toBeNull();
		clocks.senderReport(AUDIO, 5_520, 0);
		expect(clocks.sentAt(AUDIO, clocks.ptsOf(AUDIO, 4_800, NOW))).toBe(5_620);
	});

	test("what the sender said holds on when time stamps jump, until its next report", () => {
		const { clocks } = newMap();
		clocks.ptsOf(VIDEO, 0, NOW);
		clocks.senderReport(VIDEO, 5_000, 0);
		expect(clocks.sentAt(VIDEO, clocks.ptsOf(VIDEO, 2_000_000_000, NOW + 40))).toBe(5_040);
		expect(clocks.sentAt(VIDEO, clocks.ptsOf(VIDEO, 5, NOW + 80))).toBe(5_080);
		clocks.senderReport(VIDEO, 6_000, 5);
		expect(clocks.sentAt(VIDEO, clocks.ptsOf(VIDEO, 5 + 3_600, NOW + 120))).toBe(6_040);
	});

	test("there is no other track", () => {
		expect(() => newMap().pts(2, 0, 0)).toThrow(RangeError);
	});
});

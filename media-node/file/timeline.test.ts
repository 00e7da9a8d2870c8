import { describe, expect, it } from "vitest";
import type { FileUnit } from "./media-source.ts";
import { MAX_GAP_SECONDS, Timeline } from "./timeline.ts";

function unit(trackIndex: number, dts: number, { pts = dts, duration = 0 } = {}): FileUnit {
	return { trackIndex, dts, pts, duration, randomAccess: true, frames: [] };
}

describe("Timeline", () => {
	it("begins at 0 and puts the next pass where the last picture ends", () => {
		const timeline = new Timeline([90_000]);
		const pass = () => [1_003_600, 1_007_200, 1_010_800].map((dts) => timeline.place(unit(0, dts))?.dts);
		expect(pass()).toEqual([0, 3_600, 7_200]);
		timeline.endPass();
		expect(pass()).toEqual([10_800, 14_400, 18_000]);
		timeline.endPass();
		expect(pass()).toEqual([21_600, 25_200, 28_800]);
	});

	it("keeps tracks together over a hundred passes, whatever their clocks and ends", () => {
		const timeline = new Timeline([90_000, 44_100]);
		const last = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
		const starts: number[] = [];
		for (let pass = 0; pass < 100; pass++) {
			for (let i = 0; i < 10; i++) {
				const picture = timeline.place(unit(0, i * 3_600, { duration: 3_600 }))!;
				const sound = timeline.place(unit(1, i * 1_024 - 512, { duration: 1_024 }))!;
				if (i === 0) starts.push(picture.seconds - sound.seconds);
				for (const [track, { dts }] of [picture, sound].entries()) {
					expect(dts).toBeGreaterThan(last[track]!);
					last[track] = dts;
				}
			}
			timeline.endPass();
		}
		for (const start of starts) expect(start).toBeCloseTo(512 / 44_100, 4);
	});

	it("waits with the next pass until reordered pictures are shown", () => {
		const timeline = new Timeline([90_000]);
		for (const [dts, pts] of [
			[0, 7_200],
			[3_600, 14_400],
			[7_200, 10_800],
		] as const)
			timeline.place(unit(0, dts, { pts }));
		timeline.endPass();
		expect(timeline.place(unit(0, 0, { pts: 7_200 }))).toMatchObject({ dts: 10_800, pts: 18_000 });
	});

	it("closes a leap forward, and one back, and keeps what follows together", () => {
		const timeline = new Timeline([90_000]);
		const leap = (MAX_GAP_SECONDS + 1) * 90_000;
		const times = [0, 3_600, 3_600 + leap, 7_200 + leap, 100, 3_700];
		expect(times.map((dts) => timeline.place(unit(0, dts))?.dts)).toEqual([0, 3_600, 7_200, 10_800, 14_400, 18_000]);
	});

	it("lets no decoding time stand still or go back a little", () => {
		const timeline = new Timeline([90_000]);
		expect([0, 3_600, 3_600, 3_000, 7_200].map((dts) => timeline.place(unit(0, dts))?.dts)).toEqual([
			0, 3_600, 3_601, 3_602, 7_200,
		]);
	});

	it("shows what is told to be shown absurdly late at once", () => {
		const timeline = new Timeline([90_000]);
		expect(timeline.place(unit(0, 5, { pts: 2 ** 40 }))).toEqual({ pts: 0, dts: 0, seconds: 0 });
	});

	it("places nothing of a track that there is not, or of a time that is no number", () => {
		const timeline = new Timeline([90_000]);
		expect(timeline.place(unit(1, 0))).toBeNull();
		expect(timeline.place(unit(0, Number.NaN))).toBeNull();
		expect(timeline.place(unit(0, 2 ** 60))).toBeNull();
	});

	it("goes on by something even after a single picture of no duration", () => {
		const timeline = new Timeline([90_000]);
		timeline.place(unit(0, 0));
		timeline.endPass();
		expect(timeline.place(unit(0, 0))?.dts).toBe(3_600);
	});
});

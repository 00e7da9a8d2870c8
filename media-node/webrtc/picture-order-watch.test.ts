import { describe, expect, it } from "vitest";
import { bFramesText, PictureOrderWatch, watchPictureOrder } from "./picture-order-watch.ts";

/** How often it says so, of pictures of some packets each. */
function seen(times: readonly number[], packets = 3): number {
	const watch = new PictureOrderWatch();
	return times.flatMap((time) => new Array<number>(packets).fill(time >>> 0)).filter((time) => watch.see(time)).length;
}

describe("PictureOrderWatch", () => {
	it("says once that pictures are reordered, over the wrap of time stamps", () => {
		const times = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11];
		expect(seen(times.map((time) => time * 3_000))).toBe(1);
		expect(seen(times.map((time) => 2 ** 32 - 15_000 + time * 3_000))).toBe(1);
	});

	it("says nothing of pictures in order, nor of time that jumps back", () => {
		expect(seen(Array.from({ length: 100 }, (_, i) => i * 3_000))).toBe(0);
		const jumps = Array.from({ length: 10 }, (_, i) => [1e8 + i * 3_000, 5e6 + i * 3_000]).flat();
		expect(seen(jumps)).toBe(0);
	});

	it("does not look at codecs that have no such pictures", () => {
		expect(watchPictureOrder({ name: "VP8" })).toBeNull();
		expect(watchPictureOrder({ name: "H265" })).not.toBeNull();
	});

	it("says what to set", () => {
		expect(bFramesText("H264")).toMatch(/-bf 0.*OBS/);
		expect(bFramesText("H265")).toMatch(/bframes=0/);
	});
});

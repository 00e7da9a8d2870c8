import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestTimestamp } from "./timestamp.ts";

test("time goes on over the wrap, and small steps back stay steps back", () => {
	let time = 0xffff_ff00;
	for (const [rtpTime, expected] of [
		[0xffff_fff0, 2 ** 32 - 16],
		[0x10, 2 ** 32 + 16],
		[0xffff_fff8, 2 ** 32 - 8],
		[0x8000_0000, 2 ** 31],
	] as const) {
		time = nearestTimestamp(time, rtpTime);
		expect(time).toBe(expected);
	}
});

test("finds any time from its low 32 bits and a time within 2^31 of it", () => {
	const time = fc.integer({ min: -(2 ** 50), max: 2 ** 50 });
	fc.assert(
		fc.property(time, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (reference, step) => {
			const actual = reference + step;
			expect(nearestTimestamp(reference, ((actual % 2 ** 32) + 2 ** 32) % 2 ** 32)).toBe(actual);
		}),
	);
});

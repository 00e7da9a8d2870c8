import { describe, expect, test } from "vitest";
import { compactNtp, ntpOf, unixMsOf } from "./ntp.ts";

describe("NTP time", () => {
	test.each([
		["the Unix epoch", 0, { seconds: 2_208_988_800, fraction: 0 }],
		["half a second past the second", 1_500, { seconds: 2_208_988_801, fraction: 0x8000_0000 }],
		// RFC 5905 figure 4 has the first day of era 1.
		["the first day of era 1", Date.UTC(2036, 1, 7, 6, 28, 16), { seconds: 0, fraction: 0 }],
		["a moment of era 1", Date.UTC(2040, 0, 1), { seconds: 123_010_304, fraction: 0 }],
	])("of %s is written and read back", (_, unixMs, ntp) => {
		expect(ntpOf(unixMs)).toEqual(ntp);
		expect(unixMsOf(ntp)).toBe(unixMs);
	});

	test("is exact to well below a millisecond", () => {
		for (const unixMs of [1_790_000_000_123, 1_790_000_000_999.5])
			expect(unixMsOf(ntpOf(unixMs))).toBeCloseTo(unixMs, 3);
	});

	test("is compacted to its middle", () => {
		// RFC 3550 figure 2: b705:2000 of b44d:b705:2000:0000.
		expect(compactNtp({ seconds: 0xb44d_b705, fraction: 0x2000_0000 })).toBe(0xb705_2000);
	});
});

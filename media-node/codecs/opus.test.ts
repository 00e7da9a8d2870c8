import { expect, test } from "vitest";
import { opusSamples } from "./opus.ts";

// RFC 6716 table 2 and §3.2; at 48 samples a millisecond.
test.each([
	["SILK of 10 ms", [0 << 3], 480],
	["SILK of 60 ms", [11 << 3], 2_880],
	["hybrid of 20 ms", [15 << 3], 960],
	["CELT of 2.5 ms", [16 << 3], 120],
	["CELT of 20 ms", [31 << 3], 960],
	["two equal frames", [(31 << 3) | 1], 1_920],
	["two frames of their own size", [(31 << 3) | 2], 1_920],
	["six frames of 20 ms, the longest packet", [(31 << 3) | 3, 6], 5_760],
	["48 frames of 2.5 ms, with flags", [(16 << 3) | 3, 0xc0 | 48], 5_760],
	["more than 120 ms", [(31 << 3) | 3, 7], 0],
	["no frames", [(31 << 3) | 3, 0], 0],
	["a missing count", [(31 << 3) | 3], 0],
	["nothing", [], 0],
])("%s", (_, packet, samples) => {
	expect(opusSamples(Uint8Array.from(packet))).toBe(samples);
});

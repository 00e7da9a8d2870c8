import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { frameTicksOf } from "./audio-duration.ts";

test("frames of each audio codec are timed on its clock", () => {
	expect(frameTicksOf({ name: "MPEG-4 Audio", config: bytesOfHex("1190") }, 48_000)?.(new Uint8Array(9))).toBe(1_024);
	expect(frameTicksOf({ name: "Opus", channels: 2 }, 48_000)?.(Uint8Array.of(31 << 3))).toBe(960);
	const g711 = { name: "G711", law: "mu", sampleRate: 8_000, channels: 2 } as const;
	expect(frameTicksOf(g711, 8_000)?.(new Uint8Array(321))).toBe(160);
});

test("video is not timed by its frames", () => {
	expect(frameTicksOf({ name: "H264", sps: null, pps: null }, 90_000)).toBeNull();
	expect(frameTicksOf({ name: "Generic" }, 90_000)).toBeNull();
});

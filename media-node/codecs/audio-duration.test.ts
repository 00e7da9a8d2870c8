import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { frameTicksOf } from "./audio-duration.ts";
import type { Codec } from "./codec.ts";

test("frames of each audio codec are timed on its clock", () => {
	expect(frameTicksOf({ name: "MPEG-4 Audio", config: bytesOfHex("1190") }, 48_000)?.(new Uint8Array(9))).toBe(1_024);
	expect(frameTicksOf({ name: "Opus", channels: 2 }, 48_000)?.(Uint8Array.of(31 << 3))).toBe(960);
	const g711 = { name: "G711", law: "mu", sampleRate: 8_000, channels: 2 } as const;
	expect(frameTicksOf(g711, 8_000)?.(new Uint8Array(321))).toBe(160);
});

test.each<[string, Codec, number, string, number]>([
	["MP3", { name: "MPEG-1/2 Audio" }, 90_000, "fffb9064", 2_351],
	["AC-3", { name: "AC3", sampleRate: 48_000, channels: 2 }, 48_000, "0b7700001e4040", 1_536],
	["G.722", { name: "G722", channels: 1 }, 8_000, "00112233", 4],
	["G.726 of 16 kbit/s", { name: "G726", bitRate: 16, packing: "aal2" }, 8_000, "001122", 12],
	["G.726 of 24 kbit/s", { name: "G726", bitRate: 24, packing: "aal2" }, 8_000, "001122334455", 16],
	["G.726 of 40 kbit/s", { name: "G726", bitRate: 40, packing: "rfc3551" }, 8_000, "0011223344", 8],
	["L24", { name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 2 }, 48_000, "001122334455667788990011", 2],
	["a damaged frame", { name: "MPEG-1/2 Audio" }, 90_000, "00", 0],
])("%s lasts as long as its frames say", (_, codec, clockRate, frame, ticks) => {
	expect(frameTicksOf(codec, clockRate)?.(bytesOfHex(frame))).toBe(ticks);
});

test("video is not timed by its frames", () => {
	expect(frameTicksOf({ name: "H264", sps: null, pps: null }, 90_000)).toBeNull();
	expect(frameTicksOf({ name: "Generic" }, 90_000)).toBeNull();
});

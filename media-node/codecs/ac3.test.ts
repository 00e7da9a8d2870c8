import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { run } from "../../test/support/program.ts";
import { ac3Ticks, readAc3Header } from "./ac3.ts";

describe("headers", () => {
	// ETSI TS 102 366 table 4.13: 448 kbit/s are 896 words at 48 kHz, and 975 or 976 at 44.1 kHz.
	test.each([
		["5.1 channels", "0b770000 1e 40 e1", { sampleRate: 48_000, channels: 6, frameBytes: 1_792 }],
		["44.1 kHz", "0b770000 5e 40 40", { sampleRate: 44_100, channels: 2, frameBytes: 1_950 }],
		["44.1 kHz, one word longer", "0b770000 5f 40 40", { sampleRate: 44_100, channels: 2, frameBytes: 1_952 }],
		["32 kHz in mono", "0b770000 80 40 20", { sampleRate: 32_000, channels: 1, frameBytes: 192 }],
		["half the rate", "0b770000 1e 48 40", { sampleRate: 24_000, channels: 2, frameBytes: 1_792 }],
		["two channels with low frequencies", "0b770000 1e 40 44", { sampleRate: 48_000, channels: 3, frameBytes: 1_792 }],
		["E-AC-3", "0b770000 1e 80 40", null],
		["a reserved rate", "0b770000 de 40 40", null],
		["a reserved size", "0b770000 26 40 40", null],
		["no header", "0b780000 1e 40 40", null],
		["a cut", "0b770000 1e 40", null],
	])("of %s are read", (_, hex, expected) => {
		expect(readAc3Header(bytesOfHex(hex.replaceAll(" ", "")))).toEqual(expected);
	});

	test.each([
		[48_000, "5.1", 6, "448k"],
		[44_100, "stereo", 2, "192k"],
		[32_000, "mono", 1, "96k"],
		[48_000, "2.1", 3, "256k"],
		[48_000, "3.0", 3, "256k"],
		[48_000, "4.1", 5, "384k"],
	])(
		"lead from frame to frame to the end of what ffmpeg encodes: %i Hz, %s",
		async (rate, layout, channels, bitRate) => {
			const source = `aevalsrc=0.2*sin(3000*t):s=${rate}:d=0.5`;
			const output = ["-af", `pan=${layout}|c0=c0`, "-c:a", "ac3", "-b:a", bitRate, "-f", "ac3", "-"];
			const bytes = await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", source, ...output]);
			let frames = 0;
			let at = 0;
			while (at < bytes.length) {
				const header = readAc3Header(bytes, at);
				expect(header).toMatchObject({ sampleRate: rate, channels });
				at += header?.frameBytes ?? bytes.length;
				frames++;
			}
			expect(at).toBe(bytes.length);
			expect(frames).toBeGreaterThanOrEqual(Math.floor((rate * 0.5) / 1_536));
		},
	);
});

test("frames last on any clock", () => {
	expect(ac3Ticks(bytesOfHex("0b7700001e4040"), 48_000)).toBe(1_536);
	expect(ac3Ticks(bytesOfHex("0b7700001e4040"), 90_000)).toBe(2_880);
	expect(ac3Ticks(bytesOfHex("0b77"), 48_000)).toBe(0);
});

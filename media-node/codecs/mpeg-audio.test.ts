import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { run } from "../../test/support/program.ts";
import { mpegAudioTicks, readMpegAudioHeader } from "./mpeg-audio.ts";

/** What ffmpeg encodes of a second of sound. */
const encode = (encoder: string, rate: number, options: readonly string[], format: string) =>
	run("ffmpeg", [
		...["-v", "error", "-f", "lavfi", "-i", `sine=sample_rate=${rate}:duration=1`, "-c:a", encoder, ...options],
		...["-write_xing", "0", "-id3v2_version", "0"].slice(format === "mp3" ? 0 : 4),
		...["-f", format, "-"],
	]);

describe("headers", () => {
	// ISO 11172-3 §2.4.2.3: 144 * bit rate / sampling rate, 12 * of layer I in slots of four bytes.
	test.each([
		["MP3", "fffb9064", { layer: 3, sampleRate: 44_100, channels: 2, frameBytes: 417, frameSamples: 1_152 }],
		[
			"MP3 with padding",
			"fffb9264",
			{ layer: 3, sampleRate: 44_100, channels: 2, frameBytes: 418, frameSamples: 1_152 },
		],
		[
			"layer II in mono",
			"fffda4c0",
			{ layer: 2, sampleRate: 48_000, channels: 1, frameBytes: 576, frameSamples: 1_152 },
		],
		["layer I", "ffff9c00", null],
		[
			"layer I with padding",
			"ffffc200",
			{ layer: 1, sampleRate: 44_100, channels: 2, frameBytes: 420, frameSamples: 384 },
		],
		["MP3 of MPEG-2", "fff380c4", { layer: 3, sampleRate: 22_050, channels: 1, frameBytes: 208, frameSamples: 576 }],
		["MP3 of MPEG-2.5", "ffe380c4", { layer: 3, sampleRate: 11_025, channels: 1, frameBytes: 417, frameSamples: 576 }],
		["a reserved version", "ffeb9064", null],
		["a reserved layer", "fff99064", null],
		["free format", "fffb0064", null],
		["a reserved bit rate", "fffbf064", null],
		["a reserved sampling rate", "fffb9c64", null],
		["no header", "fe000000", null],
		["a cut", "fffb90", null],
	])("of %s are read", (_, hex, expected) => {
		expect(readMpegAudioHeader(bytesOfHex(hex))).toEqual(expected);
	});

	test.each([
		["MP3", "libmp3lame", 44_100, ["-b:a", "128k", "-ac", "2"], "mp3"],
		["MP3 of variable rate", "libmp3lame", 48_000, ["-q:a", "2"], "mp3"],
		["MP3 of MPEG-2", "libmp3lame", 24_000, ["-b:a", "64k"], "mp3"],
		["MP3 of MPEG-2.5", "libmp3lame", 8_000, ["-b:a", "8k"], "mp3"],
		["layer II", "mp2", 32_000, ["-b:a", "192k"], "mp2"],
	] as const)(
		"of %s lead from frame to frame to the end of what ffmpeg encodes",
		async (_, encoder, rate, options, format) => {
			const bytes = await encode(encoder, rate, options, format);
			let samples = 0;
			let at = 0;
			while (at < bytes.length) {
				const header = readMpegAudioHeader(bytes, at);
				expect(header?.sampleRate).toBe(rate);
				samples += header?.frameSamples ?? 0;
				at += header?.frameBytes ?? bytes.length;
			}
			expect(at).toBe(bytes.length);
			expect(samples).toBeGreaterThanOrEqual(rate);
			expect(samples).toBeLessThan(rate + 5_000);
		},
	);
});

test("frames last on any clock", () => {
	expect(mpegAudioTicks(bytesOfHex("fffb9464"), 90_000)).toBe(2_160);
	expect(mpegAudioTicks(bytesOfHex("fffb9064"), 90_000)).toBeCloseTo(2_351.02, 2);
	expect(mpegAudioTicks(bytesOfHex("00"), 90_000)).toBe(0);
});

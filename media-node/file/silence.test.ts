import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../../test/support/program.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { writeAudioSpecificConfig } from "../codecs/aac.ts";
import { frameTicksOf } from "../codecs/audio-duration.ts";
import type { Codec } from "../codecs/codec.ts";
import { writeFragmentHeader } from "../mp4/fragment.ts";
import { initSegment } from "../mp4/init-segment.ts";
import { sampleEntryOf } from "../mp4/sample-entry.ts";
import { aacSilence, opusSilence, type Silence, sampleSilence } from "./silence.ts";

const COUNT = 50;

/** What ffmpeg makes of `COUNT` frames: samples of 16 bits. Fails when it finds anything wrong with them. */
async function decoded(bytes: Uint8Array, input: readonly string[]): Promise<Int16Array> {
	await using dir = await tempDir();
	const file = path.join(dir.path, "silence");
	await writeFile(file, bytes);
	const checks = ["-v", "error", "-xerror", "-err_detect", "explode"];
	const pcm = await run("ffmpeg", [...checks, ...input, "-i", file, "-f", "s16le", "-c:a", "pcm_s16le", "-"]);
	return new Int16Array(Uint8Array.from(pcm).buffer);
}

function inMp4(codec: Codec, clockRate: number, { frame, ticks }: Silence): Uint8Array {
	const samples = Array.from({ length: COUNT }, (_, i) => ({
		dts: i * ticks,
		pts: i * ticks,
		size: frame.length,
		sync: true,
	}));
	const w = new ByteWriter();
	writeFragmentHeader(w, { kind: "audio", sequence: 1, decodeTime: 0, samples, end: COUNT * ticks });
	const entry = sampleEntryOf(codec);
	if (entry === null) throw new Error("It has a sample entry");
	return Buffer.concat([initSegment(entry, clockRate), w.written, ...samples.map(() => frame)]);
}

describe("silence of AAC", () => {
	it.each([1, 2, 3, 4, 5, 6, 7, 8])("of %i channels is what a decoder puts out", async (channels) => {
		const sampleRate = channels === 2 ? 44_100 : 48_000;
		const codec: Codec = { name: "MPEG-4 Audio", config: writeAudioSpecificConfig({ sampleRate, channels }) };
		const silence = aacSilence(channels);
		expect(frameTicksOf(codec, sampleRate)?.(silence.frame)).toBe(silence.ticks);
		const samples = await decoded(inMp4(codec, sampleRate, silence), []);
		expect(samples.length).toBe(COUNT * 1_024 * channels);
		expect(samples.every((sample) => sample === 0)).toBe(true);
	});

	it("of one channel is an element of 29 zeros and the end", () => {
		// single_channel_element of 3 + 4 + 22 bits, then ID_END: ISO 14496-3 §4.4.2.1.
		expect(Buffer.from(aacSilence(1).frame).toString("hex")).toBe("00000007");
	});

	it.each([0, 9])("does not exist for %i channels", (channels) => {
		expect(() => aacSilence(channels)).toThrow(RangeError);
	});
});

describe("silence of Opus", () => {
	it.each([1, 2] as const)("of %i channels is what a decoder puts out", async (channels) => {
		const codec: Codec = { name: "Opus", channels };
		const silence = opusSilence(channels);
		expect(frameTicksOf(codec, 48_000)?.(silence.frame)).toBe(silence.ticks);
		const samples = await decoded(inMp4(codec, 48_000, silence), []);
		expect(samples.length).toBe(COUNT * 960 * channels);
		expect(samples.every((sample) => sample === 0)).toBe(true);
	});
});

describe("silence of samples", () => {
	const law = (which: "a" | "mu", sampleRate = 8_000, channels = 1) =>
		({ name: "G711", law: which, sampleRate, channels }) as const;
	const linear = (sampleRate: number, channels: number) =>
		({ name: "LPCM", bitDepth: 16, sampleRate, channels }) as const;

	// A-law has no zero: its smallest value is 8 of 32768, ITU-T G.711 table 1.
	it.each([
		["mu-law", law("mu"), "mulaw", 0],
		["A-law", law("a"), "alaw", 8],
		["A-law of two channels", law("a", 16_000, 2), "alaw", 8],
		["16 bits", linear(48_000, 2), "s16be", 0],
		["16 bits at a rate that 50 does not divide", linear(22_055, 1), "s16be", 0],
	] as const)("in %s lasts 20 ms and is what a decoder puts out", async (_, codec, format, loudest) => {
		const { frame, ticks } = sampleSilence(codec);
		expect(ticks / codec.sampleRate).toBeCloseTo(0.02, 4);
		expect(frameTicksOf(codec, codec.sampleRate)?.(frame)).toBe(ticks);
		const input = ["-f", format, "-ar", String(codec.sampleRate), "-ac", String(codec.channels)];
		const samples = await decoded(frame, input);
		expect(samples.length).toBe(ticks * codec.channels);
		expect(Math.max(...samples.map(Math.abs))).toBe(loudest);
	});
});

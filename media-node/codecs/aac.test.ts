import { describe, expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { BitWriter } from "../../test/support/bit-writer.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { run } from "../../test/support/program.ts";
import {
	aacCodecString,
	aacFrameTicks,
	parseAdtsHeader,
	parseAudioSpecificConfig,
	writeAudioSpecificConfig,
} from "./aac.ts";

const LC = { objectType: 2, frameSamples: 1024, extension: null };

describe("parseAudioSpecificConfig", () => {
	test.each([
		["AAC-LC of 48 kHz stereo", "1190", { ...LC, sampleRate: 48_000, channels: 2 }],
		["AAC-LC of 44.1 kHz mono", "1208", { ...LC, sampleRate: 44_100, channels: 1 }],
		["AAC-LC of 7.1", "11b8", { ...LC, sampleRate: 48_000, channels: 8 }],
		["a rate that no index tells", "1780 1f40 10", { ...LC, sampleRate: 16_000, channels: 2 }],
		["960 samples a frame", "1194", { ...LC, sampleRate: 48_000, channels: 2, frameSamples: 960 }],
		[
			"HE-AAC told first",
			"2b11 8800",
			{ ...LC, sampleRate: 24_000, channels: 2, extension: { sampleRate: 48_000, parametricStereo: false } },
		],
		[
			"HE-AAC v2 told first",
			"eb09 8800",
			{ ...LC, sampleRate: 24_000, channels: 1, extension: { sampleRate: 48_000, parametricStereo: true } },
		],
		[
			"HE-AAC told behind",
			"1310 56e5 98",
			{ ...LC, sampleRate: 24_000, channels: 2, extension: { sampleRate: 48_000, parametricStereo: false } },
		],
		[
			"HE-AAC v2 told behind",
			"1308 56e5 9d48 80",
			{ ...LC, sampleRate: 24_000, channels: 1, extension: { sampleRate: 48_000, parametricStereo: true } },
		],
		["band replication that is denied", "1310 56e5 00", { ...LC, sampleRate: 24_000, channels: 2 }],
	])("reads %s", (_, config, expected) => {
		expect(parseAudioSpecificConfig(bytesOfHex(config))).toEqual(expected);
	});

	test("counts the channels of a program configuration", () => {
		const config = new BitWriter().u(5, 2).u(4, 3).u(4, 0).u(3, 0);
		config.u(10, 0).u(4, 2).u(4, 1).u(4, 1).u(2, 1).u(7, 0).u(1, 1).u(4, 0).u(1, 0).u(1, 1).u(3, 0);
		config.u(5, 0).u(5, 16).u(5, 16).u(5, 0).u(4, 0); // front one and a pair, side a pair, back one, LFE
		config.u(7, 0).u(8, 0); // alignment, no comment
		expect(parseAudioSpecificConfig(config.bytes()).channels).toBe(7);
	});

	test("reads past the comment of a program configuration, as ffmpeg writes it", () => {
		// ffmpeg -f lavfi -i "aevalsrc=0|0|0|0|0|0|0" -c:a aac, and its `56e5 00` with band replication switched on
		const config = bytesOfHex("1200 0508 4800 2000 c440 0d4c 6176 6335 392e 3337 2e31 3030 56e5 98");
		expect(parseAudioSpecificConfig(config)).toMatchObject({ channels: 7, extension: { sampleRate: 48_000 } });
	});

	test.each([
		["an object type that is not AAC", "8012 3400", "media.unsupported"],
		["an object type of eleven bits", "f956 4000", "media.unsupported"],
		["a reserved sampling frequency", "1690", "bytes.malformed"],
		["a reserved channel configuration", "11c0", "bytes.malformed"],
		["a sampling frequency of 0", "1780 0000 10", "bytes.malformed"],
	])("refuses %s", (_, config, code) => {
		expect(() => parseAudioSpecificConfig(bytesOfHex(config))).toThrow(expect.objectContaining({ code }));
	});

	test("refuses or reads every truncation, and throws nothing else", () => {
		for (const config of ["1190", "178007d010", "2b118800", "1308 56e5 9d48 80"]) {
			const bytes = bytesOfHex(config);
			for (let length = 0; length < bytes.length; length++) {
				try {
					expect(parseAudioSpecificConfig(bytes.subarray(0, length)).objectType).toBe(2);
				} catch (error) {
					expect(error).toBeInstanceOf(ProtocolError);
				}
			}
		}
	});
});

test.each([1, 2, 3, 4, 5, 6, 8])("a configuration of %i channels that is written is read back", (channels) => {
	for (const sampleRate of [8_000, 44_100, 48_000, 96_000]) {
		const config = writeAudioSpecificConfig({ sampleRate, channels });
		expect(parseAudioSpecificConfig(config)).toEqual({ ...LC, sampleRate, channels });
	}
});

test.each([
	[48_000, 9],
	[48_000, 0],
	[47_999, 2],
])("a configuration of %i Hz and %i channels cannot be written", (sampleRate, channels) => {
	expect(() => writeAudioSpecificConfig({ sampleRate, channels })).toThrow(RangeError);
});

test.each([
	["1190", "mp4a.40.2"],
	["2b118800", "mp4a.40.5"],
	["eb098800", "mp4a.40.29"],
	["0990", "mp4a.40.1"],
])("the codec string of %s is %s", (config, expected) => {
	expect(aacCodecString(parseAudioSpecificConfig(bytesOfHex(config)))).toBe(expected);
});

test("a frame lasts as long on a clock of the core as on one of the output", () => {
	const config = parseAudioSpecificConfig(bytesOfHex("2b118800"));
	expect([aacFrameTicks(config, 24_000), aacFrameTicks(config, 48_000)]).toEqual([1_024, 2_048]);
});

describe("parseAdtsHeader", () => {
	test("finds each frame that ffmpeg writes", async () => {
		const source = ["-f", "lavfi", "-i", "sine=sample_rate=44100:duration=1", "-ac", "2"];
		const stream = await run("ffmpeg", ["-v", "error", ...source, "-c:a", "aac", "-f", "adts", "-"]);
		let frames = 0;
		for (let at = 0; at < stream.length; frames++) {
			const header = parseAdtsHeader(stream, at);
			expect(header).toMatchObject({ objectType: 2, sampleRate: 44_100, channels: 2, headerBytes: 7 });
			at += header.frameBytes;
		}
		expect(frames).toBe(Math.ceil(44_100 / 1_024) + 1); // one more for the encoder's delay
	});

	test.each([
		["no sync word", "ffe1 5080 0bff fc", "bytes.malformed"],
		["a frame shorter than its header", "fff1 5080 00bf fc", "bytes.malformed"],
		["several blocks", "fff1 5080 0bff fd", "bytes.malformed"],
		["a reserved sampling frequency", "fff1 7480 0bff fc", "bytes.malformed"],
		["a cut", "fff1 5080 0bff", "bytes.truncated"],
	])("refuses %s", (_, header, code) => {
		expect(() => parseAdtsHeader(bytesOfHex(header))).toThrow(expect.objectContaining({ code }));
	});
});

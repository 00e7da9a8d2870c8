import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec } from "../codecs/codec.ts";
import { trackJson } from "./track-json.ts";

const show = (codec: Codec, { encoding = "x/90000", fmtp = "" } = {}) =>
	trackJson({ index: 0, kind: "video", codec, clockRate: 90_000, rtp: { payloadType: 96, encoding, fmtp } });

const h264 = (sps: string | null) => show({ name: "H264", sps: sps === null ? null : bytesOfHex(sps), pps: null });
const h265 = (sps: string) => show({ name: "H265", vps: null, sps: bytesOfHex(sps), pps: null });

/** Parameter sets of x264 and x265, as in the tests of the codecs. */
describe("a track over the control API", () => {
	it.each([
		["67640028acd940780227e5c044000003000400000300f03c60c658", 1920, 1080, "High", "4"],
		["6742c00bd902847e5c0440000003004000000c83c50a92", 160, 120, "Baseline", "1.1"],
		["67f4000b919b28588f1f3e022000007d20001d4c01e28532c0", 162, 122, "High 4:4:4 Predictive", "1.1"],
		["677a001fb6cd940a02ff89c044000003000400000301e03c60c658", 640, 360, "High 4:2:2", "3.1"],
	])("shows what the H264 parameter set %s says", (sps, width, height, profile, level) => {
		expect(h264(sps)).toEqual({ codec: "H264", codecProps: { width, height, profile, level } });
	});

	it.each([
		["420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000f04", "Main", "4"],
		["42010102200000030090000003000003003ca01520207248d96566924caf01680800001f480003a98040", "Main 10", "2"],
		[
			"4201010408000003009d0800000300003fb005020169365959a4932bc05a0200000300020000030032c0192cbc003d08000f4264",
			"Range Extensions",
			"2.1",
		],
	])("shows what the H265 parameter set %s says", (sps, profile, level) => {
		expect(h265(sps)).toMatchObject({ codec: "H265", codecProps: { profile, level, width: expect.any(Number) } });
	});

	it("shows nothing of parameter sets that are not there, or make no sense, or end early", () => {
		const nothing = { codec: "H264", codecProps: { width: 0, height: 0, profile: "", level: "" } };
		expect(h264(null)).toEqual(nothing);
		expect(h264("67")).toEqual(nothing);
		expect(h264("6764")).toEqual(nothing);
		expect(show({ name: "MPEG-4 Audio", config: new Uint8Array(0) }).codecProps).toEqual({
			sampleRate: 0,
			channelCount: 0,
		});
	});

	it.each([
		[
			{ name: "MPEG-4 Audio", config: bytesOfHex("1210") },
			{ sampleRate: 44_100, channelCount: 2 },
		],
		[{ name: "Opus", channels: 6 }, { channelCount: 6 }],
		[
			{ name: "AC3", sampleRate: 48_000, channels: 6 },
			{ sampleRate: 48_000, channelCount: 6 },
		],
		[
			{ name: "G711", law: "mu", sampleRate: 8000, channels: 1 },
			{ muLaw: true, sampleRate: 8000, channelCount: 1 },
		],
		[
			{ name: "LPCM", bitDepth: 16, sampleRate: 48_000, channels: 2 },
			{ bitDepth: 16, sampleRate: 48_000, channelCount: 2 },
		],
		[{ name: "VP8" }, null],
		[{ name: "MPEG-4 Video", config: null }, null],
		[{ name: "Generic" }, null],
	] as [Codec, unknown][])("shows %j", (codec, codecProps) => {
		expect(show(codec)).toEqual({ codec: codec.name, codecProps });
	});

	it("shows what the session description says of AV1 and VP9", () => {
		expect(show({ name: "AV1" }, { fmtp: "profile=1; level-idx=8; tier=1" }).codecProps).toEqual({
			width: 0,
			height: 0,
			profile: 1,
			level: 8,
			tier: 1,
		});
		expect(show({ name: "VP9" }, { fmtp: "profile-id=2" }).codecProps).toEqual({ profile: 2 });
		expect(show({ name: "VP9" }, { fmtp: "profile-id=x" }).codecProps).toEqual({ profile: 0 });
	});

	it("names AAC in LATM as MediaMTX does", () => {
		const config = bytesOfHex("1210");
		expect(show({ name: "MPEG-4 Audio", config }, { encoding: "MP4A-LATM/44100/2" })).toEqual({
			codec: "MPEG-4 Audio LATM",
			codecProps: null,
		});
	});
});

import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec } from "./codec.ts";
import { codecString } from "./codec-string.ts";
import { parseVp9KeyFrame } from "./vp9.ts";

const h264 = (sps: string | null): Codec => ({ name: "H264", sps: sps === null ? null : bytesOfHex(sps), pps: null });
const h265 = (sps: string | null): Codec => ({
	...{ name: "H265", vps: null, pps: null },
	sps: sps === null ? null : bytesOfHex(sps),
});

const av1 = (sequenceHeader: string): Codec => ({ name: "AV1", sequenceHeader: bytesOfHex(sequenceHeader) });
const vp9 = (keyFrame: string): Codec => ({ name: "VP9", picture: parseVp9KeyFrame(bytesOfHex(keyFrame)) });

// The headers of AV1 and VP9 are those of av1-sequence.test.ts and vp9.test.ts; the bindings to ISO files have the rules.
// The parameter sets are those of h264.test.ts and h265.test.ts; ISO 14496-15 §E.3 has the rules.
test.each<[string, Codec, string | null]>([
	["H.264 High", h264("67640028acd940780227e5c044000003000400000300f03c60c658"), "avc1.640028"],
	["H.264 Constrained Baseline", h264("6742c00bd902847e5c0440000003004000000c83c50a92"), "avc1.42C00B"],
	["H.264 before its parameter sets", h264(null), null],
	[
		"H.265 Main",
		h265("420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000f04"),
		"hvc1.1.6.L120.90",
	],
	[
		"H.265 Main 10",
		h265("42010102200000030090000003000003003ca01520207248d96566924caf01680800001f480003a98040"),
		"hvc1.2.4.L60.90",
	],
	[
		"H.265 of the high tier, with two bytes of constraints",
		h265("4201012408000003009e080000030000999000a0402d2cb2b349272bc05a020000030002000003006410"),
		"hvc1.4.10.H153.9E.08",
	],
	["H.265 before its parameter sets", h265(null), null],
	["AV1", av1("080000000cc4ff6736be4010"), "av01.0.01M.08"],
	["AV1 of 10 bits in HDR", av1("0800000062efbfe1bcfbf95091009040"), "av01.0.12M.10.0.110.09.16.09.0"],
	["AV1 in RGB", av1("08200000043cfeccdaf92021a004"), "av01.1.00M.08.0.000.01.13.00.1"],
	["AV1 in grey", av1("08000000043cfeccdaf92a"), "av01.0.00M.08.1.110.02.02.02.1"],
	["AV1 before its first key frame", { name: "AV1" }, null],
	["VP9", vp9("824983420027f016760438241c184a10"), "vp09.00.30.08"],
	["VP9 of 10 bits, 4:4:4 of full range", vp9("b124c1a11400a0805ab011c120e0c2c0"), "vp09.03.20.10.03.02.02.01.01"],
	["VP9 of 12 bits of 4:2:2", vp9("b124c1a14200a0805ab021c120e0c2e0"), "vp09.03.20.12.02.02.02.02.00"],
	["VP9 before its first key frame", { name: "VP9" }, null],
	["VP8", { name: "VP8" }, null],
	["AAC-LC", { name: "MPEG-4 Audio", config: bytesOfHex("1190") }, "mp4a.40.2"],
	["Opus", { name: "Opus", channels: 2 }, "opus"],
	["G.711", { name: "G711", law: "a", sampleRate: 8_000, channels: 1 }, null],
	["anything else", { name: "Generic" }, null],
])("%s", (_, codec, expected) => {
	expect(codecString(codec)).toBe(expected);
});

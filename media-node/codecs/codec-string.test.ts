import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec } from "./codec.ts";
import { codecString } from "./codec-string.ts";

const h264 = (sps: string | null): Codec => ({ name: "H264", sps: sps === null ? null : bytesOfHex(sps), pps: null });
const h265 = (sps: string | null): Codec => ({
	...{ name: "H265", vps: null, pps: null },
	sps: sps === null ? null : bytesOfHex(sps),
});

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
	["AAC-LC", { name: "MPEG-4 Audio", config: bytesOfHex("1190") }, "mp4a.40.2"],
	["Opus", { name: "Opus", channels: 2 }, "opus"],
	["G.711", { name: "G711", law: "a", sampleRate: 8_000, channels: 1 }, null],
	["anything else", { name: "Generic" }, null],
])("%s", (_, codec, expected) => {
	expect(codecString(codec)).toBe(expected);
});

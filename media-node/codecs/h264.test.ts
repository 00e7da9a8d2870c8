import { describe, expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { BitWriter } from "../../test/support/bit-writer.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { isH264RandomAccess, parseH264Sps } from "./h264.ts";

/**
 * Made by x264 with `ffmpeg -f lavfi -i testsrc2=size=SIZE:rate=RATE:duration=0.2 -c:v libx264 OPTIONS a.264`. What is
 * expected is what ffprobe says of the files.
 */
const SAMPLES = [
	{
		name: "1920x1080 at 30",
		sps: "67640028acd940780227e5c044000003000400000300f03c60c658",
		fields: { profile: 100, constraints: 0, level: 40, width: 1920, height: 1080, frameRate: 30, reorderFrames: 2 },
		chroma: [1, 8, 8],
		progressive: true,
	},
	{
		name: "-profile:v baseline -bf 0",
		sps: "6742c00bd902847e5c0440000003004000000c83c50a92",
		fields: { profile: 66, constraints: 192, level: 11, width: 160, height: 120, frameRate: 25, reorderFrames: 0 },
		chroma: [1, 8, 8],
		progressive: true,
	},
	{
		name: "-flags +ildct+ilme",
		sps: "6764001eacd940b424d8088000000300800000190f8a14cb",
		fields: { profile: 100, constraints: 0, level: 30, width: 720, height: 576, frameRate: 25, reorderFrames: 2 },
		chroma: [1, 8, 8],
		progressive: false,
	},
	{
		name: "-pix_fmt yuv444p",
		sps: "67f4000b919b28588f1f3e022000007d20001d4c01e28532c0",
		fields: {
			profile: 244,
			constraints: 0,
			level: 11,
			width: 162,
			height: 122,
			frameRate: 30_000 / 1_001,
			reorderFrames: 2,
		},
		chroma: [3, 8, 8],
		progressive: true,
	},
	{
		name: "-pix_fmt yuv422p10le",
		sps: "677a001fb6cd940a02ff89c044000003000400000301e03c60c658",
		fields: { profile: 122, constraints: 0, level: 31, width: 640, height: 360, frameRate: 60, reorderFrames: 2 },
		chroma: [2, 10, 10],
		progressive: true,
	},
	{
		name: "-x264-params nal-hrd=cbr",
		sps: "6764001eacd940a02ff9701100000300010000030032602001e840007a13930c01e2c5b2c0",
		fields: { profile: 100, constraints: 0, level: 30, width: 640, height: 360, frameRate: 25, reorderFrames: 2 },
		chroma: [1, 8, 8],
		progressive: true,
	},
	{
		name: "-pix_fmt gray",
		sps: "6764000bf3650b11e3e7c05b20000003002000000641e28532c0",
		fields: { profile: 100, constraints: 0, level: 11, width: 162, height: 122, frameRate: 25, reorderFrames: 2 },
		chroma: [0, 8, 8],
		progressive: true,
	},
];

describe("parseH264Sps", () => {
	test.each(SAMPLES)("reads $name", ({ sps, fields, chroma, progressive }) => {
		const [chromaFormat, bitDepthLuma, bitDepthChroma] = chroma;
		expect(parseH264Sps(bytesOfHex(sps))).toEqual({
			...fields,
			chromaFormat,
			bitDepthLuma,
			bitDepthChroma,
			progressive,
		});
	});

	test("reads over scaling lists and picture order counts of type 1", () => {
		const sps = new BitWriter().u(8, 0x67).u(8, 100).u(8, 0).u(8, 31);
		sps.ue(0, 1, 0, 0).u(1, 0); // id, 4:2:0, 8 bits
		// A list that ends early, one with all deltas, one of 64; the others are absent.
		sps
			.u(1, 1)
			.u(1, 1)
			.se(-8)
			.u(1, 1)
			.se(...new Array<number>(16).fill(1))
			.u(4, 0)
			.u(1, 1);
		sps.se(...new Array<number>(64).fill(0)).u(1, 0);
		sps.ue(0, 1).u(1, 0).se(-2, 3).ue(2).se(4, -5); // order count type 1 with a cycle of two
		sps.ue(3).u(1, 0).ue(39, 29).u(1, 1).u(1, 1).u(1, 0).u(1, 0); // 640x480, not cropped, no VUI
		expect(parseH264Sps(sps.bytes())).toMatchObject({ width: 640, height: 480, reorderFrames: 3, frameRate: null });
	});

	test.each([
		["type 2 has no reordering", 66 + 11, 2, 4, 0],
		["baseline has none", 66, 0, 4, 0],
		["one reference allows for one", 77, 0, 1, 1],
		["no more than four are assumed", 77, 0, 16, 4],
	])("where it is not told, %s", (_, profile, orderType, references, expected) => {
		expect(parseH264Sps(simpleSps({ profile, orderType, references })).reorderFrames).toBe(expected);
	});

	test.each([
		["a width beyond any level", { width: 1_056 }],
		["a width of 2^32 macroblocks", { width: 2 ** 32 - 1 }],
		["cropping of the whole width", { crop: [40, 40, 0, 0] }],
		["cropping of more than the height", { crop: [0, 0, 2 ** 31, 2 ** 31] }],
		["an unknown order count type", { orderType: 3 }],
		["more references than there can be", { references: 17 }],
	])("refuses %s", (_, fields) => {
		expect(() => parseH264Sps(simpleSps(fields))).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});

	test("takes the largest picture, and cropping that leaves two pixels", () => {
		expect(parseH264Sps(simpleSps({ width: 1_055 })).width).toBe(16_880);
		expect(parseH264Sps(simpleSps({ width: 10, crop: [39, 40, 0, 0] })).width).toBe(2);
	});

	test("every truncation is refused, or still gives the size of the picture", () => {
		for (const { sps, fields } of SAMPLES) {
			const bytes = bytesOfHex(sps);
			for (let length = 0; length < bytes.length; length++) {
				try {
					expect(parseH264Sps(bytes.subarray(0, length))).toMatchObject({ width: fields.width, height: fields.height });
				} catch (error) {
					expect(error).toBeInstanceOf(ProtocolError);
				}
			}
		}
	});
});

/** Main profile without VUI; width in macroblocks, cropping in units of two pixels. */
function simpleSps({ profile = 77, orderType = 0, references = 1, width = 10, crop = [0, 0, 0, 0] }): Uint8Array {
	const sps = new BitWriter().u(8, 0x67).u(8, profile).u(8, 0).u(8, 31).ue(0, 0, orderType);
	if (orderType === 0) sps.ue(0);
	return sps
		.ue(references)
		.u(1, 0)
		.ue(width - 1, 9)
		.u(1, 1)
		.u(1, 1)
		.u(1, 1)
		.ue(...crop)
		.u(1, 0)
		.bytes();
}

describe("isH264RandomAccess", () => {
	test.each([
		["an IDR slice", "65 88", true],
		["another slice", "41 9a", false],
		["a recovery point", "06 06 01 c4 80", true],
		["a recovery point behind another message", "06 05 02 aa bb 06 01 c4 80", true],
		["a recovery point behind one with emulation prevention", "06 05 04 00 00 03 01 ff 06 01 c4 80", true],
		["a recovery point behind one of 256 bytes", `06 05 ff 01 ${"aa".repeat(256)} 06 01 c4 80`, true],
		["another message that holds what looks like one", "06 05 03 06 01 c4 80", false],
		["a message that ends early", "06 05 ff", false],
		["an SEI without message", "06", false],
		["parameter sets", "67 64 00 28", false],
		["nothing", "", false],
	])("%s", (_, nal, expected) => {
		expect(isH264RandomAccess(bytesOfHex(nal))).toBe(expected);
	});
});

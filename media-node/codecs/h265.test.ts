import { describe, expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { BitWriter } from "../../test/support/bit-writer.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { isH265RandomAccess, parseH265Sps } from "./h265.ts";

/**
 * Made by x265 with `ffmpeg -f lavfi -i testsrc2=size=SIZE:rate=RATE:duration=0.2 -c:v libx265 OPTIONS a.265`. What is
 * expected is what ffprobe says of the files.
 */
const SAMPLES = [
	{
		name: "1920x1080 at 30",
		sps: "420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000f04",
		fields: { width: 1920, height: 1080, frameRate: 30, reorderFrames: 2, temporalLayers: 1, temporalIdNested: true },
		chroma: [1, 8, 8],
		profile: "016000000090000000000078",
	},
	{
		name: "-pix_fmt yuv420p10le",
		sps: "42010102200000030090000003000003003ca01520207248d96566924caf01680800001f480003a98040",
		fields: {
			...{ width: 162, height: 122, frameRate: 30_000 / 1_001, reorderFrames: 2 },
			...{ temporalLayers: 1, temporalIdNested: true },
		},
		chroma: [1, 10, 10],
		profile: "02200000009000000000003c",
	},
	{
		name: "-pix_fmt yuv422p10le -x265-params hrd=1",
		sps: "4201010408000003009d0800000300003fb005020169365959a4932bc05a0200000300020000030032c0192cbc003d08000f4264",
		fields: { width: 640, height: 360, frameRate: 25, reorderFrames: 2, temporalLayers: 1, temporalIdNested: true },
		chroma: [2, 10, 10],
		profile: "0408000000 9d0800000000 3f",
	},
	{
		name: "-pix_fmt yuv444p -x265-params scaling-list=default:high-tier=1:level-idc=5.1",
		sps: "4201012408000003009e080000030000999000a0402d2cb2b349272bc05a020000030002000003006410",
		fields: { width: 640, height: 360, frameRate: 50, reorderFrames: 2, temporalLayers: 1, temporalIdNested: true },
		chroma: [3, 8, 8],
		profile: "2408000000 9e0800000000 99",
	},
	{
		name: "-x265-params temporal-layers=1",
		sps: "42010201600000030090000003000003003f0000a005020169659594acb24995e02d010000030001000003001908",
		fields: { width: 640, height: 360, frameRate: 25, reorderFrames: 2, temporalLayers: 2, temporalIdNested: false },
		chroma: [1, 8, 8],
		profile: "01600000009000000000003f",
	},
];

describe("parseH265Sps", () => {
	test.each(SAMPLES)("reads $name", ({ sps, fields, chroma, profile }) => {
		const [chromaFormat, bitDepthLuma, bitDepthChroma] = chroma;
		expect(parseH265Sps(bytesOfHex(sps))).toEqual({
			...fields,
			...{ chromaFormat, bitDepthLuma, bitDepthChroma },
			profileTierLevel: bytesOfHex(profile),
		});
	});

	test("reads over all that may stand before the frame rate", () => {
		const sps = beginSps().u(1, 1).ue(1, 0, 2, 0); // ordering told for each of one sub-layer: 1, 0, 2
		sps.ue(0, 0, 0, 0, 0).u(1, 1).u(1, 1);
		for (let size = 0; size < 4; size++) {
			for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
				if (matrix === 0) sps.u(1, 0).ue(0);
				else if (size > 1) sps.u(1, 1).se(8, ...new Array<number>(64).fill(1));
				else sps.u(1, 1).se(...new Array<number>(size === 0 ? 16 : 64).fill(-1));
			}
		}
		sps.u(2, 3).u(1, 1).u(8, 0x77).ue(0, 0).u(1, 1); // amp, sao, pcm
		sps.ue(3).ue(2, 1).ue(0).u(1, 1).ue(0).u(1, 0).ue(0).u(1, 1); // a set of three
		sps.u(1, 1).u(1, 0).ue(0).u(1, 1).u(2, 1).u(2, 0).u(1, 1); // from it, one of three: the third is not kept
		sps.u(1, 1).u(1, 1).ue(4).u(4, 0xf); // from that, one of four
		sps.u(1, 1).ue(2).u(17, 1).u(17, 0); // two long-term pictures of 16 bits and a flag
		sps.u(2, 3).u(1, 1); // VUI
		sps.u(1, 1).u(8, 255).u(32, 0x00010001).u(1, 1).u(1, 0); // sample aspect ratio, overscan
		sps.u(1, 1).u(4, 0).u(1, 1).u(24, 0x010101).u(1, 1).ue(0, 0).u(3, 0).u(1, 1).ue(1, 2, 3, 4);
		sps.u(1, 1).u(32, 1_001).u(32, 60_000).u(1, 0);
		expect(parseH265Sps(sps.bytes())).toMatchObject({
			width: 64,
			height: 64,
			frameRate: 60_000 / 1_001,
			reorderFrames: 0,
		});
	});

	test.each([
		["more sub-layers than there can be", beginSps({ subLayers: 7 })],
		["a width beyond any level", beginSps({ width: 16_889 }).u(1, 1).ue(0, 0, 0)],
		["no width", beginSps({ width: 0 }).u(1, 1).ue(0, 0, 0)],
		["deeper reordering than there can be", beginSps().u(1, 1).ue(0, 16, 0)],
	])("refuses %s", (_, sps) => {
		expect(() => parseH265Sps(sps.bytes())).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});

	test("every truncation is refused, or still gives the size of the picture", () => {
		for (const { sps, fields } of SAMPLES) {
			const bytes = bytesOfHex(sps);
			for (let length = 0; length < bytes.length; length++) {
				try {
					expect(parseH265Sps(bytes.subarray(0, length))).toMatchObject({ width: fields.width, height: fields.height });
				} catch (error) {
					expect(error).toBeInstanceOf(ProtocolError);
				}
			}
		}
	});
});

/** Up to `log2_max_pic_order_cnt_lsb_minus4`, which says 16 bits. No emulation prevention is needed. */
function beginSps({ subLayers = 0, width = 64 } = {}): BitWriter {
	const sps = new BitWriter().u(16, 0x4201).u(4, 0).u(3, subLayers).u(1, 1);
	for (let i = 0; i < 12; i++) sps.u(8, 0x55);
	return sps.ue(0, 1, width, 64).u(1, 0).ue(0, 0, 12);
}

describe("isH265RandomAccess", () => {
	test.each([
		["IDR", 19, true],
		["BLA", 16, true],
		["CRA", 21, true],
		["reserved", 22, false],
		["a leading picture", 9, false],
		["a trailing picture", 1, false],
		["a parameter set", 33, false],
	])("%s", (_, type, expected) => {
		expect(isH265RandomAccess(Uint8Array.of(type << 1, 1, 0x80))).toBe(expected);
	});

	test("nothing is none", () => {
		expect(isH265RandomAccess(new Uint8Array(0))).toBe(false);
	});
});

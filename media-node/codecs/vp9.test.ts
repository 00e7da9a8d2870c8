import { describe, expect, it } from "vitest";
import { hasCode } from "#shared/problem.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { isVp9KeyFrame, parseVp9KeyFrame, sameVp9Picture, type Vp9Picture, vp9Level } from "./vp9.ts";

/** How frames begin that ffmpeg's libvpx-vp9 made of `testsrc2`. */
const FRAMES: readonly { name: string; hex: string; says: Vp9Picture }[] = [
	{
		name: "8 bits of 4:2:0",
		hex: "824983420027f016760438241c184a10",
		says: picture({ width: 640, height: 360 }),
	},
	{
		name: "10 bits of 4:4:4, BT.709 of full range",
		hex: "b124c1a11400a0805ab011c120e0c2c0",
		says: picture({
			profile: 3,
			bitDepth: 10,
			subsamplingX: false,
			subsamplingY: false,
			colorSpace: 2,
			fullRange: true,
		}),
	},
	{
		name: "RGB",
		hex: "a2498342e014100b560438241c184a00",
		says: picture({ profile: 1, subsamplingX: false, subsamplingY: false, colorSpace: 7, fullRange: true }),
	},
	{
		name: "12 bits of 4:2:2",
		hex: "b124c1a14200a0805ab021c120e0c2e0",
		says: picture({ profile: 3, bitDepth: 12, subsamplingY: false }),
	},
	{
		name: "4:4:0",
		hex: "a2498342040282016ac0870483830940",
		says: picture({ profile: 1, subsamplingX: false }),
	},
	{
		name: "10 bits of 4:2:0, BT.2020",
		hex: "92498342500a0805ab011c120e0c2c00",
		says: picture({ profile: 2, bitDepth: 10, colorSpace: 5 }),
	},
];

function picture(says: Partial<Vp9Picture>): Vp9Picture {
	const usual = { profile: 0, width: 322, height: 182, bitDepth: 8, colorSpace: 0, fullRange: false } as const;
	return { ...usual, subsamplingX: true, subsamplingY: true, ...says };
}

describe("the header of a key frame", () => {
	it.each(FRAMES)("tells $name", ({ hex, says }) => {
		expect(parseVp9KeyFrame(bytesOfHex(hex))).toEqual(says);
	});

	it.each(FRAMES)("is refused when it is cut off, of $name", ({ hex, says }) => {
		const whole = bytesOfHex(hex);
		for (let length = 0; length < whole.length; length++) {
			const read = () => parseVp9KeyFrame(whole.subarray(0, length));
			if (length < 8) expect(read).toThrow(expect.toSatisfy((error) => hasCode(error, "bytes.truncated")));
			else if (length > 9) expect(read()).toEqual(says);
		}
	});

	it.each([
		{ name: "is none of VP9", hex: "424983420027f016760438241c184a10" },
		{ name: "is of another frame", hex: "864983420027f016760438241c184a10" },
		{ name: "is without its sync code", hex: "824983430027f016760438241c184a10" },
		{ name: "is of a profile above 3", hex: "b924c1a11400a0805ab011c120e0c2c0" },
		{ name: "is RGB in a profile that has none", hex: "82498342e014100b560438241c184a00" },
		{ name: "is of a picture that nobody makes", hex: "824983420ffffffff604382400000000" },
	])("is refused when it $name", ({ hex }) => {
		const malformed = expect.toSatisfy((error) => hasCode(error, "bytes.malformed"));
		expect(() => parseVp9KeyFrame(bytesOfHex(hex))).toThrow(malformed);
	});

	it("tells key frames from others by the profile's own bits", () => {
		for (const { hex } of FRAMES) expect(isVp9KeyFrame(bytesOfHex(hex))).toBe(true);
		for (const hex of ["86", "8a", "a6", "b2", "b4", "42"]) expect(isVp9KeyFrame(bytesOfHex(hex))).toBe(false);
	});

	it("is the same only where all of it is", () => {
		for (const { says } of FRAMES) {
			for (const other of FRAMES) expect(sameVp9Picture(says, { ...other.says })).toBe(says === other.says);
		}
	});
});

it.each([
	{ width: 256, height: 144, frameRate: 15, level: 10 },
	{ width: 640, height: 360, frameRate: 30, level: 21 },
	{ width: 1280, height: 720, frameRate: 30, level: 31 },
	{ width: 1280, height: 720, frameRate: 60, level: 40 },
	{ width: 1920, height: 1080, frameRate: 60, level: 41 },
	{ width: 3840, height: 2160, frameRate: 60, level: 51 },
	{ width: 3840, height: 2160, frameRate: 120, level: 52 },
	{ width: 7680, height: 4320, frameRate: 120, level: 62 },
])("needs level $level for $width by $height at $frameRate frames a second", ({ width, height, frameRate, level }) => {
	expect(vp9Level({ width, height }, frameRate)).toBe(level);
});

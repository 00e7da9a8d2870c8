import { expect, it } from "vitest";
import { hasCode } from "#shared/problem.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { type Av1Sequence, parseAv1SequenceHeader } from "./av1-sequence.ts";

const UNKNOWN_COLOR = { primaries: 2, transfer: 2, matrix: 2, fullRange: false };
const USUAL: Av1Sequence = {
	profile: 0,
	level: 0,
	tier: 0,
	width: 320,
	height: 180,
	frameRate: null,
	bitDepth: 8,
	monochrome: false,
	subsamplingX: true,
	subsamplingY: true,
	chromaSamplePosition: 0,
	color: UNKNOWN_COLOR,
};

/** What ffmpeg's trace_headers tells of headers that encoders wrote; here without their size fields. */
const HEADERS: readonly { name: string; hex: string; says: Partial<Av1Sequence> }[] = [
	{ name: "libaom in real time", hex: "080000000cc4ff6736be4010", says: { level: 1, width: 640, height: 360 } },
	{
		name: "4:2:2 of 12 bits",
		hex: "08400000043cfeccdaf96220",
		says: { profile: 2, bitDepth: 12, subsamplingY: false },
	},
	{
		name: "RGB",
		hex: "08200000043cfeccdaf92021a004",
		says: {
			profile: 1,
			subsamplingX: false,
			subsamplingY: false,
			color: { primaries: 1, transfer: 13, matrix: 0, fullRange: true },
		},
	},
	{
		name: "grey",
		hex: "08000000043cfeccdaf92a",
		says: { monochrome: true, color: { ...UNKNOWN_COLOR, fullRange: true } },
	},
	{ name: "a still picture with a reduced header", hex: "081821e7f66d0040", says: {} },
	{
		name: "SVT-AV1 of 4K in HDR",
		hex: "0800000062efbfe1bcfbf95091009040",
		says: {
			level: 12,
			width: 3840,
			height: 2160,
			bitDepth: 10,
			color: { primaries: 9, transfer: 16, matrix: 9, fullRange: false },
		},
	},
	{ name: "rav1e without a level", hex: "08000000fa1e7f66210a88101010a0", says: { level: 31 } },
	{
		name: "a decoder model, whose frames may come at any time",
		hex: "08040000000400000079780000000a530000035f915f90bc3cfeccdaf90040",
		says: {},
	},
	{ name: "a constant rate", hex: "0804000000040000007b400000bc3cfeccdaf90040", says: { frameRate: 30 } },
	{ name: "an extension", hex: "0c28000000043cfeccdaf90040", says: {} },
];

it.each(HEADERS)("reads the sequence header of $name", ({ hex, says }) => {
	expect(parseAv1SequenceHeader(bytesOfHex(hex))).toEqual({ ...USUAL, ...says });
});

it.each(HEADERS)("reads the sequence header of $name, or refuses it, when it is cut off", ({ hex, says }) => {
	const whole = bytesOfHex(hex);
	let refused = 0;
	for (let length = 0; length < whole.length; length++) {
		try {
			expect(parseAv1SequenceHeader(whole.subarray(0, length))).toEqual({ ...USUAL, ...says });
		} catch (error) {
			if (!hasCode(error, "bytes.truncated")) throw error;
			refused++;
		}
	}
	expect(refused).toBeGreaterThan(4);
});

it.each([
	{ name: "a reserved profile", hex: "08600000043cfeccdaf90040" },
	{ name: "a picture of 65536 by 65536 pixels", hex: "08083fffffffffffff" },
])("refuses $name", ({ hex }) => {
	const malformed = expect.toSatisfy((error) => hasCode(error, "bytes.malformed"));
	expect(() => parseAv1SequenceHeader(bytesOfHex(hex))).toThrow(malformed);
});

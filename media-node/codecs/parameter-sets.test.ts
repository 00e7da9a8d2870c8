import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec, H264Codec, H265Codec, Mpeg4VideoCodec } from "./codec.ts";
import { withParameterSets } from "./parameter-sets.ts";

const SPS = bytesOfHex("67640028acd940780227e5c044000003000400000300f03c60c658");
const OTHER_SPS = bytesOfHex("6742c00bd902847e5c0440000003004000000c83c50a92");
const PPS = bytesOfHex("68ebe3cb22c0");
const SLICE = bytesOfHex("6588840a");
const NONE: H264Codec = { name: "H264", sps: null, pps: null };
const KNOWN: H264Codec = { name: "H264", sps: SPS, pps: PPS };

describe("withParameterSets", () => {
	test("takes a copy of the configuration that stands before an MPEG-4 VOP", () => {
		const unknown: Mpeg4VideoCodec = { name: "MPEG-4 Video", config: null };
		const frame = bytesOfHex("000001b001 0000012000c4 000001b610");
		const codec = withParameterSets(unknown, [frame]);
		expect(codec).toEqual({ ...unknown, config: bytesOfHex("000001b001 0000012000c4") });
		expect(withParameterSets(codec, [frame])).toBe(codec);
		expect(withParameterSets(codec, [bytesOfHex("000001b610")])).toBe(codec);
		expect(withParameterSets(codec, [])).toBe(codec);
		frame.fill(0);
		expect(codec.config).toEqual(bytesOfHex("000001b001 0000012000c4"));
	});

	test("takes copies of what an access unit brings", () => {
		const bytes = SPS.slice();
		const codec = withParameterSets(NONE, [bytes, PPS, SLICE]);
		bytes.fill(0);
		expect(codec).toEqual(KNOWN);
	});

	test("gives the same object when nothing is new", () => {
		expect(withParameterSets(KNOWN, [SPS.slice(), PPS.slice(), SLICE])).toBe(KNOWN);
		expect(withParameterSets(KNOWN, [SLICE, new Uint8Array(0)])).toBe(KNOWN);
	});

	test("keeps what is not brought", () => {
		expect(withParameterSets(KNOWN, [OTHER_SPS])).toEqual({ ...KNOWN, sps: OTHER_SPS });
	});

	test("of several of a kind the first counts, so that two that take turns are no change", () => {
		const other = bytesOfHex("6849e3cb22c0");
		expect(withParameterSets(KNOWN, [PPS, other])).toBe(KNOWN);
	});

	test("a sequence parameter set that does not parse counts for nothing", () => {
		expect(withParameterSets(KNOWN, [SPS.subarray(0, 8)])).toBe(KNOWN);
		expect(withParameterSets(NONE, [SPS.subarray(0, 8)])).toBe(NONE);
	});

	test("knows the three sets of H.265", () => {
		const none: H265Codec = { name: "H265", vps: null, sps: null, pps: null };
		const vps = bytesOfHex("40010c01ffff01600000030090000003000003003c95c090");
		const sps = bytesOfHex("420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000f04");
		const pps = bytesOfHex("4401c172b46240");
		const codec = withParameterSets(none, [vps, sps, pps]);
		expect(codec).toEqual({ name: "H265", vps, sps, pps });
		expect(withParameterSets(codec, [vps, sps, pps])).toBe(codec);
	});

	test("takes the sequence header of an AV1 key frame as a copy, and keeps it until there is another one that parses", () => {
		const unknown: Codec = { name: "AV1" };
		const header = bytesOfHex("080000000cc4ff6736be4010");
		const frame = bytesOfHex("3010");
		const bytes = header.slice();
		const codec = withParameterSets(unknown, [bytes, frame]);
		bytes.fill(0);
		expect(codec).toEqual({ name: "AV1", sequenceHeader: header });
		expect(withParameterSets(codec, [header, frame])).toBe(codec);
		expect(withParameterSets(codec, [new Uint8Array(0), frame])).toBe(codec);
		expect(withParameterSets(codec, [header.subarray(0, 6), frame])).toBe(codec);
		expect(withParameterSets(unknown, [header.subarray(0, 6), frame])).toBe(unknown);
		const other = bytesOfHex("0800000062efbfe1bcfbf95091009040");
		expect(withParameterSets(codec, [other, frame])).toEqual({ name: "AV1", sequenceHeader: other });
	});

	test("takes what a VP9 key frame says of its pictures", () => {
		const unknown: Codec = { name: "VP9" };
		const key = bytesOfHex("824983420027f016760438241c184a10");
		const codec = withParameterSets(unknown, [key]);
		expect(codec).toMatchObject({ name: "VP9", picture: { width: 640, height: 360 } });
		// Another frame with its own bits: error_resilient_mode, and what follows the size.
		expect(withParameterSets(codec, [bytesOfHex("834983420027f0167ffff00000000000")])).toBe(codec);
		expect(withParameterSets(codec, [bytesOfHex("8600")])).toBe(codec);
		expect(withParameterSets(codec, [key.subarray(0, 6)])).toBe(codec);
		expect(withParameterSets(codec, [])).toBe(codec);
		expect(withParameterSets(unknown, [new Uint8Array(0)])).toBe(unknown);
		const larger = bytesOfHex("82498342004ff02cf60438241c184a10");
		expect(withParameterSets(codec, [larger])).toMatchObject({ picture: { width: 1280, height: 720 } });
	});

	test("other codecs have none", () => {
		const opus = { name: "Opus", channels: 2 } as const;
		expect(withParameterSets(opus, [SPS])).toBe(opus);
	});
});

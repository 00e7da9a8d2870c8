import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { parseAdtsHeader, parseAudioSpecificConfig } from "../../media-node/codecs/aac.ts";
import { splitAnnexB } from "../../media-node/codecs/annexb.ts";
import { parseAv1SequenceHeader } from "../../media-node/codecs/av1-sequence.ts";
import type { Av1Codec } from "../../media-node/codecs/codec.ts";
import { codecString } from "../../media-node/codecs/codec-string.ts";
import { DtsExtractor } from "../../media-node/codecs/dts.ts";
import { isH264RandomAccess, parseH264Sps } from "../../media-node/codecs/h264.ts";
import { parseH265Sps } from "../../media-node/codecs/h265.ts";
import { opusSamples } from "../../media-node/codecs/opus.ts";
import { withParameterSets } from "../../media-node/codecs/parameter-sets.ts";
import { MAX_PICTURE_SIZE } from "../../media-node/codecs/video-limits.ts";
import { parseVp9KeyFrame } from "../../media-node/codecs/vp9.ts";
import { initSegment } from "../../media-node/mp4/init-segment.ts";
import { type SampleEntry, sampleEntryOf } from "../../media-node/mp4/sample-entry.ts";
import { readBoxes } from "../support/fragment-reader.ts";
import { bytesOfHex } from "../support/hex.ts";
import { mutated } from "../support/mutate.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const H264_SPS = [
	"67640028acd940780227e5c044000003000400000300f03c60c658",
	"6764001eacd940a02ff9701100000300010000030032602001e840007a13930c01e2c5b2c0",
	"67f4000b919b28588f1f3e022000007d20001d4c01e28532c0",
].map(bytesOfHex);
const H265_SPS = [
	"420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000f04",
	"4201010408000003009d0800000300003fb005020169365959a4932bc05a0200000300020000030032c0192cbc003d08000f4264",
	"42010201600000030090000003000003003f0000a005020169659594acb24995e02d010000030001000003001908",
].map(bytesOfHex);

/** Runs `parse` on many damaged inputs: it gives a value that `check` accepts, or throws a ProtocolError. */
function fuzz<T>(seeds: readonly Uint8Array[], parse: (bytes: Uint8Array) => T, check: (value: T) => void): void {
	fc.assert(
		fc.property(mutated(seeds), (bytes) => {
			let value: T;
			try {
				value = parse(bytes);
			} catch (error) {
				expect(error).toBeInstanceOf(ProtocolError);
				return;
			}
			check(value);
		}),
		{ seed, numRuns: 10_000 },
	);
}

test("H.264 parameter sets give a picture and an order that are possible", () => {
	fuzz(H264_SPS, parseH264Sps, ({ width, height, reorderFrames }) => {
		expect(Math.min(width, height)).toBeGreaterThan(0);
		expect(Math.max(width, height)).toBeLessThanOrEqual(MAX_PICTURE_SIZE);
		expect(reorderFrames).toBeLessThanOrEqual(16);
	});
});

test("H.265 parameter sets give a picture and an order that are possible", () => {
	fuzz(H265_SPS, parseH265Sps, ({ width, height, reorderFrames, profileTierLevel }) => {
		expect(Math.min(width, height)).toBeGreaterThan(0);
		expect(Math.max(width, height)).toBeLessThanOrEqual(MAX_PICTURE_SIZE);
		expect(reorderFrames).toBeLessThanOrEqual(15);
		expect(profileTierLevel.length).toBe(12);
	});
});

const AV1_HEADERS = [
	"080000000cc4ff6736be4010",
	"08400000043cfeccdaf96220",
	"08040000000400000079780000000a530000035f915f90bc3cfeccdaf90040",
].map(bytesOfHex);
const VP9_FRAMES = ["824983420027f016760438241c184a10", "b124c1a11400a0805ab011c120e0c2c0"].map(bytesOfHex);

test("AV1 and VP9 headers give a picture that is possible", () => {
	const check = ({ width, height }: { width: number; height: number }) => {
		expect(Math.min(width, height)).toBeGreaterThan(0);
		expect(Math.max(width, height)).toBeLessThanOrEqual(MAX_PICTURE_SIZE);
	};
	fuzz(AV1_HEADERS, parseAv1SequenceHeader, check);
	fuzz(VP9_FRAMES, parseVp9KeyFrame, check);
});

test("AV1 headers that are taken into a codec always give a codec string, and boxes of its lengths", () => {
	fuzz(
		AV1_HEADERS,
		(obu) => withParameterSets<Av1Codec>({ name: "AV1" }, [obu]),
		(codec) => {
			if (codec.sequenceHeader === undefined) return;
			expect(codecString(codec)).toMatch(/^av01\.[0-2]\.\d\d[MH]\.(08|10|12)(\.[01]\.\d{3}(\.\d{2,3}){3}\.[01])?$/);
			const init = initSegment(sampleEntryOf(codec) as SampleEntry, 90_000);
			expect(readBoxes(init).map(({ type }) => type)).toEqual(["ftyp", "moov"]);
		},
	);
});

test("AAC configurations and headers give a rate and channels that are possible", () => {
	const configs = ["1190", "178007d010", "2b118800", "eb098800", "131056e598"].map(bytesOfHex);
	const check = ({ sampleRate, channels }: { sampleRate: number; channels: number }) => {
		expect(sampleRate).toBeGreaterThan(0);
		expect(channels).toBeGreaterThan(0);
		expect(channels).toBeLessThanOrEqual(8);
	};
	fuzz(configs, parseAudioSpecificConfig, check);
	fuzz([bytesOfHex("fff150800bfffc00")], parseAdtsHeader, check);
});

test("parameter sets that are taken into a codec always give a codec string", () => {
	fuzz(
		[...H264_SPS, ...H265_SPS],
		(nal) => [
			withParameterSets({ name: "H264", sps: null, pps: null }, [nal]),
			withParameterSets({ name: "H265", vps: null, sps: null, pps: null }, [nal]),
		],
		(codecs) => {
			for (const codec of codecs) expect(codecString(codec) === null).toBe(codec.sps === null);
		},
	);
});

test("what only looks never throws", () => {
	const seeds = [
		...["060601c480", "0605ff01aabbcc060601c480", "f801", "ff06aa", "00000165880000014188"].map(bytesOfHex),
	];
	fc.assert(
		fc.property(mutated(seeds), (bytes) => {
			isH264RandomAccess(bytes);
			expect(opusSamples(bytes)).toBeLessThanOrEqual(5_760);
			for (const nal of splitAnnexB(bytes)) expect(nal.length).toBeGreaterThan(0);
		}),
		{ seed, numRuns: 10_000 },
	);
});

test("decoding times always increase, whatever presentation times and parameter sets come", () => {
	const event = fc.oneof(
		fc.integer({ min: -(2 ** 33), max: 2 ** 33 }),
		fc.integer({ min: 0, max: 90_000 }),
		mutated(H264_SPS),
	);
	fc.assert(
		fc.property(fc.array(event, { maxLength: 100 }), (events) => {
			const extractor = new DtsExtractor({ name: "H264", sps: null, pps: null });
			let last = Number.NEGATIVE_INFINITY;
			for (const value of events) {
				if (typeof value !== "number") {
					extractor.configure({ name: "H264", sps: value, pps: null });
					continue;
				}
				const dts = extractor.dtsOf(value);
				expect(dts).toBeGreaterThan(last);
				expect(Number.isSafeInteger(dts)).toBe(true);
				last = dts;
			}
		}),
		{ seed, numRuns: 3_000 },
	);
});

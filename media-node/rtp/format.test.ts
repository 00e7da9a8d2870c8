import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec } from "../codecs/codec.ts";
import { describeCodec, formatOf } from "./format.ts";

const SPS = bytesOfHex("67640028acd940780227e5c044000003000400000300f03c60c658");
const PPS = bytesOfHex("68ebe3cb22c0");
const H265_SPS = bytesOfHex("420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000f04");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

const codecOf = (rtpmap: string, fmtp = "") => formatOf({ payloadType: 96, rtpmap, fmtp })?.codec;
const GENERIC = { name: "Generic" };
const HBR = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3";

describe("formatOf", () => {
	test("reads the parameter sets of H.264, as ffmpeg writes them", () => {
		const fmtp = `packetization-mode=1; sprop-parameter-sets=${base64(SPS)},${base64(PPS)}; profile-level-id=640028`;
		expect(formatOf({ payloadType: 96, rtpmap: "H264/90000", fmtp })).toEqual({
			...{ codec: { name: "H264", sps: SPS, pps: PPS }, clockRate: 90_000, encoding: "H264/90000" },
		});
	});

	test.each([
		["none", ""],
		["no sets", "packetization-mode=1"],
		["what is not base64", "sprop-parameter-sets=,*,%%"],
		["sets that do not parse", "sprop-parameter-sets=Z0IA,ZQ=="],
		["a parameter without value", "sprop-parameter-sets"],
		["sets that are too long", `sprop-parameter-sets=${"A".repeat(8_193)}`],
	])("H.264 with parameters of %s waits for sets in the stream", (_, fmtp) => {
		expect(codecOf("H264/90000", fmtp)).toEqual({ name: "H264", sps: null, pps: null });
	});

	test("names are in any case, and spaces do not matter", () => {
		const fmtp = ` Sprop-Parameter-Sets = ${base64(PPS)} ;; SPROP-PARAMETER-SETS=x`;
		expect(codecOf(" h264/90000 ", fmtp)).toEqual({ name: "H264", sps: null, pps: PPS });
	});

	test("reads the parameter sets of H.265", () => {
		const vps = bytesOfHex("40010c01ffff01600000030090000003000003003c95c090");
		const pps = bytesOfHex("4401c172b46240");
		const fmtp = `sprop-vps=${base64(vps)}; sprop-sps=${base64(H265_SPS)}; sprop-pps=${base64(pps)}`;
		expect(codecOf("H265/90000", fmtp)).toEqual({ name: "H265", vps, sps: H265_SPS, pps });
	});

	test.each<[string, string, string, object]>([
		["AAC", "mpeg4-generic/48000/2", `${HBR};config=1190`, { name: "MPEG-4 Audio", config: bytesOfHex("1190") }],
		[
			"HE-AAC on the clock of its output",
			"MPEG4-GENERIC/48000/2",
			`${HBR};config=2B118800`,
			{ name: "MPEG-4 Audio", config: bytesOfHex("2b118800") },
		],
		["AAC without configuration", "MPEG4-GENERIC/48000/2", HBR, GENERIC],
		["AAC of a configuration that is damaged", "MPEG4-GENERIC/48000/2", `${HBR};config=11`, GENERIC],
		["AAC of a configuration that is not hexadecimal", "MPEG4-GENERIC/48000/2", `${HBR};config=11g0`, GENERIC],
		["AAC of another clock rate", "MPEG4-GENERIC/90000/2", `${HBR};config=1190`, GENERIC],
		["AAC of an unknown layout", "MPEG4-GENERIC/48000/2", "config=1190", GENERIC],
		["MPEG-4 audio that is not AAC", "MPEG4-GENERIC/8000/1", `${HBR};config=45c0`, GENERIC],
		["Opus", "opus/48000/2", "", { name: "Opus", channels: 1 }],
		["Opus in stereo", "opus/48000/2", "sprop-stereo=1", { name: "Opus", channels: 2 }],
		["Opus of another rate", "opus/44100/2", "", GENERIC],
		["A-law", "PCMA/8000", "", { name: "G711", law: "a", sampleRate: 8_000, channels: 1 }],
		["µ-law in stereo", "PCMU/16000/2", "", { name: "G711", law: "mu", sampleRate: 16_000, channels: 2 }],
		["A-law without channels", "PCMA/8000/0", "", GENERIC],
		["H.264 that is interleaved", "H264/90000", "packetization-mode=2", GENERIC],
		["H.264 of another clock rate", "H264/1000", "", GENERIC],
		["VP9", "VP9/90000", "", GENERIC],
		["metadata", "vnd.onvif.metadata/90000", "", GENERIC],
	])("%s", (_, rtpmap, fmtp, expected) => {
		expect(codecOf(rtpmap, fmtp)).toEqual(expected);
	});

	// RFC 3551 tables 4 and 5.
	test.each([
		[0, "PCMU/8000", 8_000, "G711"],
		[8, "PCMA/8000", 8_000, "G711"],
		[9, "G722/8000", 8_000, "Generic"],
		[14, "MPA/90000", 90_000, "Generic"],
		[26, "JPEG/90000", 90_000, "Generic"],
		[33, "MP2T/90000", 90_000, "Generic"],
	])("payload type %i needs no map", (payloadType, encoding, clockRate, name) => {
		const format = formatOf({ payloadType, rtpmap: null, fmtp: "" });
		expect(format).toMatchObject({ encoding, clockRate, codec: { name } });
	});

	test("a map is believed rather than the payload type", () => {
		expect(formatOf({ payloadType: 0, rtpmap: "PCMA/8000", fmtp: "" })?.codec).toMatchObject({ law: "a" });
	});

	test.each([
		["a payload type without meaning", 96, null],
		["no clock rate", 96, "H264"],
		["a clock rate of 0", 96, "H264/0"],
		["a clock rate beyond belief", 96, "H264/10000001"],
		["a clock rate that is not a number", 96, "H264/9e4"],
		["a name with spaces", 96, "H 264/90000"],
		["nothing", 96, ""],
	])("without a clock rate there is no format: %s", (_, payloadType, rtpmap) => {
		expect(formatOf({ payloadType, rtpmap, fmtp: "" })).toBeNull();
	});
});

describe("describeCodec", () => {
	test.each<[string, number, Codec]>([
		["H.264", 90_000, { name: "H264", sps: SPS, pps: PPS }],
		["H.264 before its sets", 90_000, { name: "H264", sps: null, pps: null }],
		["H.265", 90_000, { name: "H265", vps: bytesOfHex("4001"), sps: H265_SPS, pps: bytesOfHex("4401") }],
		["H.265 before its sets", 90_000, { name: "H265", vps: null, sps: null, pps: null }],
		["AAC", 48_000, { name: "MPEG-4 Audio", config: bytesOfHex("1190") }],
		["Opus", 48_000, { name: "Opus", channels: 1 }],
		["Opus in stereo", 48_000, { name: "Opus", channels: 2 }],
		["G.711", 8_000, { name: "G711", law: "mu", sampleRate: 8_000, channels: 1 }],
		["G.711 in stereo", 16_000, { name: "G711", law: "a", sampleRate: 16_000, channels: 2 }],
	])("%s is read back from how it is described", (_, clockRate, codec) => {
		const { encoding, fmtp } = describeCodec(codec, clockRate)!;
		expect(formatOf({ payloadType: 96, rtpmap: encoding, fmtp })).toEqual({ codec, clockRate, encoding });
	});

	test("is what players expect", () => {
		expect(describeCodec({ name: "MPEG-4 Audio", config: bytesOfHex("1190") }, 48_000)).toEqual({
			encoding: "mpeg4-generic/48000/2",
			fmtp: "streamtype=5; profile-level-id=1; mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3; config=1190",
		});
		expect(describeCodec({ name: "H264", sps: SPS, pps: PPS }, 90_000)?.fmtp).toContain("profile-level-id=640028");
	});

	test("there is nothing to say of what is only passed through", () => {
		expect(describeCodec({ name: "Generic" }, 90_000)).toBeNull();
	});
});

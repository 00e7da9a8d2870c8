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
const CHROME_51 = "channel_mapping=0,4,1,2,3,5;coupled_streams=2;minptime=10;num_streams=4;useinbandfec=1";
const LATM = "profile-level-id=1;cpresent=0;config=400023203fc0";

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
		["A-law of too many channels", "PCMA/8000/65", "", GENERIC],
		["Opus of six channels, as Chrome offers it", "multiopus/48000/6", CHROME_51, { name: "Opus", channels: 6 }],
		["Opus of four channels without more", "multiopus/48000/4", "", { name: "Opus", channels: 4 }],
		["Opus in another order", "multiopus/48000/6", "channel_mapping=0,1,2,3,4,5", GENERIC],
		["Opus of other streams", "multiopus/48000/4", "num_streams=3", GENERIC],
		["Opus of other pairs", "multiopus/48000/4", "coupled_streams=1", GENERIC],
		["Opus of nine channels", "multiopus/48000/9", "", GENERIC],
		["Opus of many channels and another rate", "multiopus/44100/6", "", GENERIC],
		["LATM, as ffmpeg writes it", "MP4A-LATM/48000/2", LATM, { name: "MPEG-4 Audio", config: bytesOfHex("1190") }],
		["LATM of another clock rate", "MP4A-LATM/90000/2", LATM, GENERIC],
		["LATM whose layout is only in the stream", "MP4A-LATM/48000", "cpresent=1", GENERIC],
		["LATM of a layout that is damaged", "MP4A-LATM/48000", "cpresent=0;config=4000", GENERIC],
		["MP3", "mpa/90000", "", { name: "MPEG-1/2 Audio" }],
		["MP3 of another clock rate", "MPA/44100", "", GENERIC],
		["AC-3", "AC3/48000/2", "", { name: "AC3", sampleRate: 48_000, channels: 2 }],
		["AC-3 without channels", "ac3/44100", "", { name: "AC3", sampleRate: 44_100, channels: 6 }],
		["AC-3 of too many channels", "ac3/44100/7", "", GENERIC],
		["G.722 in stereo", "G722/8000/2", "", { name: "G722", channels: 2 }],
		["G.722 on a clock of its own rate", "G722/16000", "", GENERIC],
		["G.726", "G726-24/8000", "", { name: "G726", bitRate: 24, packing: "rfc3551" }],
		["G.726 of ATM", "AAL2-G726-40/8000", "", { name: "G726", bitRate: 40, packing: "aal2" }],
		["G.726 in stereo", "G726-32/8000/2", "", GENERIC],
		["linear PCM of 8 bits", "L8/8000", "", { name: "LPCM", bitDepth: 8, sampleRate: 8_000, channels: 1 }],
		["linear PCM of 24 bits", "L24/96000/8", "", { name: "LPCM", bitDepth: 24, sampleRate: 96_000, channels: 8 }],
		["linear PCM without channels", "L16/48000/0", "", GENERIC],
		["KLV", "smpte336m/90000", "", { name: "KLV" }],
		["a transport stream of another clock rate", "MP2T/1000", "", GENERIC],
		["H.264 that is interleaved", "H264/90000", "packetization-mode=2", GENERIC],
		["H.264 of another clock rate", "H264/1000", "", GENERIC],
		["VP9", "VP9/90000", "", { name: "VP9" }],
		["metadata", "vnd.onvif.metadata/90000", "", GENERIC],
	])("%s", (_, rtpmap, fmtp, expected) => {
		expect(codecOf(rtpmap, fmtp)).toEqual(expected);
	});

	// RFC 3551 tables 4 and 5.
	test.each([
		[0, "PCMU/8000", 8_000, "G711"],
		[8, "PCMA/8000", 8_000, "G711"],
		[9, "G722/8000", 8_000, "G722"],
		[10, "L16/44100/2", 44_100, "LPCM"],
		[11, "L16/44100", 44_100, "LPCM"],
		[14, "MPA/90000", 90_000, "MPEG-1/2 Audio"],
		[26, "JPEG/90000", 90_000, "M-JPEG"],
		[33, "MP2T/90000", 90_000, "MPEG-TS"],
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
		["Opus of 3 channels", 48_000, { name: "Opus", channels: 3 }],
		["Opus of 8 channels", 48_000, { name: "Opus", channels: 8 }],
		["MP3", 90_000, { name: "MPEG-1/2 Audio" }],
		["AC-3", 48_000, { name: "AC3", sampleRate: 48_000, channels: 1 }],
		["G.722", 8_000, { name: "G722", channels: 1 }],
		["G.726", 8_000, { name: "G726", bitRate: 16, packing: "rfc3551" }],
		["G.726 of ATM", 8_000, { name: "G726", bitRate: 40, packing: "aal2" }],
		["linear PCM", 48_000, { name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 6 }],
		["KLV", 90_000, { name: "KLV" }],
		["a transport stream", 90_000, { name: "MPEG-TS" }],
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

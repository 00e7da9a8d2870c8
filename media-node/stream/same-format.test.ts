import { describe, expect, it } from "vitest";
import { AAC_TRACK, H264_PPS, H264_SPS, H264_TRACK } from "../../test/support/rtp-stream.ts";
import type { Codec } from "../codecs/codec.ts";
import { sameCodecs, sameFormats } from "./same-format.ts";
import type { Track } from "./track.ts";

const h264 = (sps: Uint8Array | null, pps: Uint8Array | null): Codec => ({ name: "H264", sps, pps });
const h265 = (vps: Uint8Array | null, sps: Uint8Array | null): Codec => ({ name: "H265", vps, sps, pps: null });
const a = H264_SPS;
const b = H264_PPS;

describe("the formats of two publishers", () => {
	it.each<[string, Codec, Codec, boolean]>([
		["the same parameter sets", h264(a, b), h264(a.slice(), b.slice()), true],
		["another parameter set", h264(a, b), h264(b, b), false],
		["parameter sets that one side does not know", h264(a, b), h264(null, null), true],
		["H265 sets", h265(a, b), h265(a, b), true],
		["another H265 set", h265(a, b), h265(b, b), false],
		["another codec", h264(null, null), h265(null, null), false],
		["the same AV1", { name: "AV1" }, { name: "AV1" }, true],
		["VP8 after VP9", { name: "VP9" }, { name: "VP8" }, false],
		["the same M-JPEG", { name: "M-JPEG" }, { name: "M-JPEG" }, true],
		["MPEG-2 after M-JPEG", { name: "M-JPEG" }, { name: "MPEG-1/2 Video" }, false],
		[
			"MPEG-4 Video that is not known",
			{ name: "MPEG-4 Video", config: a },
			{ name: "MPEG-4 Video", config: null },
			true,
		],
		["another MPEG-4 Video", { name: "MPEG-4 Video", config: a }, { name: "MPEG-4 Video", config: b }, false],
		["AAC", { name: "MPEG-4 Audio", config: a }, { name: "MPEG-4 Audio", config: a.slice() }, true],
		["another AAC configuration", { name: "MPEG-4 Audio", config: a }, { name: "MPEG-4 Audio", config: b }, false],
		["Opus of other channels", { name: "Opus", channels: 1 }, { name: "Opus", channels: 2 }, false],
		[
			"G711 of the other law",
			{ name: "G711", law: "a", sampleRate: 8000, channels: 1 },
			{ name: "G711", law: "mu", sampleRate: 8000, channels: 1 },
			false,
		],
		[
			"AC-3 of other channels",
			{ name: "AC3", sampleRate: 48_000, channels: 6 },
			{ name: "AC3", sampleRate: 48_000, channels: 2 },
			false,
		],
		["the same G722", { name: "G722", channels: 1 }, { name: "G722", channels: 1 }, true],
		[
			"G726 that is packed the other way round",
			{ name: "G726", bitRate: 32, packing: "aal2" },
			{ name: "G726", bitRate: 32, packing: "rfc3551" },
			false,
		],
		[
			"LPCM of another depth",
			{ name: "LPCM", bitDepth: 16, sampleRate: 48_000, channels: 2 },
			{ name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 2 },
			false,
		],
		["MP3", { name: "MPEG-1/2 Audio" }, { name: "MPEG-1/2 Audio" }, true],
		["KLV", { name: "KLV" }, { name: "KLV" }, true],
		["MPEG-TS and KLV", { name: "MPEG-TS" }, { name: "KLV" }, false],
		["a codec that is not read any more", { name: "Opus", channels: 2 }, { name: "Generic" }, false],
	])("with %s", (_, one, other, same) => {
		const track = (codec: Codec): Track => ({ ...H264_TRACK, codec });
		expect(sameFormats([track(one)], [track(other)])).toBe(same);
		expect(sameFormats([track(other)], [track(one)])).toBe(same);
	});

	it.each<[string, Partial<Track>, boolean]>([
		["nothing", {}, true],
		["another payload type", { rtp: { payloadType: 99, encoding: "vp8/90000", fmtp: "x=1" } }, true],
		["another encoding", { rtp: { payloadType: 98, encoding: "VP9/90000", fmtp: "x=1" } }, false],
		["another fmtp", { rtp: { payloadType: 98, encoding: "VP8/90000", fmtp: "x=2" } }, false],
		["another clock rate", { clockRate: 1000 }, false],
		["another kind", { kind: "application" }, false],
	])("that are not read differ by %s", (_, changes, same) => {
		const rtp = { payloadType: 98, encoding: "VP8/90000", fmtp: "x=1" };
		const track: Track = { ...H264_TRACK, codec: { name: "Generic" }, rtp };
		expect(sameFormats([track], [{ ...track, ...changes }])).toBe(same);
	});

	it("differ by how AAC is packed", () => {
		const latm = (fmtp: string): Track => ({
			...AAC_TRACK,
			rtp: { payloadType: 97, encoding: "MP4A-LATM/48000/2", fmtp },
		});
		expect(sameFormats([latm("cpresent=0")], [AAC_TRACK])).toBe(false);
		expect(sameFormats([latm("cpresent=0")], [latm("cpresent=1")])).toBe(false);
		expect(sameFormats([latm("cpresent=0")], [latm("cpresent=0")])).toBe(true);
	});

	it("differ by the number and order of tracks", () => {
		expect(sameFormats([H264_TRACK], [H264_TRACK, AAC_TRACK])).toBe(false);
		expect(sameFormats([AAC_TRACK, H264_TRACK], [H264_TRACK, AAC_TRACK])).toBe(false);
		expect(sameFormats([], [])).toBe(true);
	});
});

describe("the codecs of a publisher and an offline clip", () => {
	const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
	it.each<[string, Codec, Codec, boolean]>([
		["other H264 sets", h264(a, b), h264(b, a), true],
		["other H265 sets", h265(a, b), h265(b, a), true],
		["mono and stereo Opus", { name: "Opus", channels: 1 }, { name: "Opus", channels: 2 }, true],
		["Opus of more channels", { name: "Opus", channels: 6 }, { name: "Opus", channels: 2 }, false],
		// ISO 14496-3 §1.6.6.1: 0x2b7, object type 5, no band replication. ffmpeg's encoder writes it.
		[
			"AAC that says it has no band replication",
			{ name: "MPEG-4 Audio", config: bytes("119056e500") },
			{ name: "MPEG-4 Audio", config: bytes("1190") },
			true,
		],
		[
			"AAC that has band replication",
			{ name: "MPEG-4 Audio", config: bytes("139056e5a0") },
			{ name: "MPEG-4 Audio", config: bytes("1390") },
			false,
		],
		[
			"AAC of another channel count",
			{ name: "MPEG-4 Audio", config: bytes("1188") },
			{ name: "MPEG-4 Audio", config: bytes("1190") },
			false,
		],
		[
			"AAC with frames of 960 samples",
			{ name: "MPEG-4 Audio", config: bytes("1194") },
			{ name: "MPEG-4 Audio", config: bytes("1190") },
			false,
		],
		[
			"AAC whose configuration is damaged",
			{ name: "MPEG-4 Audio", config: bytes("11") },
			{ name: "MPEG-4 Audio", config: bytes("1190") },
			false,
		],
		["another codec", h264(null, null), h265(null, null), false],
	])("with %s", (_, one, other, same) => {
		const track = (codec: Codec): Track => ({ ...H264_TRACK, codec });
		expect(sameCodecs([track(one)], [track(other)])).toBe(same);
		expect(sameCodecs([track(other)], [track(one)])).toBe(same);
	});
});

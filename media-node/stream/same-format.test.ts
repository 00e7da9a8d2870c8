import { describe, expect, it } from "vitest";
import { AAC_TRACK, H264_PPS, H264_SPS, H264_TRACK } from "../../test/support/rtp-stream.ts";
import type { Codec } from "../codecs/codec.ts";
import { sameFormats } from "./same-format.ts";
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
		["AAC", { name: "MPEG-4 Audio", config: a }, { name: "MPEG-4 Audio", config: a.slice() }, true],
		["another AAC configuration", { name: "MPEG-4 Audio", config: a }, { name: "MPEG-4 Audio", config: b }, false],
		["Opus of other channels", { name: "Opus", channels: 1 }, { name: "Opus", channels: 2 }, false],
		[
			"G711 of the other law",
			{ name: "G711", law: "a", sampleRate: 8000, channels: 1 },
			{ name: "G711", law: "mu", sampleRate: 8000, channels: 1 },
			false,
		],
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

	it("differ by the number and order of tracks", () => {
		expect(sameFormats([H264_TRACK], [H264_TRACK, AAC_TRACK])).toBe(false);
		expect(sameFormats([AAC_TRACK, H264_TRACK], [H264_TRACK, AAC_TRACK])).toBe(false);
		expect(sameFormats([], [])).toBe(true);
	});
});

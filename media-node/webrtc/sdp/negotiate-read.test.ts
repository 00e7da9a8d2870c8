import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Codec } from "../../codecs/codec.ts";
import type { Track } from "../../stream/track.ts";
import { answerViewer } from "./negotiate-read.ts";
import type { LocalTransport } from "./negotiation.ts";
import { parseSdp } from "./sdp-parse.ts";
import { writeSdp } from "./sdp-write.ts";

const LOCAL: LocalTransport = {
	sessionId: "42",
	ice: { ufrag: "node", pwd: "0123456789abcdefghijkl" },
	fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") },
	candidates: [],
};

function offerText(name = "play"): string {
	return readFileSync(new URL(`../../../test/fixtures/webrtc/chromium-${name}.sdp`, import.meta.url), "utf8");
}

function track(index: number, kind: Track["kind"], codec: Codec, clockRate = 90_000, fmtp = "", encoding = ""): Track {
	return { index, kind, codec, clockRate, rtp: { payloadType: 100, encoding, fmtp } };
}

function h264(profileLevelId: string): Track {
	return track(0, "video", { name: "H264", sps: null, pps: null }, 90_000, `profile-level-id=${profileLevelId}`);
}

const OPUS = track(1, "audio", { name: "Opus", channels: 2 }, 48_000);

function answer(text: string, tracks: readonly Track[]) {
	let ssrc = 1000;
	return answerViewer(parseSdp(text), tracks, {
		local: LOCAL,
		cname: "sluice",
		newSsrc: () => ssrc++,
	});
}

describe("the answer to a viewer", () => {
	it("sends one video and one audio with the payload types of the offer", () => {
		const { answer: sdp, tracks, leftOut } = answer(offerText(), [h264("42e01e"), OPUS]);
		expect(leftOut).toEqual([]);
		expect(tracks).toMatchObject([
			{
				mid: "0",
				payloadType: 108,
				rtxPayloadType: 109,
				ssrc: 1000,
				rtxSsrc: 1001,
				hasNack: true,
				hasTransportCc: true,
				hasRemb: true,
				fec: { ulpfec: null },
				fecSsrc: 1002,
			},
			{ mid: "1", payloadType: 111, rtxPayloadType: null, ssrc: 1003, rtxSsrc: null, hasNack: false },
		]);
		expect(tracks[0]?.extensions).toMatchObject({ rid: 0, repairedRid: 0 });
		expect(tracks[0]?.extensions.mid).toBeGreaterThan(0);
		const text = writeSdp(sdp);
		expect(text).toContain("a=ssrc-group:FID 1000 1001\r\na=ssrc-group:FEC-FR 1000 1002\r\n");
		expect(text).toContain("a=ssrc:1002 cname:sluice\r\n");
		expect(text).toContain("a=ssrc:1001 cname:sluice\r\n");
		expect(text).toContain("a=msid:sluice video\r\n");
		expect(text).toContain("a=fmtp:111 minptime=10;useinbandfec=1;sprop-stereo=1\r\n");
		expect(sdp.sections.map(({ direction, port }) => [direction, port > 0])).toEqual([
			["sendonly", true],
			["sendonly", true],
			["inactive", false],
		]);
		expect(sdp.bundle).toEqual(["0", "1"]);
	});

	// Chromium offers, with packetization-mode=1: 102 42001f, 108 42e01f, 116 4d001f, 41 f4001f.
	it.each([
		["Constrained Baseline as itself", "42e01f", 108],
		["Constrained Baseline of a higher level as itself", "42c033", 108],
		["Baseline as itself", "42001e", 102],
		["Main as itself", "4d401f", 116],
		["High, where it is not offered, as the nearest below", "640028", 116],
		["High 4:4:4 as itself", "f4001f", 41],
		["a profile that is not known yet as the first", "", 102],
	])("sends H264 of %s", (_, profile, payloadType) => {
		expect(answer(offerText(), [h264(profile)]).tracks[0]?.payloadType).toBe(payloadType);
	});

	it("reads the profile of H264 from the parameter set before the description", () => {
		const sps = Uint8Array.of(0x67, 0x4d, 0x00, 0x1f);
		const codec: Codec = { name: "H264", sps, pps: null };
		expect(
			answer(offerText(), [track(0, "video", codec, 90_000, "profile-level-id=42e01f")]).tracks[0]?.payloadType,
		).toBe(116);
	});

	it.each([
		["VP8", track(0, "video", { name: "VP8" }), 96],
		["VP9 of profile 0", track(0, "video", { name: "VP9" }), 98],
		["VP9 of profile 2", track(0, "video", { name: "VP9" }, 90_000, "profile-id=2"), 100],
		["AV1", track(0, "video", { name: "AV1" }), 45],
		["AV1 of profile 1", track(0, "video", { name: "AV1" }, 90_000, "profile=1"), 47],
		["PCMU", track(0, "audio", { name: "G711", law: "mu", sampleRate: 8000, channels: 1 }, 8000), 0],
		["PCMA", track(0, "audio", { name: "G711", law: "a", sampleRate: 8000, channels: 1 }, 8000), 8],
		["G722", track(0, "audio", { name: "G722", channels: 1 }, 8000), 9],
		["Opus of one channel", track(0, "audio", { name: "Opus", channels: 1 }, 48_000), 111],
	])("sends %s", (_, sent, payloadType) => {
		expect(answer(offerText(), [sent]).tracks).toMatchObject([{ payloadType, track: { codec: sent.codec } }]);
	});

	it("sends Opus of six channels to who asks for it", () => {
		const sixChannels = track(0, "audio", { name: "Opus", channels: 6 }, 48_000);
		expect(answer(offerText("play-multiopus"), [sixChannels]).tracks[0]?.payloadType).toBe(112);
		expect(() => answer(offerText("play"), [sixChannels])).toThrow("Opus of 6 channels");
	});

	it.each([
		["High 10", h264("6e001f")],
		["AV1 of profile 2", track(0, "video", { name: "AV1" }, 90_000, "profile=2")],
		["H265", track(0, "video", { name: "H265", vps: null, sps: null, pps: null })],
		["PCMU of 16 kHz", track(0, "audio", { name: "G711", law: "mu", sampleRate: 16_000, channels: 1 }, 16_000)],
		["AAC", track(0, "audio", { name: "MPEG-4 Audio", config: Uint8Array.of(0x12, 0x10) }, 44_100)],
	])("refuses a viewer that does not take %s, and says so", (_, sent) => {
		const expected = {
			code: "media.unsupported",
			message: expect.stringMatching(/^The stream has no codec that the viewer takes: /),
		};
		expect(() => answer(offerText(), [sent])).toThrow(expect.objectContaining(expected));
	});

	it("does not send H264 in packets that it would not fit in", () => {
		const text = offerText().replaceAll("packetization-mode=1", "packetization-mode=0");
		expect(() => answer(text, [h264("42e01f")])).toThrow(expect.objectContaining({ code: "media.unsupported" }));
	});

	it("reports what was left out, and why", () => {
		const aac = track(1, "audio", { name: "MPEG-4 Audio", config: Uint8Array.of(0x12, 0x10) }, 44_100);
		const more = track(2, "video", { name: "VP8" });
		const klv = track(3, "application", { name: "KLV" });
		const text = offerText().replace(/m=application \d+/, "m=application 0");
		const { tracks, leftOut, answer: sdp } = answer(text, [h264("42e01f"), aac, more, klv]);
		expect(tracks).toHaveLength(1);
		expect(leftOut.map(({ reason }) => reason)).toEqual([
			"MPEG-4 Audio: WebRTC does not carry it",
			"VP8: a viewer gets one track of video",
			"KLV: the viewer offers no data channels",
		]);
		expect(sdp.sections[1]).toMatchObject({ direction: "inactive", port: 9 });
	});

	it("sends the first track of a kind that the viewer takes, not just the first", () => {
		const { tracks } = answer(offerText(), [h264("6e001f"), track(1, "video", { name: "VP8" })]);
		expect(tracks.map(({ track: sent }) => sent.index)).toEqual([1]);
	});

	it("is without retransmission where it was not offered", () => {
		const { tracks } = answer(offerText().replaceAll(/a=rtpmap:\d+ rtx.*\r\n/g, ""), [h264("42e01f")]);
		expect(tracks[0]).toMatchObject({ rtxPayloadType: null, rtxSsrc: null });
	});

	it("sends the first KLV over data channels, and accepts none without KLV", () => {
		const klv = [1, 2].map((index) => track(index, "application", { name: "KLV" }));
		const { answer: sdp, data, leftOut } = answer(offerText(), [OPUS, ...klv]);
		expect(data).toMatchObject({ channel: { mid: "2", sctpPort: 5000 }, track: klv[0], role: "server" });
		expect(leftOut).toEqual([{ track: klv[1], reason: "KLV: a viewer gets one track of it" }]);
		expect(writeSdp(sdp)).toContain("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
		expect(writeSdp(sdp)).toContain("a=sctp-port:5000\r\na=max-message-size:65536\r\n");
		const without = answer(offerText(), [OPUS]);
		expect(without.data).toBeNull();
		expect(writeSdp(without.answer)).toContain("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
	});

	it("takes a stream of nothing but KLV", () => {
		const { data, tracks } = answer(offerText(), [track(0, "application", { name: "KLV" })]);
		expect([data?.track.index, tracks]).toEqual([0, []]);
	});

	it("has nothing for a viewer that asks for nothing", () => {
		const text = offerText().replaceAll("a=recvonly", "a=sendonly");
		expect(() => answer(text, [OPUS])).toThrow("asks for no audio");
	});
});

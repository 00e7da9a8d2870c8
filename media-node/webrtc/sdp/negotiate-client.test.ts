import { describe, expect, it } from "vitest";
import type { Track } from "../../stream/track.ts";
import { transportOfAnswer } from "./client-offer.ts";
import { answerPublisher } from "./negotiate-publish.ts";
import { pulledMedia, pullOffer } from "./negotiate-pull.ts";
import { pushedTracks, pushOffer } from "./negotiate-push.ts";
import { answerViewer } from "./negotiate-read.ts";
import type { LocalTransport } from "./negotiation.ts";
import type { MediaSection, Sdp } from "./sdp.ts";
import { parseSdp } from "./sdp-parse.ts";
import { writeSdp } from "./sdp-write.ts";

const local = (name: string): LocalTransport => ({
	sessionId: "1",
	ice: { ufrag: name, pwd: name.padEnd(22, "x") },
	fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") },
	candidates: [],
});
const OURS = local("ours");
const THEIRS = local("theirs");

function track(kind: "video" | "audio", codec: Track["codec"], clockRate: number, encoding: string, fmtp = ""): Track {
	return { index: kind === "video" ? 0 : 1, kind, codec, clockRate, rtp: { payloadType: 96, encoding, fmtp } };
}

/** Main of level 3.1. */
const SPS = Uint8Array.of(0x67, 0x4d, 0x00, 0x1f, 0x95);
const H264 = track(
	"video",
	{ name: "H264", sps: SPS, pps: null },
	90_000,
	"H264/90000",
	"sprop-parameter-sets=Z00=,aA==",
);
const OPUS = track("audio", { name: "Opus", channels: 2 }, 48_000, "opus/48000/2");
const AAC = track(
	"audio",
	{ name: "MPEG-4 Audio", config: Uint8Array.of(0x11, 0x90) },
	48_000,
	"mpeg4-generic/48000/2",
);

/** As it comes over the wire. */
const sent = (sdp: Sdp) => parseSdp(writeSdp(sdp));

function read(tracks: readonly Track[]) {
	const offer = pullOffer(OURS);
	let ssrc = 100;
	const { answer, tracks: outgoing } = answerViewer(sent(offer), tracks, {
		local: THEIRS,
		cname: "cname",
		newSsrc: () => ssrc++,
	});
	return { offer, answer: sent(answer), outgoing };
}

function push(tracks: readonly Track[]) {
	let ssrc = 100;
	return pushOffer(tracks, { local: OURS, cname: "cname", newSsrc: () => ssrc++ });
}

function withSection(sdp: Sdp, at: number, fields: Partial<MediaSection>): Sdp {
	return { ...sdp, sections: sdp.sections.map((section, i) => (i === at ? { ...section, ...fields } : section)) };
}

describe("an offer that pulls", () => {
	it("asks for one video and one audio, each number once, with ICE, DTLS and BUNDLE", () => {
		const offer = pullOffer(OURS);
		expect(offer.sections.map(({ kind, direction, setup }) => [kind, direction, setup])).toEqual([
			["video", "recvonly", "actpass"],
			["audio", "recvonly", "actpass"],
		]);
		const numbers = offer.sections.flatMap(({ payloadTypes }) => payloadTypes.map(({ payloadType }) => payloadType));
		expect(new Set(numbers).size).toBe(numbers.length);
		// 64 to 95 are those of RTCP, RFC 5761 §4.
		expect(numbers.filter((number) => number > 127 || (number >= 64 && number < 96))).toEqual([]);
		expect(offer.bundle).toEqual(["0", "1"]);
		expect(sent(offer)).toEqual(offer);
	});

	it.each([
		H264,
		track("video", { name: "VP8" }, 90_000, "VP8/90000"),
		track("video", { name: "VP9" }, 90_000, "VP9/90000", "profile-id=2"),
		track("video", { name: "AV1" }, 90_000, "AV1/90000"),
		track("video", { name: "H265", vps: null, sps: null, pps: null }, 90_000, "H265/90000"),
		OPUS,
		track("audio", { name: "Opus", channels: 6 }, 48_000, "multiopus/48000/6"),
		track("audio", { name: "G711", law: "a", sampleRate: 8_000, channels: 1 }, 8_000, "PCMA/8000"),
		track("audio", { name: "G711", law: "mu", sampleRate: 8_000, channels: 2 }, 8_000, "PCMU/8000/2"),
		track("audio", { name: "G722", channels: 1 }, 8_000, "G722/8000"),
		track("audio", { name: "LPCM", bitDepth: 16, sampleRate: 48_000, channels: 2 }, 48_000, "L16/48000/2"),
	])("gets $rtp.encoding $rtp.fmtp from a server that has it", (one) => {
		const { offer, answer, outgoing } = read([one]);
		const media = pulledMedia(offer, answer);
		expect(media.map((choices) => choices.length)).toEqual([1]);
		const [[pulled] = []] = media;
		expect(pulled?.track).toMatchObject({ kind: one.kind, codec: { name: one.codec.name }, clockRate: one.clockRate });
		expect(pulled).toMatchObject({
			mid: one.kind === "video" ? "0" : "1",
			ssrcs: [{ ssrc: outgoing[0]?.ssrc, rtx: outgoing[0]?.rtxSsrc }],
			rtxPayloadType: outgoing[0]?.rtxPayloadType,
			hasNack: true,
			extensions: { mid: 1, transportSequence: 2 },
		});
	});

	it("takes no format that it did not ask for, and says when nothing is left", () => {
		const { offer, answer } = read([H264]);
		const [section] = answer.sections as [MediaSection];
		const other = section.payloadTypes.map((type) => ({ ...type, payloadType: 50 }));
		expect(() => pulledMedia(offer, withSection(answer, 0, { payloadTypes: other }))).toThrow(/no media of a codec/);
		expect(() => pulledMedia(offer, withSection(answer, 0, { direction: "inactive" }))).toThrow(/no media of a codec/);
		expect(() => pulledMedia(offer, withSection(answer, 0, { port: 0 }))).toThrow(/no media of a codec/);
	});

	it("knows every format among which the server leaves the choice open", () => {
		const { offer, answer } = read([OPUS]);
		const { payloadTypes } = offer.sections[1] as MediaSection;
		const [choices = []] = pulledMedia(offer, withSection(answer, 1, { payloadTypes: payloadTypes.slice(3, 6) }));
		expect(choices.map((choice) => choice.track.rtp.encoding)).toEqual(["G722/8000", "PCMU/8000", "PCMA/8000"]);
	});
});

describe("an offer that pushes", () => {
	it("has the first video and the first audio that WebRTC carries", () => {
		const { offer, offered, leftOut } = push([AAC, OPUS, H264]);
		expect(offered.map((one) => one.track)).toEqual([H264, OPUS]);
		expect(leftOut).toEqual([AAC]);
		expect(offer.sections.map(({ kind, direction }) => [kind, direction])).toEqual([
			["video", "sendonly"],
			["audio", "sendonly"],
		]);
		expect(sent(offer)).toEqual(offer);
		expect(() => push([AAC])).toThrow(/no codec that WebRTC carries/);
	});

	it("offers H.264 as the stream is, and by the profile that every server knows", () => {
		const { offer } = push([H264]);
		const fmtps = offer.sections[0]?.payloadTypes.filter(({ encoding }) => encoding === "H264/90000");
		expect(fmtps?.map(({ fmtp }) => fmtp)).toEqual([
			"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f",
			"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		]);
		const baseline = track("video", { name: "H264", sps: null, pps: null }, 90_000, "H264/90000");
		expect(push([baseline]).offer.sections[0]?.payloadTypes.length).toBe(2);
	});

	it("sends what the server takes, by its numbers", () => {
		const pushed = push([H264, OPUS]);
		const { answer, media } = answerPublisher(sent(pushed.offer), {
			local: THEIRS,
			acceptDataChannel: false,
		});
		expect(media.map((one) => one.track.codec.name)).toEqual(["H264", "Opus"]);
		expect(pushedTracks(pushed, sent(answer))).toMatchObject([
			{ mid: "0", track: H264, payloadType: 96, rtxPayloadType: 97, ssrc: 100, rtxSsrc: 101, hasTransportCc: true },
			{ mid: "1", track: OPUS, payloadType: 111, rtxPayloadType: null, ssrc: 102, rtxSsrc: null, hasNack: true },
		]);
		const only = pushedTracks(pushed, withSection(sent(answer), 0, { port: 0 }));
		expect(only.map((one) => one.track)).toEqual([OPUS]);
		const none = withSection(withSection(sent(answer), 0, { port: 0 }), 1, { direction: "inactive" });
		expect(() => pushedTracks(pushed, none)).toThrow(/takes no codec of the stream: H264, Opus/);
	});
});

describe("the transport of an answer", () => {
	const { offer, answer } = read([H264, OPUS]);

	it("is that of an ICE-lite server, which waits for DTLS", () => {
		expect(answer.iceLite).toBe(true);
		expect(transportOfAnswer(offer, answer)).toMatchObject({ ice: THEIRS.ice, setup: "active" });
	});

	it.each<[string, MediaSection["setup"], string]>([
		["a server that begins", "active", "passive"],
		["one that does not say", null, "passive"],
		["one that leaves it open all the same", "actpass", "active"],
	])("has a role for DTLS with %s", (_name, setup, ours) => {
		expect(transportOfAnswer(offer, withSection(answer, 0, { setup })).setup).toBe(ours);
	});

	it.each<[RegExp, Sdp]>([
		[/other media than the offer/, { ...answer, sections: answer.sections.slice(1) }],
		[/takes no media/, withSection(withSection(answer, 0, { port: 0 }), 1, { port: 0 })],
		[/does not bundle/, { ...answer, bundle: ["0"] }],
		[/rtcp-mux/, withSection(answer, 1, { rtcpMux: false })],
		[/ice-ufrag/, withSection(answer, 0, { ice: null })],
		[/a=fingerprint/, withSection(answer, 0, { fingerprints: [] })],
		[/holdconn/, withSection(answer, 0, { setup: "holdconn" })],
	])("is refused where it %s", (message, wrong) => {
		expect(() => transportOfAnswer(offer, wrong)).toThrow(message);
	});
});

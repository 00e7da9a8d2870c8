import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { answerPublisher } from "./negotiate-publish.ts";
import type { LocalTransport } from "./negotiation.ts";
import { parseSdp } from "./sdp-parse.ts";
import { writeSdp } from "./sdp-write.ts";

const LOCAL: LocalTransport = {
	sessionId: "42",
	ice: { ufrag: "node", pwd: "0123456789abcdefghijkl" },
	fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") },
	candidates: [
		{
			foundation: "1",
			component: 1,
			protocol: "udp",
			priority: 2_130_706_431,
			address: "192.0.2.9",
			port: 8189,
			type: "host",
			tcpType: null,
			ufrag: null,
		},
	],
};

function offerText(name: string): string {
	return readFileSync(new URL(`../../../test/fixtures/webrtc/chromium-${name}.sdp`, import.meta.url), "utf8");
}

function answer(text: string, acceptDataChannel = false) {
	return answerPublisher(parseSdp(text), { local: LOCAL, acceptDataChannel });
}

const TRANSPORT =
	"a=ice-ufrag:peer\r\na=ice-pwd:peerpeerpeerpeerpeerpe\r\na=setup:actpass\r\n" +
	`a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "01").join(":")}\r\n`;

/** An offer of one section for each media line. */
function offerOf(...sections: string[]): string {
	const mids = sections.map((_, index) => index).join(" ");
	const text = sections.map((section, index) => `m=${section}\r\na=mid:${index}\r\na=sendonly\r\na=rtcp-mux\r\n`);
	return `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE ${mids}\r\n${TRANSPORT}${text.join("")}`;
}

describe("the answer to a publisher", () => {
	it("takes both tracks of Chromium, and says how", () => {
		const { answer: sdp, media, remote } = answer(offerText("publish"));
		expect(sdp).toMatchObject({ iceLite: true, bundle: ["0", "1"], sessionId: "42" });
		expect(remote).toMatchObject({ setup: "passive" });
		const [audio, video] = sdp.sections;
		expect(audio).toMatchObject({ direction: "recvonly", setup: "passive", rtcpMux: true, rtcpMuxOnly: true });
		expect(audio?.payloadTypes).toEqual([
			{
				payloadType: 111,
				encoding: "opus/48000/2",
				fmtp: "minptime=10;useinbandfec=1;stereo=1",
				feedback: ["transport-cc"],
			},
		]);
		expect(video?.payloadTypes).toEqual([
			{
				payloadType: 96,
				encoding: "VP8/90000",
				fmtp: "x-google-start-bitrate=2000",
				feedback: ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"],
			},
			{ payloadType: 97, encoding: "rtx/90000", fmtp: "apt=96", feedback: [] },
			{ payloadType: 118, encoding: "red/90000", fmtp: "", feedback: [] },
			{ payloadType: 119, encoding: "rtx/90000", fmtp: "apt=118", feedback: [] },
			{ payloadType: 120, encoding: "ulpfec/90000", fmtp: "", feedback: [] },
		]);
		expect(video?.candidates).toEqual(LOCAL.candidates);
		expect(video?.endOfCandidates).toBe(true);
		expect(media).toMatchObject([
			{
				mid: "0",
				track: { kind: "audio", codec: { name: "Opus", channels: 2 } },
				rtxPayloadType: null,
				hasNack: false,
			},
			{
				mid: "1",
				track: { kind: "video", codec: { name: "VP8" }, clockRate: 90_000, rtp: { payloadType: 96 } },
				rtxPayloadType: 97,
				hasNack: true,
				keyFrameRequest: "pli",
				ssrcs: [{ ssrc: 2241471758, rtx: 1930909638 }],
				rids: [],
				fec: { ulpfec: { red: 118, redRtx: 119, ulpfec: 120 }, flexfec: null },
			},
		]);
	});

	it("agrees on the header extensions that are used, and no others", () => {
		const { answer: sdp, media } = answer(offerText("publish-simulcast"));
		expect(media[0]?.extensions).toEqual({ mid: 9, rid: 10, repairedRid: 11, absSendTime: 2, transportSequence: 4 });
		expect(sdp.sections[0]?.extensions.map(({ id }) => id).sort((a, b) => a - b)).toEqual([2, 4, 9, 10, 11]);
	});

	it("takes every layer of simulcast", () => {
		const { answer: sdp, media } = answer(offerText("publish-simulcast"));
		expect(media[0]).toMatchObject({ rids: ["l", "m", "h"], ssrcs: [] });
		const text = writeSdp(sdp);
		expect(text).toContain("a=rid:m recv\r\n");
		expect(text).toContain("a=simulcast:recv l;m;h\r\n");
	});

	it.each([
		[
			"video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f",
			"H264",
		],
		["video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 profile-id=1;level-id=93", "H265"],
		["video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP9/90000", "VP9"],
		["video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 AV1/90000", "AV1"],
		["audio 9 UDP/TLS/RTP/SAVPF 0", "G711"],
		["audio 9 UDP/TLS/RTP/SAVPF 8", "G711"],
		["audio 9 UDP/TLS/RTP/SAVPF 9", "G722"],
		["audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 L16/48000/2", "LPCM"],
		[
			"audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 multiopus/48000/6\r\na=fmtp:96 channel_mapping=0,4,1,2,3,5;coupled_streams=2;num_streams=4",
			"Opus",
		],
	])("takes %s", (section, name) => {
		const { media } = answer(offerOf(section));
		expect(media.map(({ track }) => track.codec.name)).toEqual([name]);
	});

	it("passes over what it does not know for the first codec that it knows", () => {
		const { media } = answer(
			offerOf(
				"video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\na=rtpmap:96 X/90000\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=2\r\na=rtpmap:98 VP8/90000",
			),
		);
		expect(media[0]?.track.rtp.payloadType).toBe(98);
	});

	it("keeps parameter sets for the stream, and does not send them back", () => {
		const fmtp = "packetization-mode=1;sprop-parameter-sets=Z0LAH9kAUAW7ARAAAAMAEAAAAwPA8YMkgA==,aMuMsg==";
		const { answer: sdp, media } = answer(
			offerOf(`video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 ${fmtp}`),
		);
		expect(media[0]?.track.codec).toMatchObject({ name: "H264", pps: expect.any(Uint8Array) });
		expect(sdp.sections[0]?.payloadTypes[0]?.fmtp).toBe("packetization-mode=1;x-google-start-bitrate=2000");
	});

	it("accepts a data channel when it is wanted, and rejects it with port 0 else", () => {
		const offer = `${offerText("play").replaceAll("a=recvonly", "a=sendonly")}`;
		expect(answer(offer, true)).toMatchObject({ dataChannel: { mid: "2", sctpPort: 5000, maxMessageSize: 262_144 } });
		const rejected = answer(offer, false);
		expect(rejected.dataChannel).toBeNull();
		expect(rejected.answer.sections[2]).toMatchObject({ port: 0, formats: ["webrtc-datachannel"] });
		expect(rejected.answer.bundle).toEqual(["0", "1"]);
	});

	it("is a DTLS client for a peer that is only a server", () => {
		const { remote, answer: sdp } = answer(offerText("publish").replaceAll("a=setup:actpass", "a=setup:passive"));
		expect(remote.setup).toBe("active");
		expect(sdp.sections[0]?.setup).toBe("active");
	});

	const opus = "audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2";
	it.each([
		["two tracks of a kind", offerOf(opus, opus)],
		["tracks that are only asked for", offerText("play")],
		["no BUNDLE", offerText("publish").replace(/a=group:BUNDLE.*\r\n/, "")],
		["no RTCP multiplexing", offerText("publish").replaceAll("a=rtcp-mux\r\n", "")],
		["no ICE", offerText("publish").replaceAll(/a=ice-ufrag.*\r\n/g, "")],
		["no DTLS", offerText("publish").replaceAll(/a=fingerprint.*\r\n/g, "")],
		["ICE lite", offerText("publish").replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n")],
		["a DTLS connection on hold", offerText("publish").replaceAll("a=setup:actpass", "a=setup:holdconn")],
	])("refuses an offer with %s", (_, text) => {
		expect(() => answer(text)).toThrow(expect.objectContaining({ code: "input.invalid" }));
	});

	it("refuses the whole offer when one of its media is of no known codec", () => {
		const text = offerOf(opus, "video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H263/90000");
		expect(() => answer(text)).toThrow(
			expect.objectContaining({ code: "media.unsupported", message: expect.stringContaining("H263") }),
		);
	});
});

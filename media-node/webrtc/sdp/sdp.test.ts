import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MAX_SDP_BYTES, MAX_SECTIONS } from "./sdp.ts";
import { parseSdp } from "./sdp-parse.ts";
import { writeSdp } from "./sdp-write.ts";

const OFFERS = ["play", "play-multiopus", "publish", "publish-restart", "publish-simulcast"];

function offer(name: string): string {
	return readFileSync(new URL(`../../../test/fixtures/webrtc/chromium-${name}.sdp`, import.meta.url), "utf8");
}

describe("a session description", () => {
	it("is read from a publisher's offer as Chromium makes it", () => {
		const sdp = parseSdp(offer("publish"));
		expect(sdp.bundle).toEqual(["0", "1"]);
		expect(sdp.iceLite).toBe(false);
		expect(sdp.extmapAllowMixed).toBe(true);
		expect(sdp.sections.map(({ kind, mid, direction }) => [kind, mid, direction])).toEqual([
			["audio", "0", "sendonly"],
			["video", "1", "sendonly"],
		]);
		const [audio, video] = sdp.sections;
		expect(audio?.payloadTypes[0]).toEqual({
			payloadType: 111,
			encoding: "opus/48000/2",
			fmtp: "minptime=10;useinbandfec=1",
			feedback: ["transport-cc"],
		});
		expect(video?.payloadTypes[0]).toEqual({
			payloadType: 96,
			encoding: "VP8/90000",
			fmtp: "",
			feedback: ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"],
		});
		expect(video?.ssrcGroups).toEqual([{ semantics: "FID", ssrcs: [2241471758, 1930909638] }]);
		expect(video?.ssrcs.map(({ ssrc }) => ssrc)).toEqual([2241471758, 1930909638]);
		expect(video?.ice?.ufrag).toMatch(/^\S{4}$/);
		expect(video?.fingerprints[0]?.algorithm).toBe("sha-256");
		expect(video?.setup).toBe("actpass");
		expect(video?.rtcpMux).toBe(true);
		expect(audio?.candidates.some(({ tcpType }) => tcpType === "active")).toBe(true);
	});

	it("has the layers of simulcast", () => {
		const video = parseSdp(offer("publish-simulcast")).sections.find(({ kind }) => kind === "video");
		expect(video?.rids).toEqual(["l", "m", "h"].map((id) => ({ id, direction: "send" })));
		expect(video?.simulcast).toEqual({ send: [["l"], ["m"], ["h"]], recv: [] });
	});

	it("has data channels, and Opus of many channels", () => {
		const channel = parseSdp(offer("play")).sections.at(-1);
		expect(channel).toMatchObject({ kind: "application", formats: ["webrtc-datachannel"], sctpPort: 5000 });
		expect(channel?.maxMessageSize).toBe(262_144);
		const audio = parseSdp(offer("play-multiopus")).sections.find(({ kind }) => kind === "audio");
		expect(audio?.payloadTypes).toContainEqual({
			payloadType: 112,
			encoding: "multiopus/48000/6",
			fmtp: "channel_mapping=0,4,1,2,3,5;coupled_streams=2;num_streams=4",
			feedback: [],
		});
	});

	it.each(OFFERS)("is the same after it was written and read again: %s", (name) => {
		const sdp = parseSdp(offer(name));
		expect(parseSdp(writeSdp(sdp))).toEqual(sdp);
	});

	it("inherits what stands for the whole session, RFC 8839 §4.4", () => {
		const text =
			"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuv\na=setup:active\n" +
			"a=sendonly\nm=audio 9 UDP/TLS/RTP/SAVPF 0\nm=video 9 UDP/TLS/RTP/SAVPF 96\na=ice-ufrag:efgh\na=ice-pwd:0\na=recvonly\n";
		const [audio, video] = parseSdp(text).sections;
		expect(audio).toMatchObject({ ice: { ufrag: "abcd" }, setup: "active", direction: "sendonly" });
		expect(audio?.payloadTypes[0]?.encoding).toBe("PCMU/8000");
		expect(video).toMatchObject({ ice: { ufrag: "efgh", pwd: "0" }, setup: "active", direction: "recvonly" });
	});

	const head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
	it.each([
		["nothing", ""],
		["no version", "o=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 0\r\n"],
		["no origin", "v=0\r\nm=audio 9 RTP/AVP 0\r\n"],
		["no media", head],
		["no line at all", "{}"],
		["a port that is none", `${head}m=audio 99999 UDP/TLS/RTP/SAVPF 0\r\n`],
		["a payload type that is none", `${head}m=audio 9 UDP/TLS/RTP/SAVPF 128\r\n`],
		["a kind of media that is none", `${head}m=smell 9 UDP/TLS/RTP/SAVPF 1\r\n`],
	])("is refused with %s", (_, text) => {
		expect(() => parseSdp(text)).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});

	const section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
	const many = (line: (index: number) => string) =>
		head + section + Array.from({ length: 400 }, (_, i) => line(i)).join("");
	it.each([
		["bytes", `${head}a=${"x".repeat(MAX_SDP_BYTES)}`],
		["lines", head + "a=x\r\n".repeat(5000)],
		["sections", head + section.repeat(MAX_SECTIONS + 1)],
		["payload types", `${head}m=video 9 UDP/TLS/RTP/SAVPF ${Array.from({ length: 200 }, () => 96).join(" ")}\r\n`],
		["candidates", many((index) => `a=candidate:${index} 1 udp 1 192.0.2.1 9 typ host\r\n`)],
		["extensions", many((index) => `a=extmap:${(index % 255) + 1} urn:x\r\n`)],
		["SSRCs", many((index) => `a=ssrc:${index} cname:x\r\n`)],
		["groups", many((index) => `a=ssrc-group:FID ${index}\r\n`)],
		["layers", many((index) => `a=rid:${index} send\r\n`)],
		["simulcast", many(() => `a=simulcast:send ${"1;".repeat(40)}\r\n`)],
		["fingerprints", many(() => `a=fingerprint:sha-1 ${"00:".repeat(19)}00\r\n`)],
		["feedback", many((index) => `a=rtcp-fb:96 x${index}\r\n`)],
	])("is refused with too many %s", (_, text) => {
		expect(() => parseSdp(text)).toThrow(expect.objectContaining({ code: "bytes.limit" }));
	});

	it.each([
		"a=rtpmap:300 H264/90000",
		"a=extmap:0 urn:x",
		"a=ssrc:4294967296 cname:x",
		"a=ssrc-group:FID 1 x",
		"a=rid:1 both",
		"a=simulcast:send 1;;2",
		"a=fingerprint:sha-1 00:11",
		"a=setup:maybe",
		"a=candidate:nothing",
		"a=ice-ufrag:with space",
	])("leaves out the malformed attribute %s", (line) => {
		expect(parseSdp(`${head}${section}${line}\r\n`)).toEqual(parseSdp(head + section));
	});

	it("can end anywhere without harm", () => {
		const text = offer("publish-simulcast");
		for (let length = 0; length < text.length; length += 1) {
			try {
				parseSdp(text.slice(0, length));
			} catch (error) {
				expect(error).toMatchObject({ code: "bytes.malformed" });
			}
		}
	});
});

import { describe, expect, it } from "vitest";
import { MAX_SDP_MEDIA, sdpFormats } from "./sdp-formats.ts";

const formats = (...lines: string[]) => sdpFormats(["v=0", "s=x", ...lines].join("\r\n"));

/** As ffmpeg 5.1 prints it, with its first line. */
const FFMPEG = `SDP:
v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 127.0.0.1
t=0 0
a=tool:libavformat 59.27.100
m=video 5004 RTP/AVP 96
b=AS:800
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkAoC/5cBEAAAMAAQAAAwA8DxYuSA==,aMuDyyA=; profile-level-id=42C01E
m=audio 5006 RTP/AVP 97
a=rtpmap:97 MPEG4-GENERIC/48000/2
a=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3; config=119056E500
`;

describe("the formats of a session description", () => {
	it("are those that ffmpeg describes", () => {
		const found = sdpFormats(FFMPEG);
		expect(found).toMatchObject([
			{ kind: "video", payloadType: 96, codec: { name: "H264" }, clockRate: 90_000, encoding: "H264/90000" },
			{ kind: "audio", payloadType: 97, codec: { name: "MPEG-4 Audio" }, clockRate: 48_000 },
		]);
		expect(found[0]).toMatchObject({ fmtp: expect.stringMatching(/^packetization-mode=1; sprop/) });
	});

	it("are static where there is no map, and MPEG-TS is one of them", () => {
		expect(formats("m=audio 0 RTP/AVP 8", "m=video 0 RTP/AVPF 33")).toMatchObject([
			{ codec: { name: "G711" }, payloadType: 8 },
			{ codec: { name: "MPEG-TS" }, payloadType: 33, kind: "video" },
		]);
	});

	it("are of the first payload type that is known", () => {
		const rtx = ["a=rtpmap:98 rtx/90000", "a=rtpmap:96 VP8/90000"];
		expect(formats("m=video 0 RTP/AVP 98 96", ...rtx)).toMatchObject([{ payloadType: 96, codec: { name: "VP8" } }]);
		expect(formats("m=video 0 RTP/AVP 98", ...rtx)).toMatchObject([{ payloadType: 98, codec: { name: "Generic" } }]);
		expect(formats("m=data 0 RTP/AVP 99", "a=rtpmap: 99 x/1000")).toMatchObject([{ kind: "application" }]);
	});

	it.each([
		["m=video 0 RTP/SAVP 96", /RTP\/AVP/],
		["m=video", /RTP\/AVP/],
		["m=video 0 RTP/AVP 96", /rtpmap/],
		["m=video 0 RTP/AVP", /rtpmap/],
		["m=video 0 RTP/AVP 128 x", /rtpmap/],
	])("are none for %s, and say why", (line, why) => {
		expect(formats(line)).toEqual([expect.stringMatching(why)]);
	});

	it("are a bounded number, and none for what is no description", () => {
		expect(sdpFormats("m=audio 0 RTP/AVP 8\n".repeat(100))).toHaveLength(MAX_SDP_MEDIA);
		expect(sdpFormats("")).toEqual([]);
		expect(sdpFormats("a=rtpmap:96 VP8/90000")).toEqual([]);
	});

	it("never throw, wherever the description ends", () => {
		for (let length = 0; length <= FFMPEG.length; length++) {
			for (const found of sdpFormats(FFMPEG.slice(0, length))) expect(found).toBeTruthy();
		}
	});
});

import { describe, expect, it } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { parseSourceDescription } from "./source-description.ts";

/** As a camera describes itself; addresses replaced. */
const CAMERA = [
	"v=0",
	"o=- 1714000000 1 IN IP4 192.0.2.3",
	"s=Media Presentation",
	"c=IN IP4 0.0.0.0",
	"b=AS:5100",
	"t=0 0",
	"a=control:rtsp://192.0.2.3:554/Streaming/Channels/101/",
	"m=video 0 RTP/AVP 96",
	"b=AS:5000",
	"a=recvonly",
	"a=control:rtsp://192.0.2.3:554/Streaming/Channels/101/trackID=1",
	"a=rtpmap:96 H264/90000",
	"a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=Z00AKZpkA8ARPyzUBAQFAAADA+gAAMNQBA==,aO48gA==",
	"m=audio 0 RTP/AVP 8",
	"a=recvonly",
	"a=control:rtsp://192.0.2.3:554/Streaming/Channels/101/trackID=2",
	"a=rtpmap:8 PCMA/8000",
	"m=application 0 RTP/AVP 107",
	"a=control:trackID=3",
	"a=rtpmap:107 vnd.onvif.metadata/90000",
].join("\r\n");

const media = (...lines: string[]) => parseSourceDescription(lines.join("\r\n")).media;

describe("the description of a source", () => {
	it("gives a track and a control for each media", () => {
		const { control, media, skipped } = parseSourceDescription(CAMERA);
		expect(control).toBe("rtsp://192.0.2.3:554/Streaming/Channels/101/");
		expect(media.map(({ control, track }) => [track.kind, track.codec.name, control.slice(-9)])).toEqual([
			["video", "H264", "trackID=1"],
			["audio", "G711", "trackID=2"],
			["application", "Generic", "trackID=3"],
		]);
		expect(media[0]?.track.rtp).toMatchObject({ payloadType: 96, encoding: "H264/90000" });
		expect(skipped).toEqual([]);
	});

	it("needs no v=0, no order of lines, and no known line ends", () => {
		expect(media("m=audio 0 RTP/AVP 0")).toHaveLength(1);
		expect(parseSourceDescription("\nm=audio 0 RTP/AVP 0\ra=control:x\r\r\n").media[0]?.control).toBe("x");
	});

	it("takes static payload types without a map, or with half of one", () => {
		expect(media("m=audio 0 RTP/AVP 0")[0]?.track.rtp.encoding).toBe("PCMU/8000");
		expect(media("m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA")[0]?.track.rtp.encoding).toBe("PCMA/8000");
		expect(media("m=video 0 RTP/AVP 26")[0]?.track.codec.name).toBe("M-JPEG");
	});

	it("bears spaces and capitals where there should be none", () => {
		const [video] = media(
			" m = video  49170/2  RTP/AVP  97 ",
			"A=RTPMAP: 97   H264 / 90000 ",
			"a=fmtp:97  packetization-mode=1 ",
			"a=Control: track1 ",
		);
		expect(video).toMatchObject({
			control: "track1",
			port: 49_170,
			track: { codec: { name: "H264" }, rtp: { payloadType: 97, fmtp: "packetization-mode=1" } },
		});
	});

	it("takes a media line's format that is known among several, and the map's when it has none", () => {
		const several = media("m=video 0 RTP/AVP 98 96", "a=rtpmap:98 x-odd/90000", "a=rtpmap:96 H265/90000");
		expect(several[0]?.track.rtp.payloadType).toBe(96);
		expect(media("m=video 0 RTP/AVP", "a=rtpmap:96 H264/90000")[0]?.track.codec.name).toBe("H264");
		expect(media("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264")[0]?.track.clockRate).toBe(90_000);
	});

	it("does not take a media line of payload type 9 for one of 96", () => {
		const [audio] = media("m=audio 0 RTP/AVP 9", "a=rtpmap:96 H264/90000");
		expect(audio?.track.codec.name).toBe("G722");
	});

	it("tells the group of multicast, of the media or of the session", () => {
		const found = media(
			"c=IN IP4 239.1.1.1/16",
			"m=video 5000 RTP/AVP 96",
			"a=rtpmap:96 H264/90000",
			"m=audio 5002 RTP/AVP 0",
			"c=IN IP4 239.1.1.2/16",
		);
		expect(found.map(({ address, port }) => [address, port])).toEqual([
			["239.1.1.1", 5000],
			["239.1.1.2", 5002],
		]);
	});

	it("leaves a channel to talk back out only when other audio shows that it is one", () => {
		const audio = (...directions: string[]) =>
			media(...directions.flatMap((direction, i) => ["m=audio 0 RTP/AVP 0", `a=control:${i}`, `a=${direction}`])).map(
				({ control }) => control,
			);
		expect(audio("recvonly", "sendonly")).toEqual(["0"]);
		expect(audio("sendonly", "recvonly")).toEqual(["1"]);
		expect(audio("sendonly")).toEqual(["0"]);
		expect(audio("recvonly")).toEqual(["0"]);
		expect(audio("sendonly", "sendonly")).toEqual(["0", "1"]);
	});

	it("finds the channels to talk back when it was asked for them, those with a known codec first", () => {
		const found = (...sections: string[]) => {
			const { media, backChannels } = parseSourceDescription(sections.join("\n"), false, true);
			return [media.map(({ control }) => control), backChannels.map(({ control }) => control)];
		};
		const video = "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:v";
		const audio = (control: string, direction: string) => `m=audio 0 RTP/AVP 0\na=control:${control}\na=${direction}`;
		const unknown = "m=audio 0 RTP/AVP 97\na=rtpmap:97 X-ODD/8000\na=control:odd\na=sendonly";
		expect(found(video, unknown, audio("b", "sendonly"))).toEqual([["v"], ["b", "odd"]]);
		expect(found(audio("a", "recvonly"), audio("b", "sendonly"))).toEqual([["a"], ["b"]]);
		expect(found(audio("a", "recvonly"))).toEqual([["a"], []]);
		// A camera that does not know what ONVIF means, and says what it does itself.
		expect(found(`${video}\na=sendonly`, audio("a", "sendonly"))).toEqual([["v", "a"], []]);
		expect(parseSourceDescription([video, audio("b", "sendonly")].join("\n")).backChannels).toEqual([]);
	});

	it("leaves out what it cannot receive, and says why", () => {
		const { media, skipped } = parseSourceDescription(
			"m=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000\nm=audio 0 RTP/AVP 99\nm=x 0 udp 1\nm=audio 0 RTP/AVP 0",
		);
		expect(media).toHaveLength(1);
		expect(skipped).toEqual([
			expect.stringContaining("is encrypted"),
			expect.stringContaining("no payload type"),
			expect.stringContaining("is not RTP"),
		]);
	});

	it("takes SRTP for plain RTP when TLS is around it", () => {
		const text = "m=audio 0 RTP/SAVP 0";
		expect(parseSourceDescription(text, true).media).toHaveLength(1);
		expect(() => parseSourceDescription(text)).toThrow(/rtsps/);
	});

	it("says the MIKEY message of each media, or else of the session", () => {
		const text = [
			"a=key-mgmt:mikey c2Vzc2lvbg==",
			"m=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000\na=key-mgmt:other eA==\na=Key-Mgmt: MIKEY bWVkaWE=",
			"m=audio 0 RTP/SAVP 0\na=key-mgmt:other eA==",
		];
		const keysIn = (lines: string[]) =>
			parseSourceDescription(lines.join("\n"), true).media.map(({ keyManagement }) => keyManagement);
		expect(keysIn(text)).toEqual(["bWVkaWE=", "c2Vzc2lvbg=="]);
		expect(keysIn(text.slice(2))).toEqual([null]);
	});

	it("is refused when nothing is left, or too much is there", () => {
		expect(() => parseSourceDescription("v=0\r\ns=x\r\n")).toThrow(ProtocolError);
		expect(() => parseSourceDescription("")).toThrow(ProtocolError);
		expect(() => parseSourceDescription("m=audio 0 RTP/AVP 0\n".repeat(17))).toThrow(/more than 16/);
	});

	it("survives every truncation", () => {
		for (let end = 0; end < CAMERA.length; end++) {
			try {
				parseSourceDescription(CAMERA.slice(0, end));
			} catch (error) {
				expect(error).toBeInstanceOf(ProtocolError);
			}
		}
	});
});

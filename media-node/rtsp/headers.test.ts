import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { answerDigest, parseChallenges } from "./client-auth.ts";
import { Challenge } from "./credentials.ts";
import { announcedIndexOf, mediaIndexOf, parseRtspUrl, pathOf, pathOfSetup } from "./rtsp-url.ts";
import { MAX_MEDIA, parseAnnouncement, writeDescription } from "./sdp.ts";
import { parseTransport, writeTransport } from "./transport.ts";

function codeOf(run: () => unknown): string {
	try {
		run();
		return "accepted";
	} catch (error) {
		if (error instanceof SluiceError) return error.code;
		throw error;
	}
}

describe("RTSP URLs", () => {
	it.each([
		["rtsp://host/cam01", "cam01", "rtsp://host", ""],
		["rtsp://host:8554/cam01/", "cam01", "rtsp://host:8554", ""],
		["rtsp://[::1]:8554/site/cam01?token=a.b.c", "site/cam01", "rtsp://[::1]:8554", "a.b.c"],
		["rtsp://host/cam01?token=a.b.c/", "cam01", "rtsp://host", "a.b.c"],
		["RTSP://user:p%40ss@host/site%2Fcam01", "site/cam01", "rtsp://host", ""],
	])("tell the path of %s", (text, path, origin, token) => {
		const url = parseRtspUrl(text);
		expect([pathOf(url), url.origin, url.query.get("token") ?? ""]).toEqual([path, origin, token]);
	});

	it("tell user and password, decoded", () => {
		expect(parseRtspUrl("rtsp://us%3Aer:p%40ss@host/x")).toMatchObject({ user: "us:er", password: "p@ss" });
	});

	it.each(["http://host/x", "*", "rtsp://", "rtsp:///x", "rtsp://host/%zz", `rtsp://host/${"x".repeat(9000)}`])(
		"refuse %.40s",
		(text) => {
			expect(codeOf(() => parseRtspUrl(text))).toBe("rtsp.malformed");
		},
	);

	it.each(["rtsp://host/../etc", "rtsp://host/", "rtsp://host/a b", "rtsp://host/a~b"])(
		"name no path that is none: %s",
		(text) => {
			expect(["path.name", "accepted"]).toContain(codeOf(() => pathOf(parseRtspUrl(text))));
			expect(codeOf(() => pathOf(parseRtspUrl("rtsp://host/a~b")))).toBe("path.name");
		},
	);

	it("tell the media of a reader's SETUP", () => {
		const url = "rtsp://host/site/cam01/trackID=2";
		expect([mediaIndexOf(url), pathOfSetup(parseRtspUrl(url))]).toEqual([2, "site/cam01"]);
		expect(mediaIndexOf("rtsp://host/cam01")).toBeNull();
	});

	it.each([
		["rtsp://host/cam01/streamid=1", ["streamid=0", "streamid=1"], 1],
		["rtsp://host/cam01?token=x/streamid=1", ["streamid=0", "streamid=1"], 1],
		["rtsp://user:pass@host/cam01/a", ["rtsp://host/cam01/v", "rtsp://host/cam01/a"], 1],
		["rtsp://host/cam01/stream=0/", ["stream=0", "stream=1"], 0],
		["rtsp://host/cam01/elsewhere", ["stream=0", "stream=1"], -1],
		["rtsp://host/cam01", [""], 0],
	])("tell the media of a publisher's SETUP: %s", (url, controls, index) =>
		expect(announcedIndexOf(url, controls)).toBe(index),
	);
});

describe("the Transport header", () => {
	it.each([
		[
			"RTP/AVP/TCP;unicast;interleaved=2-3",
			{ protocol: "tcp", secure: false, interleaved: [2, 3], clientPorts: null, multicast: false, mode: "play" },
		],
		[
			"RTP/AVP;unicast;client_port=5000-5001",
			{
				protocol: "udp",
				secure: false,
				interleaved: null,
				clientPorts: [5000, 5001],
				multicast: false,
				mode: "play",
			},
		],
		[
			'RTP/AVP/UDP;unicast;client_port=5000;mode="RECORD"',
			{
				protocol: "udp",
				secure: false,
				interleaved: null,
				clientPorts: [5000, 5001],
				multicast: false,
				mode: "record",
			},
		],
		[
			"rtp/savp;multicast;mode=receive",
			{ protocol: "udp", secure: true, interleaved: null, clientPorts: null, multicast: true, mode: "record" },
		],
	])("offers %s", (text, offer) => expect(parseTransport(text)).toEqual([offer]));

	it("offers several, in their order, and leaves out what is not RTP/AVP", () => {
		expect(
			parseTransport("RAW/RAW/UDP, RTP/FOO;unicast, RTP/AVP/TCP, RTP/AVP").map(({ protocol }) => protocol),
		).toEqual(["tcp", "udp"]);
		expect(parseTransport("")).toEqual([]);
	});

	it.each([
		"RTP/AVP/TCP;interleaved=0-256",
		"RTP/AVP;client_port=0-1",
		"RTP/AVP;client_port=70000-70001",
		"RTP/AVP/TCP;interleaved=a-b",
		"RTP/AVP;client_port=65535",
	])("refuses %s", (text) => {
		expect(codeOf(() => parseTransport(text))).toBe("rtsp.malformed");
	});

	it("answers with what was agreed on", () => {
		expect(writeTransport({ protocol: "tcp", secure: false, channels: [0, 1] }, "play", 0xabc)).toBe(
			"RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000ABC",
		);
		expect(
			writeTransport(
				{ protocol: "udp", secure: true, clientPorts: [5000, 5001], serverPorts: [8000, 8001] },
				"record",
				null,
			),
		).toBe("RTP/SAVP/UDP;unicast;client_port=5000-5001;server_port=8000-8001;mode=record");
		const multicast = {
			protocol: "multicast",
			secure: false,
			group: "224.1.0.1",
			ports: [8002, 8003],
			ttl: 16,
		} as const;
		expect(writeTransport(multicast, "play", null)).toBe(
			"RTP/AVP/UDP;multicast;destination=224.1.0.1;port=8002-8003;ttl=16",
		);
	});
});

const FFMPEG_SDP = `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=tool:libavformat\r\nm=video 0 RTP/AVP 96\r\nb=AS:800\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkAoD2hAAADAAEAAAMAPA8WLZI=,aMuDyyA=; profile-level-id=42C01E\r\na=control:streamid=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3; config=1190\r\na=control:streamid=1\r\n`;

describe("session descriptions", () => {
	it("tell what ffmpeg announces", () => {
		const [video, audio] = parseAnnouncement(FFMPEG_SDP);
		expect(video).toMatchObject({
			control: "streamid=0",
			track: {
				kind: "video",
				clockRate: 90_000,
				codec: { name: "H264" },
				rtp: { payloadType: 96, encoding: "H264/90000" },
			},
		});
		expect(audio).toMatchObject({
			control: "streamid=1",
			track: { kind: "audio", clockRate: 48_000, codec: { name: "MPEG-4 Audio" } },
		});
	});

	it("tell what we describe to a reader", () => {
		const tracks = parseAnnouncement(FFMPEG_SDP).map(({ track }, index) => ({ ...track, index }));
		const again = parseAnnouncement(writeDescription(tracks, { title: "cam01", isV6: false, keyOf: null }));
		expect(again.map(({ track, control }, index) => ({ ...track, index, control }))).toEqual(
			tracks.map((track) => ({ ...track, control: `trackID=${track.index}` })),
		);
		expect(writeDescription(tracks, { title: "x", isV6: true, keyOf: null })).toContain("c=IN IP6 ::");
		const secure = parseAnnouncement(
			writeDescription(tracks, { title: "x", isV6: false, keyOf: (track) => `key${track}` }),
		);
		expect(secure.map(({ keyManagement }) => keyManagement)).toEqual(["key0", "key1"]);
	});

	it.each([
		["nothing", "", "rtsp.malformed"],
		["HTML", "<html>", "rtsp.malformed"],
		["no media", "v=0\r\n", "media.unsupported"],
		["a media line that is none", "v=0\nm=video\n", "rtsp.malformed"],
		["a payload type that is none", "v=0\nm=video 0 RTP/AVP 128\n", "rtsp.malformed"],
		["another protocol", "v=0\nm=video 0 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 H264/90000\n", "media.unsupported"],
		["no clock rate", "v=0\nm=video 0 RTP/AVP 96\n", "media.unsupported"],
		["a static payload type", "v=0\nm=audio 0 RTP/AVP 0\n", "accepted"],
		["ONVIF metadata", "v=0\nm=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\n", "accepted"],
		["too many media", `v=0\n${"m=audio 0 RTP/AVP 0\n".repeat(MAX_MEDIA + 1)}`, "bytes.limit"],
		["as many media as may be", `v=0\n${"m=audio 0 RTP/AVP 0\n".repeat(MAX_MEDIA)}`, "accepted"],
	])("answer %s", (_, text, code) => expect(codeOf(() => parseAnnouncement(text))).toBe(code));
});

describe("credentials", () => {
	const url = parseRtspUrl("rtsp://u:p@host/cam?jwt=tok");
	it.each([
		[undefined, { user: "u", password: "p", token: "tok" }],
		["Bearer a.b.c", { user: "", password: "", token: "a.b.c" }],
		[`basic ${Buffer.from("me:se:cret").toString("base64")}`, { user: "me", password: "se:cret", token: "tok" }],
	])("come from the Authorization header %s, or the URL", (header, credentials) => {
		const headers = new Map(header === undefined ? [] : [["authorization", header]]);
		expect(new Challenge(["basic"]).credentialsOf("DESCRIBE", headers, url)).toEqual(credentials);
	});

	it.each(["Kerberos x", "Basic !!!", `Basic ${"x".repeat(9000)}`])("are refused: %.20s", (header) => {
		expect(
			codeOf(() => new Challenge(["basic"]).credentialsOf("DESCRIBE", new Map([["authorization", header]]), url)),
		).toBe("rtsp.malformed");
	});

	it("are those of OBS in a bearer token", () => {
		expect(
			new Challenge(["basic"]).credentialsOf("ANNOUNCE", new Map([["authorization", "Bearer me:se:cret"]]), url),
		).toEqual({
			user: "me",
			password: "se:cret",
			token: "",
		});
	});

	it.each(["MD5", "SHA-256"])("are proved by Digest with %s, without being told", (algorithm) => {
		const challenge = new Challenge(["digest", "basic"]);
		expect(challenge.headers.map((header) => header.split(" ")[0])).toEqual(["Digest", "Digest", "Basic"]);
		const asked = parseChallenges(challenge.headers.join(", ")).find(
			(each) => each.scheme === "digest" && each.algorithm === algorithm,
		);
		if (asked?.scheme !== "digest") throw new Error("There is no such challenge");
		const use = { method: "DESCRIBE", uri: "rtsp://h/cam", count: 1, cnonce: "0a4f113b" };
		const authorization = answerDigest(asked, { user: "me", password: "se:cret" }, use);
		const read = (method: string, other = challenge) =>
			other.credentialsOf(method, new Map([["authorization", authorization]]), url);
		expect(read("DESCRIBE")).toMatchObject({ user: "me", password: "" });
		expect(read("DESCRIBE").proof?.("me", "se:cret")).toBe(true);
		expect(read("DESCRIBE").proof?.("me", "other")).toBe(false);
		expect(read("DESCRIBE").proof?.("you", "se:cret")).toBe(false);
		expect(read("ANNOUNCE").proof?.("me", "se:cret")).toBe(false);
		// Of another connection, it is nothing at all.
		expect(read("DESCRIBE", new Challenge(["digest"]))).toEqual({ user: "", password: "", token: "tok" });
	});
});

import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { CAMERA_SDP, type CameraRequest, FakeCamera } from "../../test/support/fake-camera.ts";
import { type Pull, pullFrom } from "../../test/support/pull.ts";
import { nal, recordingLogger, rtpPacket } from "../../test/support/rtp-stream.ts";
import { writeRtcp } from "../rtp/rtcp-packet.ts";

const VIDEO = rtpPacket({ payloadType: 96, sequence: 7, timestamp: 90, ssrc: 5, payload: nal(5) });

const codeOf = async (ended: Promise<unknown>) => {
	const error = await ended;
	if (!(error instanceof SluiceError)) throw new Error("It did not end as it should", { cause: error });
	return error.code;
};
const playing = (camera: FakeCamera) =>
	eventually("a PLAY", () => camera.requests.find(({ method }) => method === "PLAY")?.connection);

/** Until nothing is waited for but the next second. */
const settled = (pull: Pull) =>
	eventually("it waits for media", () => pull.published === 1 && pull.clock.pending === 1);

describe("an RTSP source over TCP", () => {
	it("asks what there is, sets it all up, plays, publishes what comes, and says goodbye", async () => {
		await using camera = await FakeCamera.open();
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam?x=1`);
		const connection = await playing(camera);
		connection.frame(0, VIDEO);
		connection.frame(9, VIDEO);
		await eventually("the packet", () => pull.packets.length === 1);
		expect(pull.packets[0]).toEqual({ track: 0, bytes: VIDEO });
		expect(pull.flushes).toBeGreaterThan(0);
		expect(pull.tracks?.map(({ codec }) => codec.name)).toEqual(["H264", "G711"]);
		expect(pull.remoteAddress).toBe(`127.0.0.1:${camera.port}`);
		expect(await codeOf(pull.stop())).toBe("aborted");
		const url = `rtsp://127.0.0.1:${camera.port}/cam?x=1`;
		expect(camera.requests.map(({ method, url }) => [method, url])).toEqual([
			["OPTIONS", url],
			["DESCRIBE", url],
			["SETUP", `${url}/trackID=1`],
			["SETUP", `${url}/trackID=2`],
			["PLAY", url],
			["TEARDOWN", url],
		]);
		expect(camera.requests.map(({ headers }) => headers.get("session"))).toEqual([
			undefined,
			undefined,
			undefined,
			"s1",
			"s1",
			"s1",
		]);
		expect(camera.requests[0]?.headers.get("user-agent")).toBe("Sluice");
		expect(camera.requests[4]?.headers.get("range")).toBe("npt=0.000-");
		expect(pull.clock.pending).toBe(0);
	});

	it("takes the channels that the server gives, and packets that come before PLAY is answered", async () => {
		await using camera = await FakeCamera.open((request) => {
			const { method, url, connection } = request;
			if (method === "PLAY") connection.frame(20, VIDEO);
			if (method !== "SETUP") return undefined;
			const first = url.endsWith("trackID=1") ? 20 : 30;
			return { status: 200, headers: { Session: "s1", Transport: `RTP/AVP/TCP;interleaved=${first}-${first + 1}` } };
		});
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		const connection = await playing(camera);
		const rtpTime = 90;
		connection.frame(
			31,
			writeRtcp([
				{ type: "SR", ssrc: 5, ntp: { seconds: 1, fraction: 0 }, rtpTime, packets: 1, octets: 1, reports: [] },
			]),
		);
		await eventually("the report", () => pull.reports.length === 1);
		expect(pull.reports).toEqual([{ track: 1, rtpTime }]);
		expect(pull.packets.map(({ track }) => track)).toEqual([0]);
	});

	it("sends receiver reports every five seconds, and keeps the session alive at half of its time", async () => {
		await using camera = await FakeCamera.open();
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		const connection = await playing(camera);
		await settled(pull);
		for (let second = 1; second <= 31; second++) {
			const before = pull.packets.length;
			connection.frame(0, VIDEO);
			await eventually("the packet", () => pull.packets.length > before);
			await pull.clock.advance(1000);
		}
		await eventually("both", () => camera.methods.filter((method) => method === "GET_PARAMETER").length === 2);
		await eventually("the reports", () => connection.frames.length >= 6);
		expect(connection.frames).toHaveLength(6);
		// An RTCP receiver report about the source, on the RTCP channel. RFC 3550 §6.4.2.
		expect([connection.frames[0]?.channel, connection.frames[0]?.bytes[1]]).toEqual([1, 201]);
		expect(connection.frames[0]?.bytes.subarray(8, 12)).toEqual(Uint8Array.of(0, 0, 0, 5));
	});

	it("keeps alive with OPTIONS where there is no GET_PARAMETER, and does not mind errors or silence about it", async () => {
		let asked = 0;
		await using camera = await FakeCamera.open(({ method, headers }) => {
			if (method !== "OPTIONS") return undefined;
			if (!headers.has("session")) return { status: 200, headers: { Public: "DESCRIBE, SETUP, TEARDOWN, PLAY" } };
			asked++;
			return asked === 1 ? { status: 500 } : null;
		});
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		const connection = await playing(camera);
		await settled(pull);
		for (let second = 1; second <= 45; second++) {
			const before = pull.packets.length;
			connection.frame(0, VIDEO);
			await eventually("the packet", () => pull.packets.length > before);
			await pull.clock.advance(1000);
		}
		await eventually("keep-alives", () => asked >= 2);
		expect(await codeOf(pull.stop())).toBe("aborted");
	});

	it("ends when the source is silent for the read time-out", async () => {
		await using camera = await FakeCamera.open();
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		await playing(camera);
		await settled(pull);
		await eventually("the end", async () => {
			await pull.clock.advance(1000);
			return Promise.race([pull.ended, false]);
		});
		expect(await codeOf(pull.ended)).toBe("rtsp.timeout");
		expect(camera.methods.at(-1)).toBe("TEARDOWN");
	});

	it("ends when the source closes the connection, or speaks what is no RTSP", async () => {
		await using camera = await FakeCamera.open();
		await using first = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		(await playing(camera)).socket.end();
		expect(await codeOf(first.ended)).toBe("session.closed");
		await using second = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		await eventually("a second PLAY", () => camera.methods.filter((method) => method === "PLAY").length === 2);
		camera.connections[1]?.send("GARBAGE\r\n\r\n");
		expect(await codeOf(second.ended)).toBe("rtsp.malformed");
	});

	it("does not wait longer than a second for the answer to its goodbye", async () => {
		await using camera = await FakeCamera.open(({ method }) => (method === "TEARDOWN" ? null : undefined));
		const pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		await playing(camera);
		await settled(pull);
		const ended = pull.stop();
		await eventually("the goodbye", () => camera.methods.at(-1) === "TEARDOWN");
		expect(await Promise.race([ended, "still there"])).toBe("still there");
		await pull.clock.advance(1000);
		expect(await codeOf(ended)).toBe("aborted");
		expect(pull.clock.pending).toBe(0);
	});

	it("answers what the source asks in between", async () => {
		await using camera = await FakeCamera.open();
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		const connection = await playing(camera);
		connection.send("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nREDIRECT * RTSP/1.0\r\nCSeq: 2\r\n\r\n");
		await eventually("two answers", () => connection.responses.length === 2);
		expect(connection.responses).toEqual([200, 501]);
		expect(pull.published).toBe(1);
	});

	it("bears answers without a CSeq, and those of 1xx and of other numbers between", async () => {
		await using camera = await FakeCamera.open(({ method, connection, headers }) => {
			if (method !== "DESCRIBE") return undefined;
			connection.send(
				`RTSP/1.0 100 Continue\r\nCSeq: ${headers.get("cseq")}\r\n\r\nRTSP/1.0 404 Late\r\nCSeq: 999\r\n\r\n`,
			);
			connection.send(`RTSP/1.0 200 OK\r\nContent-Length: ${CAMERA_SDP.length}\r\n\r\n${CAMERA_SDP}`);
			return null;
		});
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		await playing(camera);
		expect(pull.published).toBe(1);
	});

	it("gives up on a server that does not answer", async () => {
		await using camera = await FakeCamera.open(() => null);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		await eventually("the question", () => camera.methods.length === 1);
		await pull.clock.advance(10_000);
		expect(await codeOf(pull.ended)).toBe("rtsp.timeout");
	});

	it("says so when nobody is there", async () => {
		const camera = await FakeCamera.open();
		const { port } = camera;
		await camera[Symbol.asyncDispose]();
		await using pull = pullFrom(`rtsp://user:secret@127.0.0.1:${port}/cam`);
		expect(await codeOf(pull.ended)).toBe("source.unreachable");
		expect(String(await pull.ended)).not.toContain("secret");
	});
});

describe("what a camera may answer", () => {
	it("sends somewhere else, and keeps the credentials for its own host only", async () => {
		const shown = (request: CameraRequest) => request.headers.get("authorization") ?? null;
		await using other = await FakeCamera.open(({ method, headers }) =>
			method === "OPTIONS" && !headers.has("authorization")
				? { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } }
				: undefined,
		);
		await using camera = await FakeCamera.open(({ method }) =>
			method === "DESCRIBE"
				? { status: 302, headers: { Location: `rtsp://localhost:${other.port}/moved` } }
				: undefined,
		);
		await using pull = pullFrom(`rtsp://u:p@127.0.0.1:${camera.port}/cam`);
		expect(await codeOf(pull.ended)).toBe("access.credentials");
		expect(other.requests.map(shown)).toEqual([null]);
		expect(other.requests[0]?.url).toBe(`rtsp://localhost:${other.port}/moved`);
	});

	it("follows five redirects, and no more", async () => {
		await using camera = await FakeCamera.open(({ method, url }) =>
			method === "DESCRIBE" ? { status: 301, headers: { Location: `${url}x` } } : undefined,
		);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		expect(await codeOf(pull.ended)).toBe("rtsp.malformed");
		expect(camera.methods.filter((method) => method === "DESCRIBE")).toHaveLength(6);
		await eventually("no connection", () => camera.connections.every(({ isClosed }) => isClosed));
	});

	it.each([
		[403, "access.forbidden"],
		[404, "source.unreachable"],
		[503, "source.unreachable"],
		[500, "rtsp.state"],
	])("%i to DESCRIBE ends it with %s", async (status, code) => {
		await using camera = await FakeCamera.open(({ method }) => (method === "DESCRIBE" ? { status } : undefined));
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		expect(await codeOf(pull.ended)).toBe(code);
	});

	it("asks for credentials in Digest, with a new nonce now and then", async () => {
		let nonce = 1;
		await using camera = await FakeCamera.open((request) => {
			const shown = request.headers.get("authorization") ?? "";
			if (shown.includes(`nonce="${nonce}"`)) {
				// The nonce of each answer but those to SETUP has had its day.
				if (request.method !== "SETUP") nonce++;
				return undefined;
			}
			const stale = shown === "" ? "" : ", stale=true";
			return {
				status: 401,
				headers: { "WWW-Authenticate": `Digest realm="cam", nonce="${nonce}", qop="auth"${stale}` },
			};
		});
		await using pull = pullFrom(`rtsp://u:p@127.0.0.1:${camera.port}/cam`);
		await playing(camera);
		await eventually("it publishes", () => pull.published === 1);
		expect(camera.requests.every(({ url }) => !url.includes("u:p"))).toBe(true);
	});

	it("says no to credentials once, and is not asked again and again", async () => {
		let nonce = 0;
		await using camera = await FakeCamera.open(() => ({
			status: 401,
			headers: { "WWW-Authenticate": `Digest realm="cam", nonce="${nonce++}", Basic realm="cam"` },
		}));
		await using wrong = pullFrom(`rtsp://u:secret@127.0.0.1:${camera.port}/cam`);
		expect(await codeOf(wrong.ended)).toBe("access.credentials");
		expect(String(await wrong.ended)).not.toContain("secret");
		expect(camera.requests).toHaveLength(2);
		await using nobody = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		expect(String(await nobody.ended)).toContain("put them into its URL");
	});

	it("refuses OPTIONS, and a media that is neither video nor audio, and goes on", async () => {
		const sdp = `${CAMERA_SDP}m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:meta\r\n`;
		const log = recordingLogger();
		await using camera = await FakeCamera.open(({ method, url }) => {
			if (method === "OPTIONS") return { status: 501 };
			if (method === "DESCRIBE") return { status: 200, body: sdp };
			return url.endsWith("meta") ? { status: 454 } : undefined;
		});
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, {}, log);
		await playing(camera);
		expect(pull.tracks).toHaveLength(2);
		expect(log.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
	});

	it("stands on its Content-Base", async () => {
		await using camera = await FakeCamera.open(({ method }) =>
			method === "DESCRIBE"
				? { status: 200, headers: { "Content-Base": "rtsp://10.0.0.9/inner/" }, body: CAMERA_SDP }
				: undefined,
		);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
		await playing(camera);
		await pull.stop();
		expect(camera.requests.slice(2).map(({ url }) => url)).toEqual([
			"rtsp://10.0.0.9/inner/trackID=1",
			"rtsp://10.0.0.9/inner/trackID=2",
			"rtsp://10.0.0.9/inner/",
			"rtsp://10.0.0.9/inner/",
		]);
	});

	it("gives no Transport, no Session, or one channel to two media", async () => {
		await using silent = await FakeCamera.open(({ method }) => (method === "SETUP" ? { status: 200 } : undefined));
		await using pull = pullFrom(`rtsp://127.0.0.1:${silent.port}/cam`);
		(await playing(silent)).frame(2, VIDEO);
		await eventually("the packet", () => pull.packets.length === 1);
		expect(pull.packets[0]?.track).toBe(1);
		await using twice = await FakeCamera.open(({ method }) =>
			method === "SETUP" ? { status: 200, headers: { Transport: "RTP/AVP/TCP;interleaved=0-1" } } : undefined,
		);
		await using other = pullFrom(`rtsp://127.0.0.1:${twice.port}/cam`);
		expect(await codeOf(other.ended)).toBe("rtsp.transport");
	});

	it("is asked for a range and a scale when they are configured", async () => {
		await using camera = await FakeCamera.open();
		await using _pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, {
			rtspRangeType: "clock",
			rtspRangeStart: "20230812T120000Z",
			rtspScale: "2",
		});
		await playing(camera);
		const headers = camera.requests.at(-1)?.headers;
		expect([headers?.get("range"), headers?.get("scale")]).toEqual(["clock=20230812T120000Z-", "2"]);
	});

	it("may not be asked in ways that the URL rules out", async () => {
		await using udp = pullFrom("rtsps+http://127.0.0.1:1/cam", { rtspTransport: "udp" });
		expect(await codeOf(udp.ended)).toBe("config.invalid");
		await using ws = pullFrom("rtsp+ws://127.0.0.1:1/cam", { rtspTransport: "multicast" });
		expect(await codeOf(ws.ended)).toBe("config.invalid");
	});
});

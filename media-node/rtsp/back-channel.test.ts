import dgram from "node:dgram";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathConfig } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type CameraAnswer, type CameraRequest, FakeCamera } from "../../test/support/fake-camera.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { recordingLogger, rtpPacket } from "../../test/support/rtp-stream.ts";
import { type RtspClient, type RtspWorld, rtspWorld } from "../../test/support/rtsp-session.ts";
import type { Logger } from "../log.ts";
import { parseRtcp } from "../rtp/rtcp-packet.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { rtspSource } from "./rtsp-source.ts";
import { Sealer } from "./secure.ts";
import { UdpSockets } from "./udp.ts";

const TAG = "www.onvif.org/ver20/backchannel";
const REQUIRE = { Require: TAG };
const URL = "rtsp://h/cam01";

/** ONVIF Streaming Specification §5.3.2.1, with one media that is heard and one to talk. */
const SDP_BACK =
	"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n" +
	"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\na=recvonly\r\n";
const BACK = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:back\r\na=sendonly\r\n";

/** A camera that hears, if it is asked in the way that ONVIF says. */
function hearing(request: CameraRequest): CameraAnswer | undefined {
	if (request.method !== "DESCRIBE") return undefined;
	const wants = request.headers.get("require") === TAG;
	return { status: 200, headers: { "Content-Type": "application/sdp" }, body: SDP_BACK + (wants ? BACK : "") };
}

/** Pulls from the camera into the world's path cam01. */
function pull(
	camera: FakeCamera,
	world: RtspWorld,
	config: Partial<PathConfig> = {},
	log: Logger = pino({ level: "silent" }),
) {
	const stop = new AbortController();
	const path = parsePathName("cam01");
	const context = {
		path,
		source: `rtsp://127.0.0.1:${camera.port}/cam`,
		config: { ...DEFAULT_PATH_CONFIG, rtspTransport: "tcp" as const, rtspBackChannel: true, ...config },
		clock: world.clock,
		log,
		readTimeoutMs: 600_000,
		writeTimeoutMs: 10_000,
	};
	const run = async (): Promise<unknown> => {
		let close = () => {};
		try {
			return await rtspSource().run(
				{
					...context,
					publish: async (tracks, remoteAddress, backChannel) => {
						const publication = await world.table.publish({
							path,
							tracks,
							publisher: { id: "pull", protocol: "rtsp", remoteAddress },
							onEvicted: () => stop.abort(),
							...(backChannel === undefined ? {} : { backChannel }),
						});
						close = () => publication.close();
						return publication;
					},
				},
				stop.signal,
			);
		} catch (error) {
			return error;
		} finally {
			close();
		}
	};
	const ended = run();
	const end = () => {
		stop.abort();
		return ended;
	};
	return { stop: end, ended, [Symbol.asyncDispose]: async () => void (await end()) };
}

const played = (camera: FakeCamera) =>
	eventually("a PLAY", async () => {
		const connection = camera.requests.find(({ method }) => method === "PLAY")?.connection;
		await settle();
		return connection;
	});
const TCP = (channels: string, profile = "AVP") => ({
	Transport: `RTP/${profile}/TCP;unicast;interleaved=${channels}`,
	...REQUIRE,
});

/** DESCRIBE to PLAY, with pictures and the way back. */
async function talkTo(client: RtspClient) {
	const described = await client.ask("DESCRIBE", URL, REQUIRE);
	await client.ask("SETUP", `${URL}/trackID=0`, TCP("0-1"));
	const setup = await client.ask("SETUP", `${URL}/trackID=1`, TCP("2-3"));
	const play = await client.ask("PLAY", URL, REQUIRE);
	return { described, setup, play };
}

const said = (index: number, more = {}) =>
	rtpPacket({
		payloadType: 8,
		sequence: 65_534 + index,
		timestamp: 160 * index,
		ssrc: 77,
		payload: Buffer.from(`word ${index}`),
		...more,
	});
const read = (bytes: Uint8Array) => {
	const packet = newRtpPacket();
	if (!readRtpPacket(packet, bytes, 0, bytes.length)) throw new Error("The camera got what is no RTP");
	const { payloadOffset, payloadLength } = packet;
	return { ...packet, text: Buffer.from(bytes.subarray(payloadOffset, payloadOffset + payloadLength)).toString() };
};

describe("the back channel of a camera that is pulled", () => {
	it("brings what a reader says to the camera, in order, as one source with the camera's payload type", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		const connection = await played(camera);
		expect(
			camera.requests.map(({ method, url, headers }) => [method, url.split("/cam")[1], headers.get("require")]),
		).toEqual([
			["OPTIONS", "", undefined],
			["DESCRIBE", "", TAG],
			["SETUP", "/video", TAG],
			["SETUP", "/back", TAG],
			["PLAY", "", TAG],
		]);
		expect(camera.requests[3]?.headers.get("transport")).toBe("RTP/AVP/TCP;unicast;interleaved=2-3");

		const client = world.client();
		const { described, setup, play } = await talkTo(client);
		expect(described.body).toContain("a=control:trackID=0\r\na=recvonly\r\n");
		expect(described.body).toMatch(
			/m=audio 0 RTP\/AVP 8\r\na=rtpmap:8 PCMA\/8000\r\na=control:trackID=1\r\na=sendonly\r\n$/,
		);
		expect([setup.status, setup.headers["Transport"], play.status]).toEqual([
			200,
			"RTP/AVP/TCP;unicast;interleaved=2-3",
			200,
		]);
		for (const index of [0, 1, 2, 3]) client.frame(2, said(index));
		// Of another format, on another channel, and no RTP: nobody is to hear that.
		client.frame(2, said(9, { payloadType: 0 }));
		client.frame(0, said(9));
		client.frame(2, Uint8Array.of(1, 2, 3));
		client.frame(2, said(4));
		await eventually("what was said", () => connection.frames.length === 5);
		const heard = connection.frames.map(({ bytes }) => read(bytes));
		expect(connection.frames.map(({ channel }) => channel)).toEqual([2, 2, 2, 2, 2]);
		expect(heard.map(({ text }) => text)).toEqual(["word 0", "word 1", "word 2", "word 3", "word 4"]);
		expect(new Set(heard.map(({ payloadType }) => payloadType))).toEqual(new Set([8]));
		expect(new Set(heard.map(({ ssrc }) => ssrc)).size).toBe(1);
		expect(heard[0]?.ssrc).not.toBe(77);
		const [first = read(said(0))] = heard;
		expect(heard.map(({ sequence }) => (sequence - first.sequence) & 0xffff)).toEqual([0, 1, 2, 3, 4]);
		expect(heard.map(({ timestamp }) => (timestamp - first.timestamp) >>> 0)).toEqual([0, 160, 320, 480, 640]);
	});

	it("reports to the camera as a sender every five seconds while somebody talks", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		const connection = await played(camera);
		const client = world.client();
		await talkTo(client);
		await world.wait(6);
		expect(connection.frames).toEqual([]);
		client.frame(2, said(0));
		await world.wait(5);
		await eventually("a report", () => connection.frames.length === 2);
		const packet = read(connection.frames[0]?.bytes ?? Uint8Array.of());
		expect(connection.frames[1]?.channel).toBe(3);
		expect(parseRtcp(connection.frames[1]?.bytes ?? Uint8Array.of())[0]).toMatchObject({
			type: "SR",
			ssrc: packet.ssrc,
			packets: 1,
			octets: 6,
		});
		await world.wait(12);
		expect(connection.frames).toHaveLength(2);
	});

	it("is one reader's at a time, and the next one goes on with the numbers", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		const connection = await played(camera);
		const [one, two] = [world.client(), world.client()];
		await talkTo(one);
		expect((await talkTo(two)).setup.status).toBe(503);
		one.frame(2, said(0));
		two.frame(2, said(5));
		await one.ask("TEARDOWN", URL);
		expect((await two.ask("SETUP", `${URL}/trackID=1`, TCP("2-3"))).status).toBe(455);
		await two.ask("TEARDOWN", URL);
		expect((await talkTo(two)).setup.status).toBe(200);
		two.frame(2, said(6));
		await eventually("both", () => connection.frames.length === 2);
		const heard = connection.frames.map(({ bytes }) => read(bytes));
		expect(heard.map(({ text }) => text)).toEqual(["word 0", "word 6"]);
		const [a = read(said(0)), b = read(said(0))] = heard;
		expect((b.sequence - a.sequence) & 0xffff).toBe(1);
		expect(b.ssrc).toBe(a.ssrc);
		two.session.close();
		expect((await talkTo(world.client())).setup.status).toBe(200);
	});

	it("is heard again when the camera comes back", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		const client = world.client();
		await using first = pull(camera, world);
		await played(camera);
		await talkTo(client);
		await first.stop();
		client.frame(2, said(0));
		camera.requests.length = 0;
		await using _second = pull(camera, world);
		const connection = await played(camera);
		client.frame(2, said(1));
		await eventually("it", () => connection.frames.length === 1);
		expect(read(connection.frames[0]?.bytes ?? Uint8Array.of()).text).toBe("word 1");
	});

	it.each([551, 454, 500, 400])("goes on without where the camera answers the header with %i", async (status) => {
		await using camera = await FakeCamera.open((request) =>
			request.headers.has("require") ? { status } : hearing(request),
		);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		await played(camera);
		expect(camera.methods).toEqual(["OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "PLAY"]);
		expect(camera.requests.map(({ headers }) => headers.has("require"))).toEqual([false, true, false, false, false]);
		const client = world.client();
		const described = await client.ask("DESCRIBE", URL, REQUIRE);
		expect([described.status, described.body.match(/m=/g)?.length]).toEqual([200, 1]);
		expect(described.body).not.toMatch(/sendonly|recvonly/);
		expect((await client.ask("SETUP", `${URL}/trackID=1`, TCP("2-3"))).status).toBe(404);
	});

	it("shows its pictures also when the way back is refused", async () => {
		await using camera = await FakeCamera.open((request) =>
			request.method === "SETUP" && request.url.endsWith("/back") ? { status: 403 } : hearing(request),
		);
		const world = rtspWorld();
		const log = recordingLogger();
		await using _pull = pull(camera, world, {}, log);
		await played(camera);
		expect((await world.client().ask("DESCRIBE", URL, REQUIRE)).body).not.toContain("sendonly");
		expect(log.lines).toContainEqual(expect.objectContaining({ level: "warn", fields: { status: 403 } }));
	});

	it("is not offered where the camera has none", async () => {
		await using camera = await FakeCamera.open((request) =>
			request.method === "DESCRIBE"
				? { status: 200, headers: { "Content-Type": "application/sdp" }, body: SDP_BACK }
				: undefined,
		);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		await played(camera);
		expect(camera.methods).toEqual(["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]);
		expect((await world.client().ask("DESCRIBE", URL, REQUIRE)).body).not.toMatch(/sendonly|recvonly/);
	});

	it("is not asked for unless the path says so", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world, { rtspBackChannel: false });
		await played(camera);
		expect(camera.requests.some(({ headers }) => headers.has("require"))).toBe(false);
		expect((await world.client().ask("DESCRIBE", URL, REQUIRE)).body).not.toContain("sendonly");
	});

	it("is spoken to by UDP where media comes by UDP", async () => {
		const { rtp: ports } = await freeUdpPair();
		await using sockets = new AsyncDisposableStack();
		const heard: Uint8Array[] = [];
		const reports: Uint8Array[] = [];
		for (const [index, list] of [heard, reports].entries()) {
			const socket = dgram.createSocket("udp4");
			socket.on("message", (bytes) => void list.push(bytes));
			await new Promise<void>((resolve) => socket.bind(ports + index, "127.0.0.1", resolve));
			sockets.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
		}
		await using camera = await FakeCamera.open((request) => {
			if (request.method !== "SETUP") return hearing(request);
			const asked = request.headers.get("transport") ?? "";
			// Pictures come from elsewhere: what is heard at these ports is the reader alone.
			const place = request.url.endsWith("/back") ? `${ports}-${ports + 1}` : "9-10";
			return { status: 200, headers: { Session: "s1", Transport: `${asked};server_port=${place}` } };
		});
		const world = rtspWorld();
		await using _pull = pull(camera, world, { rtspTransport: "udp" });
		await played(camera);
		const client = world.client();
		await talkTo(client);
		for (const index of [0, 1]) client.frame(2, said(index));
		await eventually("what was said", () => heard.length === 2);
		expect(heard.map((bytes) => read(bytes).text).sort()).toEqual(["word 0", "word 1"]);
		await world.wait(5);
		await eventually("a report", () => reports.length === 1);
		expect(parseRtcp(reports[0] ?? Uint8Array.of())[0]).toMatchObject({ type: "SR", packets: 2 });
	});
});

describe("a reader of a path with a back channel", () => {
	it("is told nothing new when it does not ask", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		await played(camera);
		const client = world.client();
		const { body } = await client.ask("DESCRIBE", URL);
		expect(body.match(/m=/g)).toHaveLength(1);
		expect(body).not.toMatch(/sendonly|recvonly/);
		const { Transport } = TCP("2-3");
		expect((await client.ask("SETUP", `${URL}/trackID=1`, { Transport })).status).toBe(404);
	});

	it("is told which options are not supported", async () => {
		const client = rtspWorld().client();
		const answer = await client.ask("OPTIONS", URL, { Require: `${TAG}, onvif-replay, x` });
		expect([answer.status, answer.headers["Unsupported"]]).toEqual([551, "onvif-replay, x"]);
		expect((await client.ask("OPTIONS", URL, REQUIRE)).status).toBe(200);
	});

	it("cannot take the channels of another media for it", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		await played(camera);
		const client = world.client();
		await client.ask("DESCRIBE", URL, REQUIRE);
		await client.ask("SETUP", `${URL}/trackID=1`, TCP("0-1"));
		expect((await client.ask("SETUP", `${URL}/trackID=0`, TCP("0-1"))).status).toBe(461);
		expect((await client.ask("SETUP", `${URL}/trackID=0`, TCP("4-5"))).status).toBe(200);
	});

	it("is not heard while it does not play", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		const connection = await played(camera);
		const client = world.client();
		await talkTo(client);
		await client.ask("PAUSE", URL);
		client.frame(2, said(0));
		await client.ask("PLAY", URL);
		client.frame(2, said(1));
		await eventually("it", () => connection.frames.length === 1);
		expect(read(connection.frames[0]?.bytes ?? Uint8Array.of()).text).toBe("word 1");
	});

	it("may do nothing but talk, by UDP", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		const connection = await played(camera);
		const log = pino({ level: "silent" });
		const local = { host: "127.0.0.1", port: 0 };
		const keys = { rtp: "rtpAddress", rtcp: "rtcpAddress" };
		await using udp = await UdpSockets.open({ rtp: local, rtcp: local, keys, readBufferBytes: 0, log });
		const { rtp: port } = await freeUdpPair();
		const socket = dgram.createSocket("udp4");
		await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
		const client = world.client({ udp, transports: ["udp"] });
		Object.assign(client.peer, { address: "127.0.0.1" });
		try {
			const Transport = `RTP/AVP;unicast;client_port=${port}-${port + 1}`;
			const setup = await client.ask("SETUP", `${URL}/trackID=1`, { Transport, ...REQUIRE });
			expect(setup.headers["Transport"]).toContain(`server_port=${udp.rtp.port}-${udp.rtcp.port}`);
			expect((await client.ask("PLAY", URL)).status).toBe(200);
			expect(client.session.snapshot).toMatchObject({ state: "read", transport: "udp" });
			await world.wait(50, client);
			socket.send(said(0), udp.rtp.port, "127.0.0.1");
			await eventually("it", () => connection.frames.length >= 1);
			expect(read(connection.frames[0]?.bytes ?? Uint8Array.of()).text).toBe("word 0");
			// What it says is a sign of life.
			await world.wait(50, client);
			expect(client.peer.closed).toBe(false);
			await world.wait(11, client);
			expect(client.peer.closed).toBe(true);
		} finally {
			socket.close();
		}
	});

	it("talks in SRTP with the key that it tells", async () => {
		await using camera = await FakeCamera.open(hearing);
		const world = rtspWorld();
		await using _pull = pull(camera, world);
		const connection = await played(camera);
		const client = world.client({ isSecure: true });
		await client.ask("DESCRIBE", URL, REQUIRE);
		const transport = TCP("2-3", "SAVP");
		expect((await client.ask("SETUP", `${URL}/trackID=1`, transport)).status).toBe(461);
		const sealer = new Sealer();
		const KeyMgmt = `prot=mikey;uri="${URL}";data="${sealer.message(77, 0)}"`;
		const setup = await client.ask("SETUP", `${URL}/trackID=1`, { ...transport, KeyMgmt });
		expect(setup.headers["KeyMgmt"]).toContain("prot=mikey");
		await client.ask("PLAY", URL);
		const packet = said(0);
		const sealed = new Uint8Array(packet.length + 16);
		const length = sealer.sealRtp(packet, 0, packet.length, sealed, 0);
		// What is not authentic is not passed on.
		client.frame(2, packet);
		client.frame(2, sealed.subarray(0, length));
		await eventually("it", () => connection.frames.length === 1);
		expect(read(connection.frames[0]?.bytes ?? Uint8Array.of()).text).toBe("word 0");
	});
});

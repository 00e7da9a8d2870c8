import { describe, expect, it } from "vitest";
import { DeniedError } from "#shared/problem.ts";
import { nal, rtpPacket } from "../../test/support/rtp-stream.ts";
import { play, record, rtspWorld, SDP } from "../../test/support/rtsp-session.ts";
import { writeSenderReport } from "../rtp/sender-report.ts";
import { KEY_FRAME_WAIT_MS, READER_BUDGET_BYTES } from "./reader.ts";
import { SESSION_TIMEOUT_S } from "./session.ts";

const URL_ = "rtsp://h/cam01";
const TCP = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };
const key = (sequence: number) =>
	rtpPacket({ sequence, timestamp: sequence * 3000, marker: true, payload: nal(5, 50) });
const delta = (sequence: number) =>
	rtpPacket({ sequence, timestamp: sequence * 3000, marker: true, payload: nal(1, 50) });

describe("an RTSP session", () => {
	it("says what it can do", async () => {
		const answer = await rtspWorld().client().ask("OPTIONS", URL_);
		expect(answer.status).toBe(200);
		expect(answer.headers["Public"]?.split(", ").sort()).toEqual([
			"ANNOUNCE",
			"DESCRIBE",
			"GET_PARAMETER",
			"OPTIONS",
			"PAUSE",
			"PLAY",
			"RECORD",
			"SETUP",
			"SET_PARAMETER",
			"TEARDOWN",
		]);
	});

	it("carries a publisher's packets to a reader, from a key frame on, in the buffer that all readers share", async () => {
		const world = rtspWorld();
		const camera = world.client();
		expect((await record(camera)).status).toBe(200);
		const [one, two] = [world.client(), world.client()];
		for (const reader of [one, two]) expect((await play(reader)).status).toBe(200);
		camera.frame(0, delta(1));
		expect(one.media()).toHaveLength(0);
		camera.frame(0, key(2));
		camera.frame(0, delta(3));
		expect(one.media()).toHaveLength(2);
		expect(one.media()[0]).toBe(two.media()[0]);
		expect(one.media()[0]?.subarray(4 + 12)).toEqual(Buffer.from(key(2).subarray(12)));
		one.session.close();
		two.session.close();
		camera.session.close();
		world.table.close();
		expect(world.clock.pending).toBe(0);
	});

	it("serves the tracks and channels that a reader asked for", async () => {
		const world = rtspWorld();
		const camera = world.client();
		await record(camera);
		const reader = world.client();
		await play(reader, "cam01", { 1: "6-7" });
		camera.frame(0, key(1));
		camera.frame(2, rtpPacket({ sequence: 5, timestamp: 160, payloadType: 0, payload: new Uint8Array(160) }));
		camera.frame(0, key(2));
		expect(reader.media().map((bytes) => bytes[1])).toEqual([6]);
	});

	it("tells a reader at once how the publisher's clock runs", async () => {
		const world = rtspWorld();
		const camera = world.client();
		await record(camera);
		const first = world.client();
		await play(first);
		camera.frame(0, key(1));
		camera.frame(
			1,
			writeSenderReport({ ssrc: 1, wallclockMs: world.clock.now(), rtpTime: 3000, packets: 1, octets: 50 }, "camera"),
		);
		const reader = world.client();
		await play(reader);
		const [frame] = reader.media();
		expect([frame?.[1], frame?.[5]]).toEqual([1, 200]);
	});

	it("tells in PLAY where each track begins, and pauses and goes on", async () => {
		const world = rtspWorld();
		const camera = world.client();
		await record(camera);
		const first = world.client();
		await play(first);
		camera.frame(0, key(7));
		const reader = world.client();
		const answer = await play(reader);
		expect(answer.headers["RTP-Info"]).toMatch(/^url=rtsp:\/\/h\/cam01\/trackID=0;seq=\d+;rtptime=\d+/);
		expect((await reader.ask("PAUSE", URL_)).status).toBe(200);
		camera.frame(0, key(8));
		expect(reader.media()).toHaveLength(0);
		expect((await reader.ask("PLAY", URL_)).status).toBe(200);
		camera.frame(0, key(9));
		expect(reader.media()).toHaveLength(1);
		expect((await reader.ask("TEARDOWN", URL_)).status).toBe(200);
		camera.frame(0, key(10));
		expect(reader.media().filter((bytes) => bytes[1] === 0)).toHaveLength(1);
	});

	it.each([
		["PLAY", "init", 455],
		["RECORD", "init", 455],
		["PAUSE", "init", 455],
		["SETUP", "init", 404],
		["DESCRIBE", "init", 404],
		["GET_PARAMETER", "init", 200],
		["SET_PARAMETER", "init", 200],
		["REDIRECT", "init", 501],
		["ANNOUNCE", "announced", 455],
		["PLAY", "announced", 455],
		["RECORD", "announced", 455],
		["ANNOUNCE", "recording", 455],
		["SETUP", "recording", 455],
		["RECORD", "recording", 455],
		["PLAY", "recording", 455],
		["TEARDOWN", "recording", 200],
	])("answers %s in the state %s with %i", async (method, state, status) => {
		const client = rtspWorld().client();
		if (state === "announced") await client.ask("ANNOUNCE", URL_, {}, SDP);
		if (state === "recording") await record(client);
		const [headers, body] = method === "ANNOUNCE" ? [{}, SDP] : method === "SETUP" ? [TCP, ""] : [{}, ""];
		expect((await client.ask(method, URL_, headers, body)).status).toBe(status);
	});

	it.each([
		["no CSeq", { CSeq: "x" }, 400],
		["a session of somebody else", { Session: "0123" }, 454],
		["multicast", { Transport: "RTP/AVP;multicast" }, 461],
		["UDP where it is switched off", { Transport: "RTP/AVP;unicast;client_port=5000-5001" }, 461],
		["SRTP", { Transport: "RTP/SAVP;unicast;client_port=5000-5001" }, 461],
		["a Transport that is none", { Transport: "RTP/AVP/TCP;interleaved=x" }, 400],
	])("refuses %s", async (_, headers, status) => {
		const world = rtspWorld();
		await record(world.client());
		const reader = world.client();
		await reader.ask("DESCRIBE", URL_);
		expect((await reader.ask("SETUP", `${URL_}/trackID=0`, headers)).status).toBe(status);
	});

	it("asks for credentials when they are missing, and ends when the grant does", async () => {
		const world = rtspWorld();
		const shown: string[] = [];
		const authenticator = {
			authorize: async ({ user, password, token }: { user: string; password: string; token: string }) => {
				shown.push(`${user}/${password}/${token}`);
				if (token !== "good") throw new DeniedError(user === "" ? "access.token_missing" : "access.credentials", "No");
				return { subject: "x", expiresMs: world.clock.now() + 5000 };
			},
		};
		const client = world.client({ authenticator });
		const asked = await client.ask("ANNOUNCE", URL_, {}, SDP);
		expect([asked.status, asked.headers["WWW-Authenticate"]]).toEqual([401, 'Basic realm="sluice"']);
		const basic = { Authorization: `Basic ${Buffer.from("me:secret").toString("base64")}` };
		expect((await client.ask("ANNOUNCE", URL_, basic, SDP)).status).toBe(401);
		expect((await client.ask("ANNOUNCE", `${URL_}?token=good`, {}, SDP)).status).toBe(200);
		expect(shown).toEqual(["//", "me/secret/", "//good"]);
		await world.wait(6, client);
		expect(client.peer.closed).toBe(true);
	});

	it("delays nobody else while an authentication takes long", async () => {
		const world = rtspWorld();
		await record(world.client());
		const slow = world.client({ authenticator: { authorize: () => new Promise(() => undefined) } });
		slow.send("DESCRIBE", URL_);
		expect((await play(world.client())).status).toBe(200);
		expect(slow.answers()).toEqual([]);
		slow.session.close();
	});

	it("answers requests in their order, and ends a client that sends more than it reads", async () => {
		const client = rtspWorld().client();
		for (let i = 0; i < 5; i++) client.send("OPTIONS", URL_);
		expect((await client.ask("OPTIONS", URL_)).headers["CSeq"]).toBe("6");
		expect(client.answers().map(({ headers }) => headers["CSeq"])).toEqual(["1", "2", "3", "4", "5", "6"]);
		for (let i = 0; i < 40; i++) client.send("OPTIONS", URL_);
		expect(client.peer.closed).toBe(true);
	});

	it("leaves out what a slow reader cannot take, up to the next key frame, and touches no other reader", async () => {
		const world = rtspWorld();
		const camera = world.client();
		await record(camera);
		const [slow, other] = [world.client(), world.client()];
		await play(slow);
		await play(other);
		camera.frame(0, key(1));
		slow.peer.pendingBytes = READER_BUDGET_BYTES + 1;
		camera.frame(0, delta(2));
		slow.peer.pendingBytes = 0;
		camera.frame(0, delta(3));
		camera.frame(0, key(4));
		expect([slow.media().length, other.media().length]).toEqual([2, 4]);
		expect(slow.session.snapshot.packetsDiscarded).toBe(2);
	});

	it("ends a reader whose connection takes nothing for the write time-out", async () => {
		const world = rtspWorld();
		const camera = world.client();
		await record(camera);
		const stuck = world.client();
		await play(stuck);
		camera.frame(0, key(1));
		stuck.peer.pendingBytes = 1000;
		await world.wait(9, stuck);
		expect(stuck.peer.closed).toBe(false);
		await world.wait(3, stuck);
		expect(stuck.peer.closed).toBe(true);
	});

	it("begins anywhere when no key frame comes for long", async () => {
		const world = rtspWorld();
		const camera = world.client();
		await record(camera);
		const reader = world.client();
		await play(reader);
		camera.frame(0, delta(1));
		expect(reader.media()).toHaveLength(0);
		await world.clock.advance(KEY_FRAME_WAIT_MS);
		camera.frame(0, delta(2));
		expect(reader.media()).toHaveLength(1);
	});

	it("ends a publisher that goes silent, a client that says nothing, and one that does nothing", async () => {
		const world = rtspWorld();
		const [camera, mute, idle] = [world.client(), world.client(), world.client()];
		await record(camera);
		await idle.ask("OPTIONS", URL_);
		camera.frame(0, key(1));
		await world.wait(9, camera, mute, idle);
		expect([camera, mute, idle].map(({ peer }) => peer.closed)).toEqual([false, false, false]);
		await world.wait(2, camera, mute, idle);
		expect([camera, mute, idle].map(({ peer }) => peer.closed)).toEqual([true, true, false]);
		await world.wait(SESSION_TIMEOUT_S, idle);
		expect(idle.peer.closed).toBe(true);
	});

	it("lets a new publisher take over, and its readers stay", async () => {
		const world = rtspWorld();
		const [first, second, reader] = [world.client(), world.client(), world.client()];
		await record(first);
		await play(reader);
		first.frame(0, key(1));
		expect((await record(second)).status).toBe(200);
		expect(first.peer.closed).toBe(true);
		second.frame(0, key(100));
		expect(reader.media()).toHaveLength(2);
		expect(reader.peer.closed).toBe(false);
	});

	it("refuses a second publisher where the path says so", async () => {
		const world = rtspWorld({ overridePublisher: false });
		const first = world.client();
		await record(first);
		expect((await record(world.client())).status).toBe(503);
		expect(first.peer.closed).toBe(false);
	});

	it("tells the client what is wrong in the reason phrase, and ends a connection that makes no sense", async () => {
		const client = rtspWorld().client();
		await client.ask("DESCRIBE", "rtsp://h/nobody");
		expect(Buffer.from(client.peer.sent[0] ?? []).toString()).toMatch(
			/^RTSP\/1\.0 404 Nobody is publishing to nobody\r\n/,
		);
		client.session.receive(Buffer.from("\x16\x03\x01 TLS?\r\n\r\n"));
		expect(client.answers().at(-1)?.status).toBe(400);
		expect(client.peer.closed).toBe(true);
	});
});

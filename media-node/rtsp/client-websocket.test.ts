import { createHash } from "node:crypto";
import http from "node:http";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { parsePathName } from "#shared/path-name.ts";
import { DeniedError, hasCode } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { usual } from "../../test/support/fake-camera.ts";
import { pullFrom } from "../../test/support/pull.ts";
import { Camera, H264_TRACK, nal } from "../../test/support/rtp-stream.ts";
import { OPEN, rtspWorld } from "../../test/support/rtsp-session.ts";
import type { Authenticator } from "../access/access.ts";
import { writeResponse } from "./message.ts";
import { RtspParser } from "./parser.ts";
import { READER_BUDGET_BYTES } from "./reader.ts";
import { RtspServer, type RtspServerOptions } from "./server.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");
const FINGERPRINT = "B4:4B:C7:2C:13:2C:60:71:A8:61:D4:66:94:B6:12:B5:CB:75:D9:64:CC:6E:50:B8:BC:F2:A4:21:1C:42:85:69";

const codeOf = async (ended: Promise<unknown>) => {
	const error = await ended;
	return hasCode(error, "access.credentials", "aborted", "rtsp.timeout", "rtsp.transport", "source.unreachable")
		? error.code
		: error;
};

/** A server of ours, RTSP and RTSPS, with a camera at cam01. */
async function ourServer(more: Partial<RtspServerOptions> = {}) {
	const { table, clock } = rtspWorld();
	const anyPort = { host: "127.0.0.1", port: 0 };
	const listener = {
		address: anyPort,
		rtpAddress: anyPort,
		rtcpAddress: anyPort,
		multicast: { range: "224.1.0.0/16", rtpPort: 8002, rtcpPort: 8003 },
	};
	const server = await RtspServer.open({
		plain: listener,
		secure: { ...listener, keyFile: path.join(TLS, "localhost.key"), certFile: path.join(TLS, "localhost.crt") },
		transports: ["tcp"],
		authMethods: ["digest"],
		readBufferBytes: 0,
		readerBudgetBytes: READER_BUDGET_BYTES,
		trustedProxies: [],
		readTimeoutMs: 10_000,
		writeTimeoutMs: 10_000,
		table,
		authenticator: OPEN,
		clock,
		log: pino({ level: "silent" }),
		...more,
	});
	const publication = await table.publish({
		path: parsePathName("cam01"),
		tracks: [H264_TRACK],
		publisher: { id: "p", protocol: "rtsp", remoteAddress: "127.0.0.1:5000" },
		onEvicted: () => {},
	});
	return { server, camera: new Camera(publication), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("an RTSP source in a WebSocket of our own server", () => {
	it("is pulled over rtsp+ws://", async () => {
		await using ours = await ourServer();
		await using pull = pullFrom(`rtsp+ws://127.0.0.1:${ours.server.port}/cam01`, { rtspTransport: "automatic" });
		await eventually("a reader", () => ours.server.sessions().some(({ state }) => state === "read"));
		expect(ours.server.sessions()[0]).toMatchObject({ tunnel: "websocket", transport: "tcp", secure: false });
		ours.camera.key(0);
		await eventually("pictures", () => pull.packets.length === 3);
		expect(Buffer.from(pull.packets[2]?.bytes.subarray(12) ?? [])).toEqual(Buffer.from(nal(5, 30, 1)));
		expect(pull.tracks?.map(({ codec }) => codec.name)).toEqual(["H264"]);
		expect(pull.remoteAddress).toBe(`127.0.0.1:${ours.server.port}`);
		expect(await codeOf(pull.stop())).toBe("aborted");
		await eventually("it left", () => ours.server.sessions().length === 0);
	});

	it("is pulled over rtsps+ws:// when its certificate has the configured fingerprint", async () => {
		await using ours = await ourServer();
		const url = `rtsps+ws://127.0.0.1:${ours.server.securePort}/cam01`;
		await using other = pullFrom(url, { sourceFingerprint: "ab".repeat(32) });
		expect(await codeOf(other.ended)).toBe("access.credentials");
		await using untrusted = pullFrom(url);
		expect(await codeOf(untrusted.ended)).toBe("access.credentials");
		await using pull = pullFrom(url, { sourceFingerprint: FINGERPRINT });
		await eventually("a reader", () => ours.server.sessions().some(({ state }) => state === "read"));
		expect(ours.server.sessions()).toMatchObject([{ tunnel: "websocket", secure: true }]);
		ours.camera.key(0);
		await eventually("pictures", () => pull.packets.length === 3);
	});

	it("tells who it is inside, when it is asked there", async () => {
		const authenticator: Authenticator = {
			authorize: async (request) => {
				if (request.proof?.("me", "secret") !== true) throw new DeniedError("access.token_missing", "Who are you?");
				return { subject: "me", expiresMs: null };
			},
		};
		await using ours = await ourServer({ authenticator });
		await using _pull = pullFrom(`rtsp+ws://me:secret@127.0.0.1:${ours.server.port}/cam01`);
		await eventually("a reader", () => ours.server.sessions().some(({ state }) => state === "read"));
		expect(ours.server.sessions()[0]).toMatchObject({ user: "me", tunnel: "websocket" });
	});

	it("ends with the server", async () => {
		await using ours = await ourServer();
		await using pull = pullFrom(`rtsp+ws://127.0.0.1:${ours.server.port}/cam01`);
		await eventually("a reader", () => ours.server.sessions().some(({ state }) => state === "read"));
		ours.server.kick(ours.server.sessions()[0]?.id ?? "");
		expect(await pull.ended).toMatchObject({ code: "session.closed" });
	});
});

let servers: http.Server[];
let sockets: net.Socket[];
beforeEach(() => {
	[servers, sockets] = [[], []];
});
afterEach(async () => {
	for (const socket of sockets) socket.destroy();
	await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server of HTTP; what it does with an upgrade is the test's. */
async function httpServer(onUpgrade: (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => void) {
	const server = http.createServer((_, response) => response.writeHead(404).end());
	servers.push(server);
	server.on("connection", (socket: net.Socket) => sockets.push(socket));
	server.on("upgrade", (request, socket, head) => onUpgrade(request, socket as net.Socket, head));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return (server.address() as AddressInfo).port;
}

/** A camera inside a WebSocket, whose first message is sent before it is asked anything. */
function cameraIn(webSocket: WebSocket): string[] {
	const methods: string[] = [];
	const parser = new RtspParser({
		onFrame: () => {},
		onResponse: () => {},
		onRequest: (request) => {
			methods.push(request.method);
			const { headers, ...rest } = usual(request);
			const bytes = writeResponse({ ...rest, headers: { CSeq: request.headers.get("cseq") ?? "", ...headers } });
			// Cut anywhere.
			webSocket.send(bytes.subarray(0, 5));
			webSocket.send(bytes.subarray(5));
		},
	});
	webSocket.on("message", (data) => parser.push(data as Buffer));
	webSocket.send(Buffer.from([0x24, 0, 0, 1, 9]));
	return methods;
}

const webSockets = (protocol: string | false) =>
	new WebSocketServer({ noServer: true, handleProtocols: () => protocol, perMessageDeflate: false });

describe("an RTSP source in a WebSocket of a camera", () => {
	it("is asked with the subprotocol of ONVIF, and understood however its messages are cut", async () => {
		const heads: http.IncomingMessage[] = [];
		const methods: string[][] = [];
		const port = await httpServer((request, socket, head) => {
			heads.push(request);
			webSockets("rtsp.onvif.org").handleUpgrade(request, socket, head, (open) => methods.push(cameraIn(open)));
		});
		await using pull = pullFrom(`rtsp+ws://127.0.0.1:${port}/cam?x=1`);
		await eventually("it plays", () => methods[0]?.includes("PLAY"));
		expect(pull.published).toBe(1);
		expect(heads[0]).toMatchObject({
			url: "/cam?x=1",
			headers: { host: `127.0.0.1:${port}`, "sec-websocket-protocol": "rtsp.onvif.org", "user-agent": "Sluice" },
		});
	});

	it("tells its user by Digest when the upgrade is asked for that, once", async () => {
		const seen: (string | undefined)[] = [];
		const methods: string[][] = [];
		const port = await httpServer((request, socket, head) => {
			const { authorization } = request.headers;
			seen.push(authorization);
			const md5 = (text: string) => createHash("md5").update(text).digest("hex");
			// RFC 2617 §3.2.2, without qop.
			const right = md5(`${md5("me:x:secret")}:n:${md5("GET:/cam")}`);
			if (authorization?.includes(`response="${right}"`)) {
				webSockets("rtsp.onvif.org").handleUpgrade(request, socket, head, (open) => methods.push(cameraIn(open)));
				return;
			}
			socket.end(
				'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="x", nonce="n"\r\nContent-Length: 0\r\n\r\n',
			);
		});
		await using pull = pullFrom(`rtsp+ws://me:secret@127.0.0.1:${port}/cam`);
		await eventually("it plays", () => methods[0]?.includes("PLAY"));
		expect([seen.length, seen[0], pull.published]).toEqual([2, undefined, 1]);
		await using wrong = pullFrom(`rtsp+ws://me:wrong@127.0.0.1:${port}/cam`);
		expect(await codeOf(wrong.ended)).toBe("rtsp.transport");
		expect(seen).toHaveLength(4);
		expect(String(await wrong.ended)).toContain("401");
		expect(String(await wrong.ended)).not.toContain("wrong");
	});

	it.each([
		["another subprotocol", "chat"],
		["no subprotocol", false],
	] as const)("is refused with %s", async (_, protocol) => {
		const port = await httpServer((request, socket, head) =>
			webSockets(protocol).handleUpgrade(request, socket, head, () => {}),
		);
		await using pull = pullFrom(`rtsp+ws://127.0.0.1:${port}/cam`);
		expect(await codeOf(pull.ended)).toBe("rtsp.transport");
		expect(pull.clock.pending).toBe(0);
	});

	it("is refused when the server has no WebSocket, speaks no HTTP, hangs up, or is not there", async () => {
		const port = await httpServer(
			(_, socket) => void socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
		);
		await using none = pullFrom(`rtsp+ws://127.0.0.1:${port}/cam`);
		expect(await codeOf(none.ended)).toBe("rtsp.transport");
		expect(String(await none.ended)).toContain("404");
		const noise = await httpServer((_, socket) => void socket.end("what?\r\n\r\n"));
		await using noisy = pullFrom(`rtsp+ws://127.0.0.1:${noise}/cam`);
		expect(await codeOf(noisy.ended)).toBe("rtsp.transport");
		const rude = await httpServer((_, socket) => void socket.resetAndDestroy());
		await using gone = pullFrom(`rtsp+ws://127.0.0.1:${rude}/cam`);
		expect(await codeOf(gone.ended)).toBe("source.unreachable");
		await using nobody = pullFrom("rtsp+ws://127.0.0.1:1/cam");
		expect(await codeOf(nobody.ended)).toBe("source.unreachable");
	});

	it("is given up after its time, or when nobody wants it any more", async () => {
		const open: net.Socket[] = [];
		const port = await httpServer((_, socket) => void open.push(socket));
		await using slow = pullFrom(`rtsp+ws://127.0.0.1:${port}/cam`);
		await eventually("it asks", () => open.length === 1);
		await slow.clock.advance(10_000);
		expect(await codeOf(slow.ended)).toBe("rtsp.timeout");
		await using stopped = pullFrom(`rtsp+ws://127.0.0.1:${port}/cam`);
		await eventually("it asks", () => open.length === 2);
		expect(await codeOf(stopped.stop())).toBe("aborted");
		expect([slow.clock.pending, stopped.clock.pending]).toEqual([0, 0]);
		await eventually("nothing is open", () => open.every((socket) => socket.destroyed || socket.readableEnded));
	});
});

import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { usual } from "../../test/support/fake-camera.ts";
import { type Pull, pullFrom } from "../../test/support/pull.ts";
import { nal, rtpPacket } from "../../test/support/rtp-stream.ts";
import { writeResponse } from "./message.ts";
import { RtspParser } from "./parser.ts";

const VIDEO = rtpPacket({ sequence: 7, timestamp: 90, payload: nal(5) });
const CHALLENGE = 'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="x", nonce="n"\r\n\r\n';
const OK = "HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n";

/** A camera behind HTTP: joins a GET and a POST with the same cookie. `answer` is what it says to a GET. */
let answer: (head: string) => string;
let heads: string[];
let methods: string[];
let sockets: net.Socket[];
let down: net.Socket | null;
let server: net.Server;

beforeEach(async () => {
	answer = () => OK;
	[heads, methods, sockets, down] = [[], [], [], null];
	const parser = new RtspParser({
		onFrame: () => {},
		onResponse: () => {},
		onRequest: (request) => {
			methods.push(request.method);
			const { headers, ...rest } = usual(request);
			down?.write(writeResponse({ ...rest, headers: { CSeq: request.headers.get("cseq") ?? "", ...headers } }));
		},
	});
	server = net.createServer((socket) => {
		sockets.push(socket);
		let text = "";
		let isBody = false;
		socket.on("error", () => {});
		socket.on("data", (bytes) => {
			text += bytes.toString("latin1");
			const end = text.indexOf("\r\n\r\n");
			if (!isBody) {
				if (end === -1) return;
				isBody = true;
				const head = text.slice(0, end);
				heads.push(head);
				text = text.slice(end + 4);
				if (head.startsWith("GET ")) {
					down = socket;
					socket.write(answer(head));
					return;
				}
			}
			// Each message is whole in base64, with its own padding.
			const whole = text.slice(0, text.length - (text.length % 4));
			text = text.slice(whole.length);
			for (const part of whole.match(/[^=]+=*/g) ?? []) parser.push(Buffer.from(part, "base64"));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
	for (const socket of sockets) socket.destroy();
	await new Promise((resolve) => server.close(resolve));
});

const open = (user = ""): Pull =>
	pullFrom(`rtsp+http://${user}127.0.0.1:${(server.address() as AddressInfo).port}/cam?x=1`);
const cookieOf = (head: string) => /x-sessioncookie: (\S+)/.exec(head)?.[1];
const codeOf = async (ended: Promise<unknown>) => {
	const error = await ended;
	if (!(error instanceof SluiceError)) throw new Error("It did not end as it should", { cause: error });
	return error.code;
};

describe("an RTSP source in a tunnel of HTTP", () => {
	it("is pulled through a GET and a POST with the same cookie", async () => {
		await using pull = open();
		await eventually("it plays", () => methods.includes("PLAY"));
		down?.write(Buffer.concat([Buffer.from([0x24, 0, 0, VIDEO.length]), VIDEO]));
		await eventually("the packet", () => pull.packets.length === 1);
		const [get = "", post = ""] = heads;
		expect(get).toMatch(/^GET \/cam\?x=1 HTTP\/1\.0\r\nHost: 127\.0\.0\.1:/);
		expect(get).toContain("\r\nAccept: application/x-rtsp-tunnelled");
		expect(post).toMatch(/^POST \/cam\?x=1 HTTP\/1\.0\r\n/);
		expect(post).toContain("\r\nContent-Type: application/x-rtsp-tunnelled");
		expect(cookieOf(get)).toMatch(/^[0-9a-f]{22}$/);
		expect(cookieOf(post)).toBe(cookieOf(get));
		await pull.stop();
		expect(methods.at(-1)).toBe("TEARDOWN");
		await eventually("both are closed", () => sockets.length === 2 && sockets.every(({ destroyed }) => destroyed));
		expect(pull.clock.pending).toBe(0);
	});

	it("takes what comes with the head of the answer", async () => {
		answer = () => `${OK}OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n`;
		await using _pull = open();
		await eventually("it plays", () => methods.includes("PLAY"));
	});

	it("shows credentials when HTTP asks for them", async () => {
		answer = (head) => (head.includes("Authorization: Digest") ? OK : CHALLENGE);
		await using pull = open("u:p@");
		await eventually("it plays", () => methods.includes("PLAY"));
		expect(heads.map((head) => head.includes("Authorization: Digest"))).toEqual([false, true, true]);
		await pull.stop();
	});

	it.each([
		["HTTP/1.1 404 Not Found\r\n\r\n", "rtsp.transport"],
		[CHALLENGE, "rtsp.transport"],
		["SSH-2.0-x\r\n\r\n", "rtsp.malformed"],
		["x".repeat(20_000), "bytes.limit"],
	])("ends when the server answers %j", async (text, code) => {
		answer = () => text;
		await using pull = open();
		expect(await codeOf(pull.ended)).toBe(code);
		await eventually("it is closed", () => sockets.every(({ destroyed }) => destroyed));
	});

	it("is given up when the server does not answer, closes, or nobody wants it", async () => {
		answer = () => "";
		await using slow = open();
		await eventually("the GET", () => heads.length === 1);
		await slow.clock.advance(10_000);
		expect(await codeOf(slow.ended)).toBe("rtsp.timeout");
		await using unwanted = open();
		await eventually("the GET", () => heads.length === 2);
		expect(await codeOf(unwanted.stop())).toBe("aborted");
		await using closed = open();
		await eventually("the GET", () => heads.length === 3);
		down?.destroy();
		expect(await codeOf(closed.ended)).toBe("source.unreachable");
	});

	it("ends when either of its connections does", async () => {
		for (const index of [0, 1]) {
			await using pull = open();
			const first = sockets.length;
			await eventually("it publishes", () => pull.published === 1);
			sockets[first + index]?.destroy();
			expect(await codeOf(pull.ended)).toBe("session.closed");
		}
	});
});

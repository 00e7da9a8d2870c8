import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import http, { type RequestListener } from "node:http";
import https from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { createPinnedAgent, fetchPinned, matchesFingerprint } from "./fingerprint.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");
const cert = readFileSync(path.join(TLS, "localhost.crt"));
const key = readFileSync(path.join(TLS, "localhost.key"));
/** By `openssl x509 -in localhost.crt -noout -fingerprint -sha256`. */
const FINGERPRINT = "B4:4B:C7:2C:13:2C:60:71:A8:61:D4:66:94:B6:12:B5:CB:75:D9:64:CC:6E:50:B8:BC:F2:A4:21:1C:42:85:69";
const OTHER = `${FINGERPRINT.slice(0, -1)}${FINGERPRINT.endsWith("0") ? "1" : "0"}`;

const servers: Server[] = [];

afterEach(async () => {
	for (const server of servers.splice(0)) {
		if (server instanceof http.Server || server instanceof https.Server) server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
});

async function listening<S extends Server>(server: S): Promise<number> {
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return (server.address() as AddressInfo).port;
}

async function httpsServer(listener: RequestListener) {
	const server = https.createServer({ cert, key }, listener);
	const seen = { connections: 0, requests: 0 };
	server.on("secureConnection", () => seen.connections++);
	server.on("request", () => seen.requests++);
	return { url: `https://127.0.0.1:${await listening(server)}/auth?secret=s3`, seen, server };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const plain = { fingerprint: "", maxBytes: 100 };

describe("a fingerprint", () => {
	const { raw } = new X509Certificate(cert);

	it("matches the certificate that openssl says it is of, however it is written", () => {
		const bare = FINGERPRINT.replaceAll(":", "");
		for (const form of [FINGERPRINT, bare, bare.toLowerCase()]) expect(matchesFingerprint(raw, form)).toBe(true);
	});

	it("matches no other certificate, and never when it is malformed", () => {
		const changed = Uint8Array.from(raw);
		changed[100] = (changed[100] ?? 0) ^ 1;
		expect(matchesFingerprint(changed, FINGERPRINT)).toBe(false);
		for (const form of [OTHER, "", "::", FINGERPRINT.slice(3), `${FINGERPRINT}00`, "z".repeat(64), ` ${FINGERPRINT}`]) {
			expect(matchesFingerprint(raw, form), form).toBe(false);
		}
	});
});

describe("a pinned request", () => {
	it("goes to a server whose certificate nobody signed, when it has the fingerprint", async () => {
		const { url } = await httpsServer(async (request, response) => {
			let body = "";
			for await (const chunk of request) body += chunk;
			response.writeHead(202).end(`${request.method} ${request.url} ${request.headers["x-a"]} ${body}`);
		});
		const answer = await fetchPinned(url, {
			fingerprint: FINGERPRINT,
			method: "POST",
			headers: { "x-a": "b" },
			body: "hello",
			maxBytes: 100,
		});
		expect({ ...answer, body: text(answer.body) }).toEqual({
			status: 202,
			body: "POST /auth?secret=s3 b hello",
			isCut: false,
		});
	});

	it("sends nothing to a server with another certificate", async () => {
		const received: Buffer[] = [];
		const sockets: Socket[] = [];
		const server = createTlsServer({ cert, key }, (socket) => {
			sockets.push(socket);
			socket.on("error", () => undefined).on("data", (chunk) => received.push(chunk));
		});
		const ends: Promise<unknown>[] = [];
		server.on("connection", (socket: Socket) => ends.push(new Promise((resolve) => socket.once("close", resolve))));
		const url = `https://127.0.0.1:${await listening(server)}/?secret=s3`;
		const ask = (fingerprint: string) =>
			fetchPinned(url, { fingerprint, method: "POST", body: "geheim", maxBytes: 100 });
		await expect(ask(OTHER)).rejects.toMatchObject({
			code: "store.unavailable",
			message: expect.stringMatching(/^The server at https:\/\/127\.0\.0\.1:\d+ cannot be asked: .*fingerprint$/),
		});
		expect(ends).toHaveLength(1);
		await Promise.all(ends);
		expect(received).toEqual([]);
		// The same server does see what is sent to it.
		const asked = ask(FINGERPRINT).catch(() => undefined);
		await eventually("the request arrives", () => Buffer.concat(received).includes("geheim"));
		sockets.forEach((socket) => void socket.destroy());
		await asked;
	});

	it("needs a certificate that is trusted when there is no fingerprint", async () => {
		const { url, seen } = await httpsServer((_, response) => void response.end());
		await expect(fetchPinned(url, plain)).rejects.toMatchObject({ code: "store.unavailable" });
		expect(seen.requests).toBe(0);
	});

	it("uses its connection again, and makes a new one when the server has ended it meanwhile", async () => {
		const { url, seen, server } = await httpsServer((_, response) => void response.end("yes"));
		const agent = createPinnedAgent({ url, fingerprint: FINGERPRINT });
		const request = { agent, fingerprint: FINGERPRINT, maxBytes: 100 };
		for (let i = 0; i < 3; i++) expect((await fetchPinned(url, request)).status).toBe(200);
		expect(seen.connections).toBe(1);
		server.closeAllConnections();
		expect((await fetchPinned(url, request)).status).toBe(200);
		expect(seen).toEqual({ connections: 2, requests: 4 });
		agent.destroy();
	});

	it("reads no more of an answer than it may", async () => {
		const server = http.createServer((_, response) => {
			response.writeHead(500);
			const more = () => {
				while (response.write("x".repeat(1000)));
				response.once("drain", more);
			};
			more();
		});
		const url = `http://127.0.0.1:${await listening(server)}/`;
		const answer = await fetchPinned(url, plain);
		expect({ ...answer, body: text(answer.body) }).toEqual({ status: 500, body: "x".repeat(100), isCut: true });
		const exact = http.createServer((_, response) => void response.end("y".repeat(100)));
		expect((await fetchPinned(`http://127.0.0.1:${await listening(exact)}/`, plain)).isCut).toBe(false);
	});

	it("does not wait for a body that nobody wants", async () => {
		const server = http.createServer((_, response) => void response.writeHead(200).write("never ends"));
		const url = `http://127.0.0.1:${await listening(server)}/`;
		const answer = await fetchPinned(url, { ...plain, wantsBody: (status) => status >= 300 });
		expect(answer).toEqual({ status: 200, body: Buffer.alloc(0), isCut: false });
	});

	it("follows no redirect", async () => {
		let requests = 0;
		const server = http.createServer((_, response) => {
			requests++;
			response.writeHead(307, { location: "/elsewhere" }).end();
		});
		const answer = await fetchPinned(`http://127.0.0.1:${await listening(server)}/`, plain);
		expect([answer.status, requests]).toEqual([307, 1]);
	});

	it.each(["http", "https"])(
		"over %s stops when it is told to, also before the server says anything",
		async (scheme) => {
			const sockets = new Set<Socket>();
			const silent = createServer((socket) => {
				sockets.add(
					socket
						.resume()
						.on("error", () => undefined)
						.on("close", () => sockets.delete(socket)),
				);
			});
			const url = `${scheme}://127.0.0.1:${await listening(silent)}/`;
			const stop = new AbortController();
			const fingerprint = scheme === "https" ? FINGERPRINT : "";
			const asked = fetchPinned(url, { fingerprint, maxBytes: 1, signal: stop.signal });
			asked.catch(() => undefined);
			await eventually("the server is connected to", () => sockets.size === 1);
			stop.abort();
			await expect(asked).rejects.toMatchObject({ code: "aborted" });
			await eventually("the connection ends", () => sockets.size === 0);
			await expect(fetchPinned(url, { fingerprint, maxBytes: 1, signal: stop.signal })).rejects.toMatchObject({
				code: "aborted",
			});
		},
	);

	it.each([
		["ends at once", (socket: Socket) => void socket.end()],
		["resets", (socket: Socket) => void socket.resetAndDestroy()],
		["speaks something else", (socket: Socket) => void socket.end("SSH-2.0-x\r\n")],
		["ends in the middle", (socket: Socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")],
	])("fails with a server that %s", async (_, behave) => {
		const port = await listening(createServer((socket) => behave(socket.resume().on("error", () => undefined))));
		for (const [scheme, fingerprint] of [
			["http", ""],
			["https", FINGERPRINT],
		] as const) {
			const asked = fetchPinned(`${scheme}://joe:geheim@127.0.0.1:${port}/?token=geheim`, {
				fingerprint,
				maxBytes: 10,
			});
			await expect(asked).rejects.toMatchObject({
				code: "store.unavailable",
				message: expect.not.stringContaining("geheim"),
			});
		}
	});

	it.each([
		["", ""],
		["ftp://host/", ""],
		["nonsense", ""],
		["http://host/", FINGERPRINT],
	])("refuses the address %j with the fingerprint %j", async (url, fingerprint) => {
		await expect(fetchPinned(url, { fingerprint, maxBytes: 1 })).rejects.toMatchObject({ code: "config.invalid" });
	});
});

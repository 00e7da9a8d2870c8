import http from "node:http";
import net from "node:net";
import { describe, expect, it } from "vitest";
import { eventually } from "../test/support/eventually.ts";
import { nodeTransport } from "./node-send.ts";
import { MAX_ANSWER_BYTES } from "./webhooks/transport.ts";

type Seen = { readonly headers: http.IncomingHttpHeaders; readonly body: string };

/** A server on this machine, which `answer` answers for. */
async function endpoint(answer: (response: http.ServerResponse) => void) {
	const seen: Seen[] = [];
	let connections = 0;
	const server = http.createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
			answer(response);
		});
	});
	server.on("connection", () => connections++);
	await new Promise<void>((resolve) => server.listen(0, resolve));
	const { port } = server.address() as net.AddressInfo;
	return {
		port,
		seen,
		connections: () => connections,
		open: () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count))),
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

const NOW = Date.UTC(2026, 0, 1);
const transport = (allowInsecure: boolean) => nodeTransport({ allowInsecure, now: () => NOW });

describe("sending a webhook from Node.js", () => {
	it("posts the body as it is, with the signature's headers, and tells the status", async () => {
		await using server = await endpoint((response) => response.writeHead(204).end());
		const body = '{"name":"\u00e9t\u00e9"}';
		const sent = await transport(true).send(
			`http://localhost:${server.port}/hook`,
			{ "webhook-id": "evt_1" },
			body,
			5000,
		);
		expect(sent).toMatchObject({ status: 204, retryAfterS: null });
		expect(server.seen).toEqual([{ headers: expect.objectContaining({ "webhook-id": "evt_1" }) as object, body }]);
	});

	it("tells when to come back", async () => {
		await using server = await endpoint((response) => response.writeHead(429, { "retry-after": "120" }).end());
		const sent = await transport(true).send(`http://localhost:${server.port}/`, {}, "{}", 5000);
		expect(sent).toMatchObject({ status: 429, retryAfterS: 120 });
	});

	it("brings the beginning of the answer, also of one that does not end, or breaks", async () => {
		const says = async (answer: (response: http.ServerResponse) => void) => {
			await using server = await endpoint(answer);
			const { status, beginning } = await transport(true).send(`http://localhost:${server.port}/`, {}, "{}", 5000);
			return [status, new TextDecoder().decode(beginning)];
		};
		expect(await says((response) => response.writeHead(500).end("no disk"))).toEqual([500, "no disk"]);
		expect(await says((response) => response.writeHead(200).end("x".repeat(100_000)))).toEqual([
			200,
			"x".repeat(MAX_ANSWER_BYTES),
		]);
		expect(await says((response) => response.writeHead(200).write("wait"))).toEqual([200, "wait"]);
		const broken = (response: http.ServerResponse) => {
			response.writeHead(200, { "content-length": "100" });
			response.write("half", () => response.socket?.resetAndDestroy());
		};
		expect((await says(broken))[0]).toBe(200);
	});

	it.each([
		["a name that leads to this machine", (port: number) => `http://localhost:${port}/`],
		["an address of this machine", (port: number) => `http://127.0.0.1:${port}/`],
		["its IPv6 form", (port: number) => `http://[::1]:${port}/`],
		["an IPv4 address within an IPv6 one", (port: number) => `http://[::ffff:127.0.0.1]:${port}/`],
	])("never connects to %s", async (_, urlOf) => {
		await using server = await endpoint((response) => response.end());
		await expect(transport(false).send(urlOf(server.port), {}, "{}", 5000)).rejects.toThrow(/private or local address/);
		expect(server.connections()).toBe(0);
	});

	it("does not wait for an answer for ever, and leaves no connection", async () => {
		await using server = await endpoint(() => undefined);
		await expect(transport(true).send(`http://localhost:${server.port}/`, {}, "{}", 200)).rejects.toThrow(
			/no answer within 200 ms/,
		);
		await eventually("no connection is left", async () => (await server.open()) === 0);
	});

	it("does not read an answer that never ends", async () => {
		let isCut = false;
		await using server = await endpoint((response) => {
			response.writeHead(200);
			const timer = setInterval(() => response.write("x".repeat(64 * 1024)), 1);
			response.on("close", () => {
				clearInterval(timer);
				isCut = true;
			});
		});
		const sent = await transport(true).send(`http://localhost:${server.port}/`, {}, "{}", 5000);
		expect(sent.status).toBe(200);
		await eventually("the server is told", () => isCut);
	});

	it("tells that nobody listens", async () => {
		const probe = net.createServer();
		await new Promise<void>((resolve) => probe.listen(0, resolve));
		const { port } = probe.address() as net.AddressInfo;
		await new Promise((resolve) => probe.close(resolve));
		await expect(transport(true).send(`http://localhost:${port}/`, {}, "{}", 5000)).rejects.toThrow(/ECONNREFUSED/);
	});
});

import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { InputError } from "#shared/problem.ts";
import { quiet } from "../../test/support/control-api.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { HttpServer, type HttpServerOptions } from "./http-server.ts";
import { MAX_BODY_BYTES } from "./request-body.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");

function open(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
	return HttpServer.open({
		prefix: "api",
		address: "127.0.0.1:0",
		certificate: null,
		allowOrigins: ["https://ok.example"],
		trustedProxies: [],
		readTimeoutMs: 5_000,
		writeTimeoutMs: 5_000,
		cors: { methods: "OPTIONS, GET", headers: "Authorization" },
		handle: async ({ method, path: at, query, ip }) => ({
			status: 200,
			body: JSON.stringify({ method, path: at, query, ip }),
		}),
		clock: systemClock,
		log: quiet,
		...options,
	});
}

const url = ({ port }: HttpServer, at = "/") => `http://127.0.0.1:${port}${at}`;

describe("an HTTP server of the node", () => {
	it("hands requests to its handler, and answers what it says", async () => {
		await using server = await open();
		const response = await fetch(url(server, "/a%2Fb/c?d=e?f"));
		expect(await response.json()).toEqual({ method: "GET", path: "/a%2Fb/c", query: "d=e?f", ip: "127.0.0.1" });
	});

	it("answers 500 when the handler fails", async () => {
		await using server = await open({ handle: () => Promise.reject(new TypeError("bug")) });
		const response = await fetch(url(server));
		expect([response.status, await response.text()]).toEqual([500, ""]);
	});

	it("lets browsers of allowed origins call, and answers preflights by itself", async () => {
		let handled = 0;
		await using server = await open({
			handle: async () => {
				handled++;
				return { status: 200, body: "" };
			},
		});
		const preflight = {
			method: "OPTIONS",
			headers: { origin: "https://ok.example", "access-control-request-method": "GET" },
		};
		const response = await fetch(url(server), preflight);
		expect([response.status, handled]).toEqual([204, 0]);
		expect(response.headers.get("access-control-allow-origin")).toBe("https://ok.example");
		expect(response.headers.get("access-control-allow-methods")).toBe("OPTIONS, GET");
		expect(response.headers.get("access-control-allow-headers")).toBe("Authorization");
		const other = await fetch(url(server), { headers: { origin: "https://evil.example" } });
		expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([200, null]);
	});

	it("believes a trusted proxy alone about who asks", async () => {
		const ask = async (server: HttpServer) => {
			const response = await fetch(url(server), { headers: { "x-forwarded-for": "9.9.9.9, 10.1.2.3" } });
			return ((await response.json()) as { ip: string }).ip;
		};
		await using strict = await open();
		await using open1 = await open({ trustedProxies: ["127.0.0.1"] });
		await using open2 = await open({ trustedProxies: ["127.0.0.1", "10.0.0.0/8"] });
		expect([await ask(strict), await ask(open1), await ask(open2)]).toEqual(["127.0.0.1", "10.1.2.3", "9.9.9.9"]);
	});

	it("refuses a body of more than ten megabytes, told or not", async () => {
		const handle = async (request: HttpRequest) => {
			const failed = await request.body().then(
				(text) => `${text.length}`,
				(error: unknown) => (error instanceof InputError ? error.code : "?"),
			);
			return { status: 200, body: failed };
		};
		await using server = await open({ handle });
		const whole = await fetch(url(server), { method: "POST", body: "x".repeat(MAX_BODY_BYTES) });
		expect(await whole.text()).toBe(`${MAX_BODY_BYTES}`);
		expect(await sendSlowly(server, { "content-length": MAX_BODY_BYTES + 1 }, 1)).toMatch(/input\.too_large/);
		expect(await sendSlowly(server, { "transfer-encoding": "chunked" }, MAX_BODY_BYTES + 1)).toMatch(
			/input\.too_large/,
		);
	});

	it("ends a request that does not come to its end in time", async () => {
		await using server = await open({ readTimeoutMs: 100 });
		const socket = net.connect({ host: "127.0.0.1", port: server.port ?? 0 });
		socket.write("GET / HTTP/1.1\r\n");
		const chunks = await Array.fromAsync(socket as AsyncIterable<Buffer>);
		expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 408 /);
	});

	it("lets an answer that is under way go out when it stops, and takes no more", async () => {
		const begun = Promise.withResolvers<void>();
		const go = Promise.withResolvers<void>();
		const server = await open({
			handle: async () => {
				begun.resolve();
				await go.promise;
				return { status: 200, body: "late" };
			},
		});
		const at = url(server);
		const answer = fetch(at);
		await begun.promise;
		const closed = server[Symbol.asyncDispose]();
		await expect(fetch(at)).rejects.toThrow();
		go.resolve();
		expect(await (await answer).text()).toBe("late");
		await closed;
		await server[Symbol.asyncDispose]();
	});

	it("waits two seconds for the last answer, and no longer", async () => {
		const clock = new FakeClock();
		const begun = Promise.withResolvers<AbortSignal>();
		const server = await open({
			clock,
			handle: ({ signal }) => {
				begun.resolve(signal);
				return new Promise(() => undefined);
			},
		});
		const answer = fetch(url(server)).catch(() => "cut");
		const signal = await begun.promise;
		const closed = server[Symbol.asyncDispose]();
		expect(signal.aborted).toBe(false);
		await clock.advance(2_000);
		await closed;
		expect([await answer, clock.pending]).toEqual(["cut", 0]);
	});

	it("tells that its port is taken, and by which key", async () => {
		await using server = await open();
		await expect(open({ address: `127.0.0.1:${server.port}`, prefix: "metrics" })).rejects.toThrow(
			`Port ${server.port} (metricsAddress) is in use`,
		);
	});
});

describe("an HTTP server at a Unix socket", () => {
	it("answers there, takes over what a killed process left, and leaves nothing", async () => {
		await using folder = await tempDir();
		const file = path.join(folder.path, "api.sock");
		const left = net.createServer().listen(file);
		await new Promise((resolve) => left.once("listening", resolve));
		{
			await using server = await open({ address: `unix://${file}` });
			expect(server.port).toBeNull();
			const body = await new Promise<string>((resolve, reject) => {
				http
					.get({ socketPath: file, path: "/x" }, (response) => {
						response.setEncoding("utf8").on("data", resolve);
					})
					.on("error", reject);
			});
			expect(JSON.parse(body)).toMatchObject({ path: "/x", ip: "" });
		}
		left.close();
	});

	it("does not remove a file that is no socket", async () => {
		await using folder = await tempDir();
		const file = path.join(folder.path, "precious");
		await writeFile(file, "text");
		await expect(open({ address: `unix://${file}` })).rejects.toThrow(/apiAddress/);
		expect(await readFile(file, "utf8")).toBe("text");
	});
});

describe("an HTTP server over TLS", () => {
	const certificate = { keyFile: path.join(TLS, "localhost.key"), certFile: path.join(TLS, "localhost.crt") };

	it("answers with its certificate", async () => {
		await using server = await open({ certificate });
		const ca = await readFile(certificate.certFile);
		const status = await new Promise((resolve, reject) => {
			https
				.get({ host: "127.0.0.1", port: server.port, servername: "localhost", ca, agent: false }, (response) => {
					response.resume();
					resolve(response.statusCode);
				})
				.on("error", reject);
		});
		expect(status).toBe(200);
	});

	it("names the setting whose file is missing or wrong", async () => {
		const missing = { ...certificate, keyFile: "/nowhere/k" };
		await expect(open({ certificate: missing })).rejects.toThrow(/\/nowhere\/k \(apiServerKey\) cannot be read/);
		const swapped = { keyFile: certificate.certFile, certFile: certificate.keyFile };
		await expect(open({ certificate: swapped })).rejects.toThrow(/\(apiServerKey\).* are no key and its certificate/);
	});
});

/** A POST whose sender waits for the answer before it ends. */
function sendSlowly(server: HttpServer, headers: http.OutgoingHttpHeaders, bytes: number): Promise<string> {
	return new Promise((resolve, reject) => {
		const request = http.request({ host: "127.0.0.1", port: server.port, method: "POST", headers, agent: false });
		request.on("response", (response) => {
			let text = "";
			response.setEncoding("utf8");
			response.on("data", (chunk: string) => {
				text += chunk;
			});
			response.on("end", () => {
				request.destroy();
				resolve(text);
			});
		});
		request.on("error", reject);
		request.write("x".repeat(bytes));
	});
}

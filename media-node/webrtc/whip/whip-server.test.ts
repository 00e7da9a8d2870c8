import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeniedError } from "#shared/problem.ts";
import { WhipWorld, whipServerOptions } from "../../../test/support/whip-world.ts";
import { WhipServer } from "./whip-server.ts";

let world: WhipWorld;
beforeEach(async () => {
	world = await WhipWorld.open();
});
afterEach(() => world[Symbol.asyncDispose]());

describe.each([
	["WHIP, RFC 9725", "whip"],
	["WHEP, draft-ietf-wish-whep", "whep"],
])("%s", (_, endpoint) => {
	it("answers preflights of allowed origins, without ICE servers and without asking who it is", async () => {
		world.sessions.fault = new DeniedError("access.token_missing", "Show a token");
		const headers = { origin: "https://tv.example.com", "access-control-request-method": "POST" };
		const response = await world.ask("OPTIONS", `/cam/${endpoint}`, { headers });
		expect(response.status).toBe(204);
		expect(response.headers.get("access-control-allow-origin")).toBe("https://tv.example.com");
		expect(response.headers.get("access-control-allow-methods")).toBe("OPTIONS, GET, HEAD, POST, PATCH, DELETE");
		expect(response.headers.get("access-control-allow-headers")).toBe("Authorization, Content-Type, If-Match, Link");
		expect(response.headers.get("link")).toBeNull();
	});

	it("shows its headers to pages of allowed origins, and of no others", async () => {
		const allowed = await world.offer(`/cam/${endpoint}`, { origin: "https://tv.example.com" });
		expect(allowed.headers.get("access-control-allow-origin")).toBe("https://tv.example.com");
		expect(allowed.headers.get("access-control-expose-headers")).toMatch(/ETag.*Link.*Location/);
		expect(allowed.headers.get("vary")).toBe("origin");
		const other = await world.offer(`/cam/${endpoint}`, { origin: "https://example.net" });
		expect(other.headers.get("access-control-allow-origin")).toBeNull();
	});
});

describe("the pages", () => {
	it.each([
		["/a/cam/", "text/html; charset=utf-8", "<video"],
		["/a/cam/publish", "text/html; charset=utf-8", "<form"],
		["/a/cam/player.js", "text/javascript; charset=utf-8", "whep"],
		["/a/cam/publisher.js", "text/javascript; charset=utf-8", "whip"],
		["/a/cam/connection.js", "text/javascript; charset=utf-8", "RTCPeerConnection"],
		["/a/cam/style.css", "text/css; charset=utf-8", "video"],
	])("are at %s, with nothing from elsewhere", async (path, type, text) => {
		const response = await world.ask("GET", `${path}?token=abc`);
		expect(response.status).toBe(200);
		expect(response.headers.get("content-type")).toBe(type);
		expect(response.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
		expect(response.headers.get("referrer-policy")).toBe("no-referrer");
		const body = await response.text();
		expect(body).toContain(text);
		expect(body).not.toMatch(/https?:\/\//);
		const head = await world.ask("HEAD", path);
		expect(head.headers.get("content-length")).toBe(String(Buffer.byteLength(body)));
		expect((await world.ask("POST", path)).status).toBe(405);
	});

	it("are one slash further than the path", async () => {
		const response = await world.ask("GET", "/a/cam?token=abc");
		expect(response.status).toBe(307);
		expect(response.headers.get("location")).toBe("/a/cam/?token=abc");
		expect((await world.ask("POST", "/a/cam")).status).toBe(405);
	});

	it.each(["/", "//example.net/", "/%3Cscript%3E", "/a/../b/", "/favicon.ico", "/whip", "/a//whip", "/a/whip/x/y"])(
		"lead nowhere else: %s",
		async (path) => {
			const status = await new Promise((resolve) =>
				http.get(world.origin, { path }, (response) => resolve(response.resume().statusCode)),
			);
			expect(path === "/whip" || path === "/a/whip/x/y" ? [307, 404] : [404]).toContain(status);
		},
	);
});

describe("the server", () => {
	it("says that its port is in use", async () => {
		const address = new URL(world.origin).host;
		const open = WhipServer.open({ ...whipServerOptions(world.routes), address });
		await expect(open).rejects.toMatchObject({ code: "listen.in_use" });
	});

	it("refuses a certificate that is none", async () => {
		const certificate = { key: "x", cert: "y" };
		const open = WhipServer.open({ ...whipServerOptions(world.routes), certificate });
		await expect(open).rejects.toMatchObject({ code: "config.invalid" });
	});

	it("speaks HTTPS with a certificate, and takes another one while it runs", async () => {
		const read = (name: string) => readFile(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url), "utf8");
		const certificate = { key: await read("localhost.key"), cert: await read("localhost.crt") };
		await using server = await WhipServer.open({ ...whipServerOptions(world.routes), certificate });
		expect(() => server.replaceCertificate({ key: "x", cert: "y" })).toThrow(
			expect.objectContaining({ code: "config.invalid" }),
		);
		server.replaceCertificate(certificate);
		const status = await new Promise((resolve, reject) => {
			const options = { port: server.port, path: "/cam/", rejectUnauthorized: false };
			https.get(options, (response) => resolve(response.resume().statusCode)).on("error", reject);
		});
		expect(status).toBe(200);
	});

	it("tells who asks, also behind proxies", async () => {
		await world.offer("/cam/whip", { "x-forwarded-for": "192.0.2.7" });
		expect(world.sessions.requests[0]?.access.ip).toBe("127.0.0.1 192.0.2.7");
	});
});

import http from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeniedError } from "#shared/problem.ts";
import { WhipWorld } from "../../../test/support/whip-world.ts";

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

	it("are not at other addresses: the answer is a whole problem document", async () => {
		const response = await world.ask("GET", "/");
		expect(response.headers.get("content-type")).toBe("application/problem+json");
		expect(await response.json()).toEqual({
			type: "urn:sluice:problem:http.not_found",
			title: "There is nothing at this address",
			status: 404,
			detail: "There is nothing at this address",
			code: "http.not_found",
		});
		const method = await world.ask("POST", "/a/cam/publish");
		expect(method.headers.get("allow")).toMatch(/GET/);
		expect(await method.json()).toMatchObject({ status: 405, code: "http.method" });
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
	it("tells who asks, also behind proxies", async () => {
		await world.offer("/cam/whip", { "x-forwarded-for": "192.0.2.7" });
		expect(world.sessions.requests[0]?.access.ip).toBe("192.0.2.7");
	});
});

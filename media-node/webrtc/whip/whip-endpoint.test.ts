import http from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeniedError, GoneError, InputError, ProtocolError } from "#shared/problem.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { OFFER, WhipWorld } from "../../../test/support/whip-world.ts";
import { MAX_SDP_BYTES } from "../sdp/sdp.ts";
import { parseSdp } from "../sdp/sdp-parse.ts";
import { writeSdp } from "../sdp/sdp-write.ts";

let world: WhipWorld;
beforeEach(async () => {
	world = await WhipWorld.open();
});
afterEach(() => world[Symbol.asyncDispose]());

describe.each([
	["WHIP, RFC 9725", "whip", "publish"],
	["WHEP, draft-ietf-wish-whep", "whep", "read"],
])("%s", (_, endpoint, action) => {
	it("answers an offer with 201, the answer, and the address of the session", async () => {
		const response = await world.offer(`/a/cam/${endpoint}`);
		expect(response.status).toBe(201);
		expect(response.headers.get("content-type")).toBe("application/sdp");
		expect(response.headers.get("location")).toMatch(
			new RegExp(`^/a/cam/${endpoint}/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
		);
		expect(response.headers.get("etag")).toBe('"first"');
		expect(response.headers.get("id")).toBe("9c1e0d4e-0000-4000-8000-000000000001");
		expect(response.headers.get("accept-patch")).toBe("application/trickle-ice-sdpfrag");
		expect(await response.text()).toBe(writeSdp(world.sessions.sessions[0]?.answer ?? parseSdp(OFFER)));
		expect(world.sessions.requests).toMatchObject([
			{ kind: action, path: "a/cam", access: { action, path: "a/cam", protocol: "webrtc" } },
		]);
		expect(world.sessions.requests[0]?.offer).toEqual(parseSdp(OFFER));
	});

	it("keeps the address of a session secret: it is not what everybody may see", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		expect(location).not.toContain(session.id);
	});

	it("tells of ICE servers with credentials for this client, by headers Link", async () => {
		const links = (await world.offer(`/cam/${endpoint}`)).headers.get("link") ?? "";
		expect(links).toMatch(
			/^<stun:stun.example.com:3478>; rel="ice-server", <turn:turn.example.com>; rel="ice-server"; /,
		);
		expect(links).toMatch(/username="\d+:[0-9a-f]{20}"; credential="[A-Za-z0-9+/]{27}="; credential-type="password"$/);
		expect((await world.offer(`/cam/${endpoint}`)).headers.get("link")).not.toBe(links);
	});

	it.each([
		["", "", 415],
		["text/plain", "", 415],
		["application/json", "", 415],
		["Application/SDP; charset=utf-8", "", 201],
	])("takes offers of application/sdp only: %j", async (type, __, status) => {
		const response = await world.offer(`/cam/${endpoint}`, { "content-type": type });
		expect(response.status).toBe(status);
	});

	it("refuses what is no offer with 400", async () => {
		const response = await world.offer(`/cam/${endpoint}`, {}, "v=1");
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ status: 400, code: "bytes.malformed" });
	});

	it.each([
		["of known length", "x".repeat(MAX_SDP_BYTES + 1)],
		["with too many sections", OFFER + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(40)],
	])("refuses what is too large with 413: %s", async (__, body) => {
		expect((await world.offer(`/cam/${endpoint}`, {}, body)).status).toBe(413);
	});

	it("refuses what is too large with 413, also when its length was not told", async () => {
		const status = await new Promise((resolve, reject) => {
			const headers = { "content-type": "application/sdp" };
			const request = http.request(`${world.origin}/cam/${endpoint}`, { method: "POST", headers }, (response) => {
				resolve(response.statusCode);
				request.destroy();
			});
			request.on("error", reject);
			for (let sent = 0; sent <= MAX_SDP_BYTES; sent += 16_384) request.write("x".repeat(16_384));
		});
		expect(status).toBe(413);
	});

	it("ends what was begun for a client that has gone meanwhile", async () => {
		const ready = Promise.withResolvers<void>();
		world.sessions.ready = ready.promise;
		const abort = new AbortController();
		const headers = { "content-type": "application/sdp" };
		const asked = fetch(`${world.origin}/cam/${endpoint}`, {
			method: "POST",
			headers,
			body: OFFER,
			signal: abort.signal,
		});
		await eventually("the request is there", () => world.sessions.requests.length === 1);
		abort.abort();
		await expect(asked).rejects.toThrow();
		await eventually("the server knows", () => world.sessions.requests[0]?.signal.aborted);
		ready.resolve();
		await eventually("the session is closed", () => world.sessions.sessions[0]?.isClosed);
		expect(world.routes.size).toBe(0);
	});

	it("answers OPTIONS with what it takes and with ICE servers, to who may ask", async () => {
		const response = await world.ask("OPTIONS", `/cam/${endpoint}`, { headers: { authorization: "Bearer abc" } });
		expect(response.status).toBe(204);
		expect(response.headers.get("accept-post")).toBe("application/sdp");
		expect(response.headers.get("link")).toContain("turn:");
		expect(world.sessions.accesses).toMatchObject([{ action, path: "cam", token: "abc" }]);
		world.sessions.fault = new DeniedError("access.token_missing", "Show a token");
		const denied = await world.ask("OPTIONS", `/cam/${endpoint}`);
		expect(denied.status).toBe(401);
		expect(denied.headers.get("link")).toBeNull();
	});

	it.each(["GET", "HEAD"])("answers %s with a success and no content, RFC 9725 §4.1", async (method) => {
		const { location } = await world.begun(`/cam/${endpoint}`);
		for (const path of [`/cam/${endpoint}`, location]) {
			const response = await world.ask(method, path);
			expect(response.status).toBe(204);
			expect(await response.text()).toBe("");
		}
	});

	it.each([
		["PUT", "", "GET, HEAD, OPTIONS, POST"],
		["PATCH", "", "GET, HEAD, OPTIONS, POST"],
		["DELETE", "", "GET, HEAD, OPTIONS, POST"],
		["PUT", "session", "DELETE, GET, HEAD, OPTIONS, PATCH"],
		["POST", "session", "DELETE, GET, HEAD, OPTIONS, PATCH"],
	])("answers %s with 405 and what is allowed %s", async (method, at, allow) => {
		const { location } = await world.begun(`/cam/${endpoint}`);
		const response = await world.ask(method, at === "" ? `/cam/${endpoint}` : location);
		expect(response.status).toBe(405);
		expect(response.headers.get("allow")).toBe(allow);
	});

	it.each([
		["Bearer abc", "", { user: "", password: "", token: "abc" }],
		["Bearer me:secret", "", { user: "me", password: "secret", token: "" }],
		[`Basic ${btoa("me:se:cret")}`, "", { user: "me", password: "se:cret", token: "" }],
		["", "?token=abc", { user: "", password: "", token: "abc" }],
		["", "?jwt=abc", { user: "", password: "", token: "abc" }],
		["Bearer abc", "?token=def", { user: "", password: "", token: "abc" }],
		["", "?x=1", { user: "", password: "", token: "" }],
	])("shows who asks: %s %s", async (authorization, query, shown) => {
		await world.offer(`/cam/${endpoint}${query}`, authorization === "" ? {} : { authorization });
		expect(world.sessions.requests[0]?.access).toMatchObject({ ...shown, query: query.slice(1), ip: "127.0.0.1" });
	});

	it.each([
		[new DeniedError("access.token_missing", "Show a token"), 401],
		[new DeniedError("access.token_invalid", "The token is wrong"), 401],
		[new DeniedError("access.credentials", "The password is wrong"), 401],
		[new DeniedError("access.forbidden", "This is not allowed"), 403],
		[new InputError("path.not_configured", "The path is not configured"), 404],
		[new InputError("path.conflict", "Somebody else publishes"), 409],
		[new InputError("input.invalid", "The offer has two videos"), 400],
		[new InputError("path.readers", "There are too many"), 503],
		[new ProtocolError("media.unsupported", "No codec"), 406],
		[new GoneError("stream.not_found", "Nobody publishes"), 409],
	])("answers %s with %i, as a problem document", async (fault, status) => {
		world.sessions.fault = fault;
		const response = await world.offer(`/cam/${endpoint}`);
		expect(response.status).toBe(status);
		expect(response.headers.get("content-type")).toBe("application/problem+json");
		expect(await response.json()).toMatchObject({ status, code: fault.code, detail: fault.message });
	});

	it("asks who shows nothing, or the wrong thing, for Bearer and Basic", async () => {
		world.sessions.fault = new DeniedError("access.token_expired", "The token has expired");
		const challenge = (await world.offer(`/cam/${endpoint}`)).headers.get("www-authenticate");
		expect(challenge).toBe('Bearer realm="sluice", error="invalid_token", Basic realm="sluice", charset="UTF-8"');
		world.sessions.fault = new DeniedError("access.forbidden", "This is not allowed");
		expect((await world.offer(`/cam/${endpoint}`)).headers.get("www-authenticate")).toBeNull();
	});

	it("says when to ask again", async () => {
		world.sessions.fault = new GoneError("stream.not_found", "Nobody publishes");
		expect((await world.offer(`/cam/${endpoint}`)).headers.get("retry-after")).toBe("2");
	});

	it("answers a bug with 500, without detail, and logs it", async () => {
		world.sessions.fault = new TypeError("secret detail");
		const response = await world.offer(`/cam/${endpoint}`);
		expect(response.status).toBe(500);
		expect(await response.text()).not.toContain("secret");
		expect(world.errors).toHaveLength(1);
	});
});

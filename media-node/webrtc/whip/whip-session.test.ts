import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GoneError, ProtocolError } from "#shared/problem.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { OFFER, REMOTE, WhipWorld } from "../../../test/support/whip-world.ts";

let world: WhipWorld;
beforeEach(async () => {
	world = await WhipWorld.open();
});
afterEach(() => world[Symbol.asyncDispose]());

const CANDIDATE = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
const TRICKLE = `a=ice-ufrag:${REMOTE.ufrag}\r\na=ice-pwd:${REMOTE.pwd}\r\n${CANDIDATE}`;
const RESTART = `a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n${CANDIDATE}`;

describe("WHEP, draft-ietf-wish-whep §4.2, for an offer that cannot be met,", () => {
	it("makes an offer of its own with 406, and takes the answer to it by PATCH", async () => {
		world.sessions.isCounterOffer = true;
		const response = await world.offer("/cam/whep");
		expect(response.status).toBe(406);
		expect(response.headers.get("content-type")).toBe("application/sdp");
		expect(await response.text()).toContain("m=video");
		const location = response.headers.get("location") ?? "";
		const headers = { "content-type": "application/sdp" };
		expect((await world.patch(location, OFFER, headers)).status).toBe(204);
		const [session] = world.sessions.sessions;
		expect(session?.accepted).toHaveLength(1);
		expect((await world.patch(location, TRICKLE, { "if-match": '"first"' })).status).toBe(204);
		expect((await world.patch(location, "{}", headers)).status).toBe(400);
		expect((await world.ask("DELETE", location)).status).toBe(200);
	});
});

describe.each([
	["WHIP, RFC 9725", "whip"],
	["WHEP, draft-ietf-wish-whep", "whep"],
])("%s", (_, endpoint) => {
	it("takes trickled candidates with 204, without entity tag", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		const response = await world.patch(location, TRICKLE, { "if-match": '"first"' });
		expect(response.status).toBe(204);
		expect(response.headers.get("etag")).toBeNull();
		expect(session.added).toMatchObject([{ candidates: [{ address: "192.0.2.1" }] }]);
	});

	it.each(['"first"', "*", '"other", "first"', "first"])("takes the entity tag %s", async (ifMatch) => {
		const { location } = await world.begun(`/cam/${endpoint}`);
		expect((await world.patch(location, CANDIDATE, { "if-match": ifMatch })).status).toBe(204);
	});

	it("restarts ICE with 200, a new entity tag and the credentials of the node", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		const response = await world.patch(location, RESTART, { "if-match": "*" });
		expect(response.status).toBe(200);
		expect(response.headers.get("content-type")).toBe("application/trickle-ice-sdpfrag");
		expect(response.headers.get("etag")).toBe('"second"');
		expect(await response.text()).toBe(
			"a=ice-lite\r\na=ice-ufrag:new\r\na=ice-pwd:newnewnewnewnewnewnewnew\r\na=end-of-candidates\r\n",
		);
		expect(session.added).toEqual([]);
		expect((await world.patch(location, CANDIDATE, { "if-match": '"first"' })).status).toBe(412);
		expect((await world.patch(location, RESTART, { "if-match": '"second"' })).status).toBe(204);
	});

	it.each([
		["without entity tag", RESTART, {}, 428],
		["of candidates without entity tag", TRICKLE, {}, 428],
		["with another entity tag", RESTART, { "if-match": '"zero"' }, 412],
		["with a weak entity tag", TRICKLE, { "if-match": 'W/"first"' }, 412],
		["of another type", TRICKLE, { "if-match": "*", "content-type": "application/sdp" }, 415],
		["that cannot be read", "{}", { "if-match": "*" }, 400],
		["of half the credentials", "a=ice-ufrag:abcd", { "if-match": "*" }, 400],
		["that is too long", "a=x\r\n".repeat(9000), { "if-match": "*" }, 413],
		["with an endless entity tag", TRICKLE, { "if-match": "x".repeat(2000) }, 413],
	])("refuses a PATCH %s, and keeps the session", async (__, body, headers, status) => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		expect((await world.patch(location, body, headers)).status).toBe(status);
		expect(session).toMatchObject({ added: [], etag: "first", isClosed: false });
	});

	it("answers 422 when a session cannot be restarted, and keeps it", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		session.fault = new ProtocolError("media.unsupported", "This session cannot be restarted");
		expect((await world.patch(location, RESTART, { "if-match": "*" })).status).toBe(422);
		session.fault = new GoneError("session.closed", "The session has ended");
		expect((await world.patch(location, RESTART, { "if-match": "*" })).status).toBe(404);
		expect(session.isClosed).toBe(false);
		expect((await world.patch(location, CANDIDATE, { "if-match": '"first"' })).status).toBe(204);
	});

	it("ends a session at DELETE, whatever the entity tag", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		expect((await world.ask("DELETE", location, { headers: { "if-match": '"old"' } })).status).toBe(200);
		expect(session.isClosed).toBe(true);
		expect((await world.ask("DELETE", location)).status).toBe(404);
		expect((await world.patch(location, TRICKLE, { "if-match": "*" })).status).toBe(404);
	});

	it("forgets a session that ended by itself", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		expect(world.routes.size).toBe(1);
		await session.close();
		await eventually("the session is forgotten", () => world.routes.size === 0);
		expect((await world.ask("DELETE", location)).status).toBe(404);
	});

	it("knows a session only by its whole address", async () => {
		const { location, session } = await world.begun(`/cam/${endpoint}`);
		const other = endpoint === "whip" ? "whep" : "whip";
		for (const wrong of [
			location.replace("/cam/", "/door/"),
			location.replace(endpoint, other),
			location.slice(0, -1),
		]) {
			expect([404, 405]).toContain((await world.ask("DELETE", wrong)).status);
		}
		expect(session.isClosed).toBe(false);
	});
});

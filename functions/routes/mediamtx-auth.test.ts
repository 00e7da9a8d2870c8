import { describe, expect, it } from "vitest";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { functionsForTest } from "../../test/support/functions.ts";

/** What MediaMTX 1.15 sends for a client that has shown nothing. */
const ASKED = {
	ip: "203.0.113.7",
	user: "",
	password: "",
	token: "",
	action: "publish",
	path: "cam01",
	protocol: "rtsp",
	id: "f3c3a1de-59a8-4e0d-8f6c-3b5d1d5b2f10",
	query: "",
	userAgent: "Lavf60.16.100",
};

async function world() {
	const test = await functionsForTest();
	const ask = (changes: Record<string, unknown>, body: unknown = { ...ASKED, ...changes }) =>
		test.app.request("http://functions.test/auth", {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(body),
		});
	const status = async (changes: Record<string, unknown>) => (await ask(changes)).status;
	return { ...test, ask, status };
}

describe("POST /auth, as MediaMTX asks", () => {
	it("lets in who shows a token or stream key: as token, as password, or in the query", async () => {
		const { status, tokenFor, deps } = await world();
		const token = await tokenFor("publish", "cam01");
		const key = await issueStreamKey(deps.settings.streamKeySecrets, { action: "publish", path: "cam01" }, null);
		for (const shown of [token, key]) {
			expect(await status({ token: shown })).toBe(200);
			expect(await status({ user: "camera", password: shown })).toBe(200);
			expect(await status({ query: `a=b&token=${shown}` })).toBe(200);
			expect(await status({ query: `jwt=${shown}` })).toBe(200);
		}
	});

	it("answers 401 to all others, also to who has shown nothing yet, since RTSP clients show what they have after that", async () => {
		const { status, tokenFor, clock } = await world();
		const token = await tokenFor("publish", "cam01");
		const expired = await tokenFor("publish", "cam01", { lifeMs: 1 });
		await clock.advance(1_000);
		for (const changes of [
			{},
			{ user: "admin", password: "admin" },
			{ token: expired },
			{ token: await tokenFor("publish", "cam01", { foreign: true }) },
			{ token, path: "cam02" },
			{ token, action: "read" },
			{ token, action: "api", path: "" },
			{ token: `${token}x` },
		]) {
			expect(await status(changes), JSON.stringify(changes)).toBe(401);
		}
	});

	it("knows the actions that are about no path", async () => {
		const { status, tokenFor } = await world();
		expect(await status({ action: "api", path: "", token: await tokenFor("api") })).toBe(200);
		expect(await status({ action: "metrics", path: "", token: await tokenFor("metrics") })).toBe(200);
		expect(await status({ action: "playback", token: await tokenFor("playback", "cam01") })).toBe(200);
	});

	it("understands servers that send fewer fields, or more", async () => {
		const { ask, tokenFor } = await world();
		const token = await tokenFor("publish", "cam01");
		expect((await ask({}, { action: "publish", path: "cam01", query: `token=${token}` })).status).toBe(200);
		expect((await ask({ token, id: null, more: 1 })).status).toBe(200);
		expect((await ask({}, { action: "dance", path: "cam01" })).status).toBe(400);
	});

	it("tells nothing of what was shown", async () => {
		const { ask, logs } = await world();
		const answer = await (await ask({ user: "admin", password: "hunter2" })).text();
		expect(answer + logs.join()).not.toContain("hunter2");
	});
});

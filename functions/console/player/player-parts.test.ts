import { describe, expect, test } from "vitest";
import { hlsFaultOf } from "./hls-fault.ts";
import { PlaybackTokens } from "./playback-tokens.ts";
import { retryDelayMs } from "./player-state.ts";

describe("hlsFaultOf", () => {
	const network = { type: "networkError", details: "levelLoadError", fatal: true, status: null };

	test("leaves to hls.js what it mends by itself", () => {
		expect(hlsFaultOf({ ...network, fatal: false })).toBeNull();
		expect(hlsFaultOf({ ...network, fatal: false, status: 503 })).toBeNull();
	});

	test("renews a token that is refused at once, before hls.js gives up", () => {
		expect(hlsFaultOf({ ...network, fatal: false, status: 401 })?.act).toBe("renew");
		expect(hlsFaultOf({ ...network, status: 403 })?.act).toBe("renew");
	});

	test("retries what can come back", () => {
		for (const status of [null, 404, 410, 429, 500, 503]) expect(hlsFaultOf({ ...network, status })?.act).toBe("retry");
		expect(hlsFaultOf({ ...network, status: 404 })?.text).toContain("nothing to play");
	});

	test("stops at codecs that the browser does not have, and recovers from a broken picture", () => {
		const media = { type: "mediaError", fatal: true, status: null };
		expect(hlsFaultOf({ ...media, details: "manifestIncompatibleCodecsError" })?.act).toBe("stop");
		expect(hlsFaultOf({ ...media, details: "bufferAppendError" })?.act).toBe("recover");
	});
});

test("waits grow from about a second to about fifteen, and never further", () => {
	expect(retryDelayMs(0, 0.5)).toBe(1000);
	expect(retryDelayMs(1, 0.5)).toBe(1600);
	expect(retryDelayMs(0, 0)).toBe(750);
	expect(retryDelayMs(1000, 1)).toBeLessThanOrEqual(18_750);
});

describe("PlaybackTokens", () => {
	function server() {
		const asked: unknown[] = [];
		const api = {
			async send<T>(_method: string, _address: string, body: unknown): Promise<{ body: T; etag: null }> {
				asked.push(body);
				if (asked.length === 99) throw new Error("not reached");
				return { body: { token: `t${asked.length}` } as T, etag: null };
			},
			get: () => Promise.reject(new Error("not asked")),
			read: () => Promise.reject(new Error("not asked")),
		};
		return { api, asked };
	}

	test("asks once for all paths where that is allowed", async () => {
		const { api, asked } = server();
		const tokens = new PlaybackTokens(api, true, "console", () => 0);
		expect([await tokens.for("a"), await tokens.for("b")]).toEqual(["t1", "t1"]);
		expect(asked).toEqual([{ permissions: [{ action: "read", path: "" }], expiresIn: "30m", subject: "console" }]);
	});

	test("asks for each path else", async () => {
		const { api, asked } = server();
		const tokens = new PlaybackTokens(api, false, "console", () => 0);
		expect([await tokens.for("a"), await tokens.for("b"), await tokens.for("a")]).toEqual(["t1", "t2", "t1"]);
		expect(asked).toMatchObject([{ permissions: [{ path: "a" }] }, { permissions: [{ path: "b" }] }]);
	});

	test("replaces a token when most of its life is over, or when it was refused", async () => {
		const { api } = server();
		let nowMs = 0;
		const tokens = new PlaybackTokens(api, true, "console", () => nowMs);
		await tokens.for("a");
		nowMs = 20 * 60_000;
		expect(await tokens.for("a")).toBe("t1");
		nowMs = 22 * 60_000;
		expect(await tokens.for("a")).toBe("t2");
		tokens.forget("a");
		expect(await tokens.for("a")).toBe("t3");
	});

	test("forgets a token that could not be had", async () => {
		let isDown = true;
		const { api } = server();
		const failing = {
			...api,
			send: <T>(method: string, address: string, body: unknown) =>
				isDown ? Promise.reject(new Error("down")) : api.send<T>(method, address, body),
		};
		const tokens = new PlaybackTokens(failing, true, "console", () => 0);
		await expect(tokens.for("a")).rejects.toThrow("down");
		isDown = false;
		expect(await tokens.for("a")).toBe("t1");
	});
});

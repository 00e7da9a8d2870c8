import { describe, expect, it } from "vitest";
import { DeniedError, StoreError } from "#shared/problem.ts";
import { controlApi } from "../../test/support/control-api.ts";

describe("the control API", () => {
	it("says its version and when it started", async () => {
		await using api = await controlApi("");
		const { status, json, headers } = await api.get("/v3/info");
		expect(status).toBe(200);
		expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
		expect(json).toEqual({ version: "v1.2.3", started: "2026-01-02T03:04:05.000Z" });
	});

	it("answers what it does not know with 404, and an error in MediaMTX's form", async () => {
		await using api = await controlApi("");
		for (const path of ["/", "/v3", "/v3/nothing", "/v2/info", "/v3/infos", "/v3/paths/list/"]) {
			const { status, json } = await api.get(path);
			expect([status, json], path).toEqual([404, { status: "error", error: "page not found" }]);
		}
		expect((await api.send("POST", "/v3/info")).status).toBe(404);
	});

	it.each([
		"/v3/rtmpconns/list",
		"/v3/rtmpsconns/list",
		"/v3/srtconns/list",
		"/v3/moqsessions/list",
		"/v3/hlsmuxers/list",
		"/v3/hlssessions/list",
		"/v3/recordings/list",
	])("answers %s with 404, as MediaMTX does for a server that is switched off", async (path) => {
		await using api = await controlApi("");
		const { status, json } = await api.get(path);
		expect(status).toBe(404);
		expect(json).toEqual({ status: "error", error: expect.stringMatching(/^this version has no /) });
	});

	it("reads the keys of tokens again", async () => {
		let refreshed = 0;
		await using api = await controlApi("", {
			refreshKeys: async () => {
				refreshed++;
			},
		});
		expect(await api.send("POST", "/v3/auth/jwks/refresh")).toMatchObject({ status: 200, json: { status: "ok" } });
		expect(refreshed).toBe(1);
	});

	it("says so when the keys cannot be read", async () => {
		const refreshKeys = () => Promise.reject(new StoreError("store.unavailable", "The keys cannot be fetched"));
		await using api = await controlApi("", { refreshKeys });
		expect(await api.send("POST", "/v3/auth/jwks/refresh")).toMatchObject({
			status: 500,
			json: { status: "error", error: "The keys cannot be fetched" },
		});
	});

	it("hides what went wrong when it is a bug", async () => {
		const paths = () => {
			throw new TypeError("secret detail");
		};
		await using api = await controlApi("", { paths });
		expect(await api.get("/v3/paths/list")).toMatchObject({
			status: 500,
			json: { status: "error", error: "internal error; it was logged" },
		});
	});
});

describe("access to the control API", () => {
	const ask = async (url: string, authorization: string) =>
		fetch(`${url}/v3/info?a=b`, { headers: { authorization, "user-agent": "curl" } });

	it("is asked for with what the request shows", async () => {
		await using api = await controlApi("");
		await ask(api.url, `Basic ${Buffer.from("ann:a:b").toString("base64")}`);
		await ask(api.url, "Bearer a.b.c");
		await ask(api.url, "Bearer ann:pw");
		await ask(api.url, "Digest x");
		const request = { action: "api", path: "", protocol: "", ip: "127.0.0.1", id: "", query: "a=b", userAgent: "curl" };
		expect(api.asked).toEqual([
			{ ...request, user: "ann", password: "a:b", token: "" },
			{ ...request, user: "", password: "", token: "a.b.c" },
			{ ...request, user: "ann", password: "pw", token: "" },
			{ ...request, user: "", password: "", token: "" },
		]);
	});

	it("asks who shows nothing to show something, also where there is nothing", async () => {
		const authorize = () => Promise.reject(new DeniedError("access.token_missing", "Show something"));
		await using api = await controlApi("", { authorize });
		for (const path of ["/v3/info", "/v3/nothing"]) {
			const { status, headers, json } = await api.get(path);
			expect(status).toBe(401);
			expect(headers.get("www-authenticate")).toBe('Basic realm="sluice"');
			expect(json).toEqual({ status: "error", error: "authentication error" });
		}
	});

	it("does not ask again, nor say why, who shows the wrong thing", async () => {
		const authorize = () => Promise.reject(new DeniedError("access.credentials", "The password of ann is wrong"));
		await using api = await controlApi("", { authorize });
		const { status, headers, json } = await api.get("/v3/info");
		expect([status, headers.get("www-authenticate")]).toEqual([401, null]);
		expect(json).toEqual({ status: "error", error: "authentication error" });
	});
});

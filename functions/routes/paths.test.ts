import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { CONFIG_VERSION_KEY } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";

type Refused = { issues: { path: string; message: string }[] };

describe("path configurations", () => {
	it("are written, read, changed and taken back, each with its etag", async () => {
		const { api, store } = await functionsForTest();
		expect((await api("GET", "/v1/paths/site/cam01")).status).toBe(404);
		const put = await api("PUT", "/v1/paths/site/cam01", { maxReaders: 3 });
		expect(put.status).toBe(201);
		const version = (await store.head(CONFIG_VERSION_KEY))?.etag;
		expect(version).toBeDefined();
		const read = await api("GET", "/v1/paths/site%2Fcam01");
		expect(read.headers.get("etag")).toBe(put.headers.get("etag"));
		expect(await read.json()).toMatchObject({
			name: "site/cam01",
			exists: true,
			config: { maxReaders: 3 },
			effective: { maxReaders: 3, hlsSegmentDuration: "2s" },
			inherited: { maxReaders: 0 },
		});
		expect(
			(await api("GET", "/v1/paths/site/cam01", undefined, { "if-none-match": put.headers.get("etag") ?? "" })).status,
		).toBe(304);
		expect((await api("PUT", "/v1/paths/site/cam01", { maxReaders: 4 })).status).toBe(200);
		const patched = await api(
			"PATCH",
			"/v1/paths/site/cam01",
			{ maxReaders: null, hls: false },
			{ "content-type": "application/merge-patch+json" },
		);
		expect(((await patched.json()) as { config: unknown }).config).toEqual({ hls: false });
		expect((await store.head(CONFIG_VERSION_KEY))?.etag).not.toBe(version);
		expect((await api("DELETE", "/v1/paths/site/cam01")).status).toBe(204);
		expect((await api("DELETE", "/v1/paths/site/cam01")).status).toBe(404);
	});

	it("are refused when their settings do not go together, as in a file", async () => {
		const { api } = await functionsForTest();
		const url = "/v1/paths/q";
		const issuesOf = async (response: Response) => [response.status, ((await response.json()) as Refused).issues];
		const pointless = { path: "body.sourceOnDemand", message: "has no effect when source is publisher" };
		expect(await issuesOf(await api("PUT", url, { sourceOnDemand: true }))).toEqual([400, [pointless]]);
		expect((await api("PUT", url, { source: "rtsp://cam/1", sourceOnDemand: true })).status).toBe(201);
		expect(await issuesOf(await api("PATCH", url, { source: null }))).toEqual([400, [pointless]]);
		expect((await api("PATCH", url, { source: null, sourceOnDemand: null })).status).toBe(200);
		expect((await api("PUT", url, { recordPath: "/x" })).status).toBe(400);
	});

	it("may stand on settings of the nodes that do not go together", async () => {
		const { api, deps } = await functionsForTest();
		Object.assign(deps.settings, { pathDefaults: { ...DEFAULT_PATH_CONFIG, sourceOnDemand: true } });
		expect((await api("PUT", "/v1/paths/q", { maxReaders: 1 })).status).toBe(201);
		expect((await api("PUT", "/v1/paths/q", { source: "redirect" })).status).toBe(400);
	});

	it.each([
		["runOnReady", "is now called runOnAvailable"],
		["disablePublisherOverride", "is now called overridePublisher, and means the opposite"],
		["readUser", "is now an entry of authInternalUsers"],
		["maxReader", "is not known here; did you mean maxReaders?"],
		["zzzzzzzz", "is not known here"],
		["__proto__x", "is not known here"],
	])("say what to write instead of %s", async (key, message) => {
		const { api } = await functionsForTest();
		const refused = await api("PUT", "/v1/paths/q", { [key]: "x" });
		expect(refused.status).toBe(400);
		expect(((await refused.json()) as Refused).issues).toEqual([{ path: `body.${key}`, message }]);
		await api("PUT", "/v1/paths/q", {});
		expect(((await (await api("PATCH", "/v1/paths/q", { [key]: "x" })).json()) as Refused).issues).toEqual([
			{ path: `body.${key}`, message },
		]);
	});

	it("are empty where there is none and that is asked for", async () => {
		const { api } = await functionsForTest();
		const read = await api("GET", "/v1/paths/site/cam01?absent=empty");
		expect(read.status).toBe(200);
		expect(await read.json()).toMatchObject({ exists: false, config: {}, effective: { maxReaders: 0 }, inherited: {} });
		expect((await api("GET", "/v1/paths/site/cam01?absent=fail")).status).toBe(404);
		expect((await api("GET", "/v1/paths/site/cam01?absent=no")).status).toBe(400);
	});

	it("are not written over what somebody else wrote meanwhile", async () => {
		const { api } = await functionsForTest();
		const first = (await api("PUT", "/v1/paths/cam", {})).headers.get("etag") ?? "";
		expect((await api("PUT", "/v1/paths/cam", { maxReaders: 1 }, { "if-match": first })).status).toBe(200);
		for (const [method, body] of [
			["PUT", {}],
			["PATCH", {}],
			["DELETE", undefined],
		] as const) {
			const stale = await api(method, "/v1/paths/cam", body, { "if-match": first });
			expect(stale.status, method).toBe(412);
			expect(await stale.json()).toMatchObject({ code: "input.precondition" });
		}
		expect((await api("PUT", "/v1/paths/cam", {}, { "if-none-match": "*" })).status).toBe(412);
		expect((await api("PUT", "/v1/paths/other", {}, { "if-none-match": "*" })).status).toBe(201);
	});

	it("lose nothing to patches at the same time", async () => {
		const { api } = await functionsForTest();
		await api("PUT", "/v1/paths/cam", {});
		const patches = [{ maxReaders: 7 }, { hls: false }, { hlsSegmentCount: 5 }];
		const answers = await Promise.all(patches.map((patch) => api("PATCH", "/v1/paths/cam", patch)));
		expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
		expect(((await (await api("GET", "/v1/paths/cam")).json()) as { config: unknown }).config).toEqual({
			maxReaders: 7,
			hls: false,
			hlsSegmentCount: 5,
		});
	});

	it.each([
		{
			what: "a value out of range",
			body: { hlsSegmentCount: 1 },
			status: 400,
			code: "input.invalid",
			detail: /body\.hlsSegmentCount: .*>=3/,
		},
		{
			what: "several faults",
			body: { hlsSegmentCount: 1, nope: 2 },
			status: 400,
			code: "input.invalid",
			detail: /hlsSegmentCount.*nope/,
		},
		{ what: "no JSON", body: "{", status: 400, code: "input.invalid", detail: /not JSON/ },
		{ what: "a list", body: [], status: 400, code: "input.invalid", detail: /object/ },
		{
			what: "too much",
			body: JSON.stringify({ source: "x".repeat(300_000) }),
			status: 413,
			code: "input.too_large",
			detail: /262144/,
		},
	])("refuse $what, and say what is allowed", async ({ body, status, code, detail }) => {
		const { api } = await functionsForTest();
		const response = await api("PUT", "/v1/paths/cam", body);
		expect(response.status).toBe(status);
		const problem = (await response.json()) as { code: string; detail: string };
		expect(problem.code).toBe(code);
		expect(problem.detail).toMatch(detail);
	});

	it("refuse another content type and a name that is none", async () => {
		const { api } = await functionsForTest();
		expect((await api("PUT", "/v1/paths/cam", "a: 1", { "content-type": "text/yaml" })).status).toBe(415);
		for (const name of ["a%2F..%2Fb", "a%20b", "a~b", "a/"])
			expect((await api("PUT", `/v1/paths/${name}`, {})).status, name).toBe(400);
	});

	it("are listed page by page", async () => {
		const { api } = await functionsForTest();
		for (const name of ["a", "b/c", "d"]) await api("PUT", `/v1/paths/${name}`, {});
		type Page = { items: { name: string }[]; next: string | null };
		const first = (await (await api("GET", "/v1/paths?limit=2")).json()) as Page;
		expect(first.items.map(({ name }) => name)).toEqual(["a", "b/c"]);
		const second = (await (
			await api("GET", `/v1/paths?limit=2&cursor=${encodeURIComponent(first.next ?? "")}`)
		).json()) as Page;
		expect([second.items.map(({ name }) => name), second.next]).toEqual([["d"], null]);
	});

	it("is of one path: entries for many stand in the files of nodes", async () => {
		const { api, store } = await functionsForTest();
		for (const name of ["all_others", "all"]) {
			const response = await api("PUT", `/v1/paths/${name}`, {});
			expect(response.status).toBe(400);
			expect(await response.json()).toMatchObject({ code: "path.name" });
		}
		expect((await store.list("config/")).objects).toEqual([]);
	});
});

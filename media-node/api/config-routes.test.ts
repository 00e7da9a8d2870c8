import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { controlApi } from "../../test/support/control-api.ts";

type Conf = Record<string, unknown>;
const OK = { status: 200, json: { status: "ok" } };
const failed = (status: number, error: unknown) => ({ status, json: { status: "error", error } });

describe("global settings over the control API", () => {
	it("are those of MediaMTX, with what our paths have at the top", async () => {
		await using api = await controlApi("hlsSegmentCount: 5\nhlsAddress: :7777\nreadTimeout: 90s\n");
		const { json } = await api.get("/v3/config/global/get");
		expect(json).toMatchObject({
			logLevel: "info",
			readTimeout: "1m30s",
			writeQueueSize: 512,
			rtspTransports: ["multicast", "tcp", "udp"],
			hls: true,
			hlsSegmentCount: 5,
			hlsSegmentDuration: "1s",
			hlsAddress: ":7777",
			hlsMuxerCloseAfter: "1m0s",
			metricsAddress: ":9998",
			apiAllowOrigins: ["*"],
		});
		expect((json as { authInternalUsers: unknown[] }).authInternalUsers[1]).toEqual({
			user: "any",
			pass: "",
			ips: ["127.0.0.1/32", "::1/128"],
			permissions: [
				{ action: "api", path: "" },
				{ action: "metrics", path: "" },
				{ action: "pprof", path: "" },
			],
		});
		expect(json).not.toHaveProperty("pathDefaults");
		expect(json).not.toHaveProperty("paths");
	});

	it("change by what is said, and stay otherwise", async () => {
		await using api = await controlApi("logLevel: debug\nreadTimeout: 20s\npaths:\n  cam:\n");
		const patch = { readTimeout: "7s", hlsSegmentCount: 9, hls: false, rtspTransports: ["tcp"], logFile: null };
		expect(await api.send("PATCH", "/v3/config/global/patch", patch)).toMatchObject(OK);
		const { readTimeout, logLevel, logFile, pathDefaults, functions, rtspTransports, paths } = api.settings();
		expect({ readTimeout, logLevel, logFile, functions, rtspTransports }).toEqual({
			readTimeout: "7s",
			logLevel: "debug",
			logFile: "mediamtx.log",
			functions: true,
			rtspTransports: ["tcp"],
		});
		expect(pathDefaults).toMatchObject({ hls: false, hlsSegmentCount: 9, hlsSegmentDuration: "1s" });
		expect(Object.keys(paths)).toEqual(["cam"]);
	});

	it("are understood by their old names", async () => {
		await using api = await controlApi("");
		expect(
			await api.send("PATCH", "/v3/config/global/patch", { readBufferCount: 4096, rtmpDisable: true }),
		).toMatchObject(OK);
		expect(api.settings()).toMatchObject({ writeQueueSize: 4096, rtmp: false });
	});

	it("can be sent back as they were read, and are then the same", async () => {
		await using api = await controlApi(
			"authInternalUsers:\n- user: ann\n  pass: secret-of-ann\n  permissions: []\n- user: bob\n  pass: secret-of-bob\nauthHTTPAddress: http://u:pw@auth/?token=abc\n" +
				"webrtcICEServers2:\n- url: turn:host\n  username: u\n  password: turn-secret\nhlsCDNSecret: cdn\n",
		);
		const before = structuredClone(api.settings());
		const { json } = await api.get("/v3/config/global/get");
		expect(JSON.stringify(json)).not.toMatch(/secret-of|u:pw|abc|turn-secret|"cdn"/);
		expect(await api.send("PATCH", "/v3/config/global/patch", json)).toMatchObject(OK);
		const { authInternalUsers, authHTTPAddress, webrtcICEServers2, hlsCDNSecret, readTimeout } = api.settings();
		expect({ authHTTPAddress, webrtcICEServers2, hlsCDNSecret, readTimeout }).toEqual({
			authHTTPAddress: before.authHTTPAddress,
			webrtcICEServers2: before.webrtcICEServers2,
			hlsCDNSecret: "cdn",
			readTimeout: "10s",
		});
		expect(authInternalUsers).toEqual(before.authInternalUsers);
	});

	it("keep a hidden password with its user when users move", async () => {
		await using api = await controlApi(
			"authInternalUsers:\n- user: ann\n  pass: secret-of-ann\n- user: bob\n  pass: secret-of-bob\n",
		);
		const users = [
			{ user: "bob", pass: "<redacted>" },
			{ user: "eve", pass: "of-eve" },
		];
		expect(await api.send("PATCH", "/v3/config/global/patch", { authInternalUsers: users })).toMatchObject(OK);
		expect(api.settings().authInternalUsers.map(({ user, pass }) => [user, pass])).toEqual([
			["bob", "secret-of-bob"],
			["eve", "of-eve"],
		]);
		const stranger = [{ user: "carl", pass: "<redacted>" }];
		expect(await api.send("PATCH", "/v3/config/global/patch", { authInternalUsers: stranger })).toMatchObject(
			failed(400, expect.stringMatching(/^authInternalUsers\.0\.pass: holds <redacted>/)),
		);
	});

	it.each([
		[{ test: "asd" }, /^test: is not a setting/],
		[{ readTimout: "1s" }, /readTimout: is not a setting; did you mean readTimeout\?/],
		[{ readTimeout: "soon" }, /^readTimeout: must be a duration.* \(is "soon"\)/],
		[{ protocols: ["quic"] }, /^protocols\.0: /],
		[{ hlsSegmentCount: 1 }, /^hlsSegmentCount: /],
		[{ authMethod: "jwt" }, /^authJWTJWKS: must be set/],
		[{ authInternalUsers: [{ user: "any", pass: "hunter22" }] }, /^authInternalUsers\.0\.pass: (?!.*hunter22)/],
		[{ paths: {} }, /^paths: is not a global setting/],
		[{ pathDefaults: {} }, /^pathDefaults: is not a global setting/],
		["xx", /^the body is not JSON$/],
		["", /^the body is not JSON$/],
		["[]", /^the body must be a JSON object$/],
		["null", /^the body must be a JSON object$/],
		[`{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, /nested more than 16 deep/],
		['{"__proto__":{"readTimeout":"1s"}}', /__proto__: is not a setting/],
	])("are not changed by %.60j, and the error names the key", async (body, error) => {
		await using api = await controlApi("");
		const before = api.settings();
		expect(await api.send("PATCH", "/v3/config/global/patch", body)).toMatchObject(
			failed(400, expect.stringMatching(error)),
		);
		expect(api.settings()).toBe(before);
	});

	it("are taken back when they cannot be applied", async () => {
		const configured: string[] = [];
		await using api = await controlApi("", {
			onConfigure: async ({ rtspAddress }) => {
				configured.push(rtspAddress);
				if (rtspAddress === ":1") throw new InputError("listen.in_use", "Port 1 (rtspAddress) is in use");
			},
		});
		expect(await api.send("PATCH", "/v3/config/global/patch", { rtspAddress: ":1" })).toMatchObject(
			failed(400, "Port 1 (rtspAddress) is in use"),
		);
		expect(configured).toEqual([":1", ":8554"]);
		expect(api.settings().rtspAddress).toBe(":8554");
	});

	it("are answered before the server itself moves elsewhere", async () => {
		const moving = Promise.withResolvers<void>();
		await using api = await controlApi("", { onConfigure: () => moving.promise });
		expect(await api.send("PATCH", "/v3/config/global/patch", { apiAddress: ":9" })).toMatchObject(OK);
		moving.resolve();
	});

	it("change one request after the other", async () => {
		await using api = await controlApi("");
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, i) => api.send("POST", `/v3/config/paths/add/cam${i}`, {})),
		);
		expect(answers.every(({ status }) => status === 200)).toBe(true);
		expect(Object.keys(api.settings().paths)).toHaveLength(20);
	});
});

describe("the defaults of paths over the control API", () => {
	it("are shown with an empty name, and changed", async () => {
		await using api = await controlApi("pathDefaults:\n  recordDeleteAfter: 36h\n");
		const { json } = await api.get("/v3/config/pathdefaults/get");
		expect(json).toMatchObject({
			name: "",
			source: "publisher",
			recordDeleteAfter: "1d12h0m0s",
			recordSegmentDuration: "1h0m0s",
			rtspUDPSourcePortRange: [32768, 60999],
		});
		expect(await api.send("PATCH", "/v3/config/pathdefaults/patch", { maxReaders: 3, runOnReady: "x" })).toMatchObject(
			OK,
		);
		expect(api.settings().pathDefaults).toMatchObject({
			maxReaders: 3,
			runOnAvailable: "x",
			recordDeleteAfter: "36h",
		});
		expect(await api.send("PATCH", "/v3/config/pathdefaults/patch", json)).toMatchObject(OK);
		expect(api.settings().pathDefaults.maxReaders).toBe(0);
	});

	it("name what is wrong with them", async () => {
		await using api = await controlApi("");
		expect(await api.send("PATCH", "/v3/config/pathdefaults/patch", { maxReaders: -1 })).toMatchObject(
			failed(400, expect.stringMatching(/^pathDefaults\.maxReaders: /)),
		);
		expect(await api.send("PATCH", "/v3/config/pathdefaults/patch", { readUser: "x" })).toMatchObject(
			failed(400, expect.stringMatching(/authInternalUsers/)),
		);
	});
});

describe("paths' settings over the control API", () => {
	const file = "pathDefaults: { maxReaders: 7 }\npaths:\n  b/c: { maxReaders: 2 }\n  a:\n  '~^x(.*)$':\n";

	it("are listed in pages by name, with what they leave out", async () => {
		await using api = await controlApi(file);
		const { json } = await api.get("/v3/config/paths/list?itemsPerPage=2");
		expect(json).toMatchObject({
			itemCount: 3,
			pageCount: 2,
			items: [
				{ name: "a", maxReaders: 7, source: "publisher" },
				{ name: "b/c", maxReaders: 2 },
			],
		});
		expect(await api.get("/v3/config/paths/list?page=x")).toMatchObject(
			failed(400, expect.stringMatching(/^page must/)),
		);
	});

	it("are got by a name with slashes or of an expression", async () => {
		await using api = await controlApi(file);
		expect(await api.get("/v3/config/paths/get/b/c")).toMatchObject({ json: { name: "b/c", maxReaders: 2 } });
		expect(await api.get(`/v3/config/paths/get/${encodeURIComponent("~^x(.*)$")}`)).toMatchObject({
			json: { name: "~^x(.*)$" },
		});
		for (const name of ["none", "constructor", "__proto__"]) {
			expect(await api.get(`/v3/config/paths/get/${name}`)).toMatchObject(failed(404, "path configuration not found"));
		}
		for (const name of ["", "%", "%ff"]) {
			expect(await api.get(`/v3/config/paths/get/${name}`)).toMatchObject(failed(400, "invalid name"));
		}
	});

	it("are added once", async () => {
		await using api = await controlApi(file);
		const says = { source: "rtsp://u:pw@cam:554/x", sourceOnDemand: true, disablePublisherOverride: true };
		expect(await api.send("POST", "/v3/config/paths/add/my/path", says)).toMatchObject(OK);
		expect(api.settings().paths["my/path"]).toMatchObject({
			source: "rtsp://u:pw@cam:554/x",
			sourceOnDemand: true,
			overridePublisher: false,
		});
		expect(await api.send("POST", "/v3/config/paths/add/my/path", says)).toMatchObject(
			failed(400, "path already exists"),
		);
		expect(await api.get("/v3/config/paths/get/my/path")).toMatchObject({
			json: { source: "rtsp://u:<redacted>@cam:554/x", maxReaders: 7 },
		});
	});

	it("are changed where they are, and keep what is not said, hidden passwords included", async () => {
		await using api = await controlApi("paths:\n  cam: { source: 'rtsp://u:pw@cam/x', maxReaders: 2 }\n");
		const patch = { source: "rtsp://u:<redacted>@other/y", sourceOnDemand: true };
		expect(await api.send("PATCH", "/v3/config/paths/patch/cam", patch)).toMatchObject(OK);
		expect(api.settings().paths["cam"]).toMatchObject({
			source: "rtsp://u:pw@other/y",
			sourceOnDemand: true,
			maxReaders: 2,
		});
		expect(await api.send("PATCH", "/v3/config/paths/patch/none", patch)).toMatchObject(failed(404, "path not found"));
	});

	it("are replaced as a whole, or made", async () => {
		await using api = await controlApi(file);
		expect(await api.send("POST", "/v3/config/paths/replace/b/c", { sourceOnDemand: false })).toMatchObject(OK);
		expect(await api.send("POST", "/v3/config/paths/replace/new", {})).toMatchObject(OK);
		const { paths } = api.settings();
		expect(paths["b/c"]?.maxReaders).toBeUndefined();
		expect(Object.keys(paths).sort()).toEqual(["a", "b/c", "new", "~^x(.*)$"]);
	});

	it("are deleted", async () => {
		await using api = await controlApi(file);
		expect(await api.send("DELETE", "/v3/config/paths/delete/b/c")).toMatchObject(OK);
		expect(await api.send("DELETE", "/v3/config/paths/delete/b/c")).toMatchObject(failed(404, "path not found"));
		expect(Object.keys(api.settings().paths).sort()).toEqual(["a", "~^x(.*)$"]);
	});

	it.each([
		["cam", { test: 1 }, /^paths\.cam\.test: is not a setting$/],
		["cam", { source: "gopher://u:hunter2@x" }, /^paths\.cam\.source: must be (?!.*hunter2)/],
		["cam", { sourceOnDemand: true }, /^paths\.cam\.sourceOnDemand: has no effect/],
		["~^(", {}, /is not a regular expression/],
		["/x/", {}, /must be all_others/],
		["cam", { source: "rtsp://u:<redacted>@cam/x" }, /^paths\.cam\.source: holds <redacted>/],
	])("are refused for %s when they say %j", async (name, says, error) => {
		await using api = await controlApi(file);
		expect(await api.send("POST", `/v3/config/paths/add/${encodeURIComponent(name)}`, says)).toMatchObject(
			failed(400, expect.stringMatching(error)),
		);
	});
});

const FOLDER = path.resolve(import.meta.dirname, "../../test/fixtures/mediamtx");

/** What MediaMTX 1.20 answers for the same files, but for secrets. */
describe("a mediamtx.yml of the real world over the control API", () => {
	const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yml") && !file.startsWith("00"));

	it.each(files)("%s is shown as MediaMTX shows it", async (file) => {
		const expected = JSON.parse(readFileSync(path.join(FOLDER, file.replace(".yml", ".expect.json")), "utf8")) as {
			paths: Record<string, Conf>;
			globals: Conf;
		};
		const text = readFileSync(path.join(FOLDER, file), "utf8").replace(/^apiAddress:.*$/m, "");
		await using api = await controlApi(text);
		const { json } = await api.get("/v3/config/global/get");
		for (const [key, value] of Object.entries(expected.globals)) {
			if (key === "authJWTInHTTPQuery" || key === "apiAddress") continue;
			expect(alike((json as Conf)[key], value), key).toEqual(value);
		}
		for (const [name, keys] of Object.entries(expected.paths)) {
			const shown = await api.get(`/v3/config/paths/get/${encodeURIComponent(name)}`);
			for (const [key, value] of Object.entries(keys)) {
				expect(alike((shown.json as Conf)[key], value), `${name}.${key}`).toEqual(value);
			}
		}
	});

	/** What is shown, with what differs on purpose as MediaMTX has it: secrets, and addresses of anybody. */
	function alike(shown: unknown, expected: unknown): unknown {
		if (Array.isArray(shown) && Array.isArray(expected)) {
			if (shown.length === 0 && expected[0] === "0.0.0.0/0") return expected;
			return shown.map((item, i) => alike(item, expected[i]));
		}
		if (isObject(shown) && isObject(expected)) {
			return Object.fromEntries(Object.entries(shown).map(([key, inner]) => [key, alike(inner, expected[key])]));
		}
		if (typeof shown !== "string" || typeof expected !== "string") return shown;
		const parts = shown.split("<redacted>");
		const isSame = parts.length > 1 && expected.startsWith(parts[0] ?? "") && expected.endsWith(parts.at(-1) ?? "");
		return isSame && shown !== expected ? expected : shown;
	}

	function isObject(value: unknown): value is Conf {
		return typeof value === "object" && value !== null;
	}
});

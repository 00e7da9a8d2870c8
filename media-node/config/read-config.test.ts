import { describe, expect, it } from "vitest";
import { sizeBytes } from "#shared/config/scalar.ts";
import { NOT_BUILT, settingsSchema } from "#shared/config/settings.ts";
import { InputError } from "#shared/problem.ts";
import type { ConfigFault } from "./config-error.ts";
import { defaultConfigFile } from "./default-file.ts";
import { type ReadOptions, readConfig as read } from "./read-config.ts";

const readConfig = (text: string, file: string, options: Partial<ReadOptions> = {}) =>
	read(text, { file, ...options }).settings;

function faultsOf(text: string): readonly ConfigFault[] {
	try {
		readConfig(text, "sluice.yml");
	} catch (error) {
		if (error instanceof InputError) return error.data["faults"] as ConfigFault[];
		throw error;
	}
	throw new Error("The configuration was accepted");
}

describe("reading a configuration", () => {
	it("takes an empty file as the defaults", () => {
		expect(readConfig("", "sluice.yml")).toEqual(settingsSchema.parse({}));
		expect(readConfig("# nothing\n", "sluice.yml").rtspAddress).toBe(":8554");
	});

	it("reads the file that it writes for a first start as the defaults", () => {
		expect(readConfig(defaultConfigFile(), "sluice.yml")).toEqual(settingsSchema.parse({}));
	});

	it("has nothing to warn of in the file that it writes", () => {
		expect(read(defaultConfigFile(), { file: "sluice.yml" }).warnings).toEqual([]);
	});

	it("says in the written file what each setting is for", () => {
		const text = defaultConfigFile();
		for (const key of Object.keys(settingsSchema.shape).filter(
			(key) =>
				settingsSchema.parse({})[key as never] !== undefined && !Object.values(NOT_BUILT.global).flat().includes(key),
		)) {
			expect(text).toMatch(new RegExp(`^# .+\\n${key}:`, "m"));
		}
	});

	it("keeps a path's own settings apart from the defaults", () => {
		const settings = readConfig(
			"pathDefaults:\n  hlsSegmentDuration: 4s\npaths:\n  cam01:\n  cam02:\n    maxReaders: 3\n",
			"f",
		);
		expect(settings.pathDefaults.hlsSegmentDuration).toBe("4s");
		expect(settings.pathDefaults.maxReaders).toBe(0);
		expect(settings.paths).toEqual({ cam01: {}, cam02: { maxReaders: 3 } });
	});

	it.each([
		{
			what: "an unknown key",
			text: "logLevel: info\nrtspAdress: :8554\n",
			line: 2,
			column: 1,
			key: "rtspAdress",
			message: /is not a setting; did you mean rtspAddress\?/,
		},
		{
			what: "a wrong choice",
			text: "logLevel: loud\n",
			line: 1,
			column: 1,
			key: "logLevel",
			message: /"error"\|"warn"\|"info"\|"debug".*\(is "loud"\)/,
		},
		{ what: "a wrong type", text: "metrics: 3\n", line: 1, column: 1, key: "metrics", message: /boolean.*\(is 3\)/ },
		{
			what: "a bad duration, deep down",
			text: "paths:\n  cam01:\n    hlsRetention: soon\n",
			line: 3,
			column: 5,
			key: "paths.cam01.hlsRetention",
			message: /must be a duration such as/,
		},
		{
			what: "an unknown path setting",
			text: "paths:\n  cam01:\n    maxReader: 1\n",
			line: 3,
			column: 5,
			key: "paths.cam01.maxReader",
			message: /did you mean maxReaders\?/,
		},
		{
			what: "a bad path name",
			text: "paths:\n  ok: {}\n  /bad: {}\n",
			line: 3,
			column: 3,
			key: "paths./bad",
			message: /path name/,
		},
		{
			what: "a bad list element",
			text: "rtspTransports:\n  - tcp\n  - pigeon\n",
			line: 3,
			column: 5,
			key: "rtspTransports.1",
			message: /\(is "pigeon"\)/,
		},
		{ what: "a list at the top", text: "- a\n", line: 1, column: 1, key: "", message: /not a list of settings/ },
		{ what: "broken YAML", text: "logLevel: [info\nmetrics: true\n", line: 2, column: 1, key: "", message: /./ },
		{
			what: "a key that stands twice",
			text: "metrics: true\nmetrics: false\n",
			line: 2,
			column: 1,
			key: "metrics",
			message: /unique/,
		},
		{
			what: "an address without port",
			text: "rtspAddress: localhost\n",
			line: 1,
			column: 1,
			key: "rtspAddress",
			message: /host:port/,
		},
		{
			what: "an unknown kind of bucket",
			text: "bucket: ftp://x\n",
			line: 1,
			column: 1,
			key: "bucket",
			message: /file:FOLDER or s3:/,
		},
	])("says where $what is and what is allowed", ({ text, line, column, key, message }) => {
		const faults = faultsOf(text);
		expect(faults[0]).toMatchObject({ place: { line, column }, key });
		expect(faults[0]?.message).toMatch(message);
	});

	it("reports all faults at once, one a line, as file:line:column", () => {
		expect(() => readConfig("logLevel: loud\nmetrics: 3\nnope: 1\n", "my.yml")).toThrow(
			/my\.yml:1:1: logLevel: .*\nmy\.yml:2:1: metrics: .*\nmy\.yml:3:1: nope: /,
		);
	});

	it("never shows a password", () => {
		const text = "authInternalUsers:\n  - user: a\n    pass: [hunter22]\n    permissions: []\n";
		expect(() => readConfig(text, "f")).toThrow(/pass/);
		expect(() => readConfig(text, "f")).not.toThrow(/hunter22/);
	});

	it("tells the first hundred faults, and that there are more", () => {
		const unknown = (count: number) => Array.from({ length: count }, (_, i) => `unknown${i}: 1\n`).join("");
		expect(faultsOf(unknown(100))).toHaveLength(100);
		expect(() => readConfig(unknown(100), "f.yml")).not.toThrow(/there are more/);
		expect(faultsOf(unknown(101))).toHaveLength(100);
		expect(() => readConfig(unknown(101), "f.yml")).toThrow(/there are more/);
	});

	it("does not blow up on aliases that repeat aliases", () => {
		const bomb = [
			"a: &a [x,x,x,x,x,x,x,x,x]",
			...[..."bcdefgh"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefg"[i]}`).join(",")}]`),
		].join("\n");
		expect(() => readConfig(bomb, "f")).toThrow(InputError);
	});
});

describe("what a configuration file may hold", () => {
	const settingsOf = (text: string, options: Partial<ReadOptions> = {}) => readConfig(text, "f.yml", options);

	it("takes the booleans of old, where they are not in quotes", () => {
		const { rtsp, rtspEncryption, pathDefaults } = settingsOf(
			"rtsp: no\nrtspEncryption: no\npathDefaults:\n  sourceOnDemand: No\n  record: on\n",
		);
		expect([rtsp, rtspEncryption, pathDefaults.sourceOnDemand, pathDefaults.record]).toEqual([
			false,
			"no",
			false,
			true,
		]);
		expect(
			settingsOf('authInternalUsers: [{ user: "no", pass: "longer-than-that" }]\n').authInternalUsers[0]?.user,
		).toBe("no");
	});

	it("takes anchors, aliases and merged maps", () => {
		const text = "pathDefaults: &base { maxReaders: 3 }\npaths:\n  a: &a { <<: *base, hls: false }\n  b: *a\n";
		expect(settingsOf(text).paths).toEqual({ a: { maxReaders: 3, hls: false }, b: { maxReaders: 3, hls: false } });
	});

	it("takes JSON", () => {
		expect(settingsOf('{"rtspAddress": ":9554", "paths": {"cam": null}}')).toMatchObject({
			rtspAddress: ":9554",
			paths: { cam: {} },
		});
	});

	it("takes a key without a value as one that is not there", () => {
		const { authHTTPAddress, pathDefaults } = settingsOf(
			"authHTTPAddress:\npathDefaults:\n  sourceRedirect:\n  rtspRangeType:\n",
		);
		expect([authHTTPAddress, pathDefaults.sourceRedirect, pathDefaults.rtspRangeType]).toEqual(["", "", ""]);
	});

	it("puts variables of the environment in, with their type", () => {
		const environment = { CAM: "10.0.0.7", READERS: "5", PASS: "s3cret-and-long" };
		const text =
			"rtspAddress: ${HOST:127.0.0.1}:${PORT:8554}\npaths:\n  cam: \n    source: rtsp://me:${PASS}@${CAM}/live\n    maxReaders: ${READERS}\n";
		expect(settingsOf(text, { environment })).toMatchObject({
			rtspAddress: "127.0.0.1:8554",
			paths: { cam: { source: "rtsp://me:s3cret-and-long@10.0.0.7/live", maxReaders: 5 } },
		});
	});

	it.each(["*alias", "&anchor", "!tag", "# no comment", "key: value", "[1, *a]", "{ a", "'"])(
		"takes %s in a variable as the text that it is",
		(text) => {
			expect(settingsOf("logFile: ${X}\n", { environment: { X: text } }).logFile).toBe(text);
		},
	);

	it("puts in a list as a list", () => {
		expect(settingsOf("rtspTransports: ${X:[tcp, udp]}\n").rtspTransports).toEqual(["tcp", "udp"]);
	});

	it("leaves the variables of hooks and of sources to the moment when they are run", () => {
		const text =
			"paths:\n  cam:\n    runOnAvailable: notify ${MTX_PATH} ${HOSTNAME_OF_NOBODY} $G1\n  '~^x(.*)$': { source: 'rtsp://h/${G1}', sourceOnDemand: true }\n";
		const { paths } = settingsOf(text);
		expect(paths["cam"]?.runOnAvailable).toBe("notify ${MTX_PATH} ${HOSTNAME_OF_NOBODY} $G1");
		expect(paths["~^x(.*)$"]?.source).toBe("rtsp://h/${G1}");
	});

	it("says which variable is missing, and where", () => {
		const [fault] = faultsOf("logLevel: info\nrtspAddress: :${NOWHERE}\n");
		expect(fault).toMatchObject({ place: { line: 2 }, key: "rtspAddress" });
		expect(fault?.message).toContain("NOWHERE is not set");
	});

	it("makes the HLS settings of all paths their defaults, and the HLS port that of the functions", () => {
		const settings = settingsOf(
			"hlsSegmentDuration: 3s\nhlsSegmentCount: 5\nhlsAddress: :9888\npathDefaults: { hlsSegmentCount: 9 }\n",
		);
		expect(settings).toMatchObject({
			functionsAddress: ":9888",
			pathDefaults: { hlsSegmentDuration: "3s", hlsSegmentCount: 9 },
		});
		expect(settingsOf("hls: no\n")).toMatchObject({ functions: false, pathDefaults: { hls: false } });
	});

	it("places a fault of a moved or old key where the person wrote it", () => {
		expect(faultsOf("logLevel: info\nhlsSegmentCount: 1\n")[0]).toMatchObject({
			place: { line: 2 },
			key: "hlsSegmentCount",
		});
		expect(faultsOf("paths:\n  cam:\n    sourceProtocol: pigeon\n")[0]).toMatchObject({
			place: { line: 3 },
			key: "paths.cam.sourceProtocol",
		});
	});

	it("tells a bad pattern where it stands, and not of the users that old settings become", () => {
		const text = "paths:\n  a: {publishUser: joe, publishPass: longenoughpassword}\n  '~((': {maxReaders: 1}\n";
		expect(faultsOf(text)).toEqual([expect.objectContaining({ key: "paths.~((" })]);
	});

	it("never shows the credentials of a source", () => {
		const text = "paths:\n  cam: { source: 'gopher://joe:hunter22@host/x' }\n";
		expect(() => settingsOf(text)).toThrow(/gopher:\/\/host/);
		expect(() => settingsOf(text)).not.toThrow(/hunter22/);
	});
});

describe("a file of MediaMTX", () => {
	it("has MediaMTX's defaults for what it leaves out", () => {
		const settings = read("paths: { cam: }\n", { file: "mediamtx.yml", mediamtx: true }).settings;
		expect(settings.metrics).toBe(false);
		expect(settings.authInternalUsers[0]).toMatchObject({ user: "any", ips: [] });
		expect(settings.pathDefaults).toMatchObject({ hlsSegmentDuration: "1s", hlsSegmentCount: 7 });
		expect(read("", { file: "mediamtx.yml", mediamtx: true }).settings.paths).toEqual({});
	});
});

describe("rules across keys", () => {
	it.each([
		["paths:\n  '~^x': { source: 'rtsp://h/p' }\n", "paths.~^x.sourceOnDemand", /must be true/],
		["paths:\n  a: { source: redirect }\n", "paths.a.sourceRedirect", /must be set/],
		["paths:\n  a: { sourceRedirect: /b }\n", "paths.a.sourceRedirect", /not redirect/],
		["paths:\n  a: { source: redirect, sourceRedirect: b }\n", "paths.a.sourceRedirect", /\/another\/path/],
		["paths:\n  a: { source: file }\n", "paths.a.sourceFile", /must be set/],
		["paths:\n  a: { source: 'udp+rtp://127.0.0.1:5000' }\n", "paths.a.rtpSDP", /must be set/],
		["paths:\n  a: { source: 'udp+rtp://127.0.0.1' , rtpSDP: x}\n", "paths.a.source", /say the port/],
		["paths:\n  a: { source: 'rtsp://joe@h/p' }\n", "paths.a.source", /both a user name and a password/],
		["paths:\n  all_others: { runOnInit: x }\n", "paths.all_others.runOnInit", /name of its own/],
		["paths:\n  a: { source: 'rtsp://h/p', runOnDemand: x }\n", "paths.a.runOnDemand", /source: publisher/],
		["paths:\n  a: { sourceOnDemand: true }\n", "paths.a.sourceOnDemand", /no effect/],
		["paths:\n  a: { alwaysAvailable: true }\n", "paths.a.alwaysAvailableTracks", /one track at least/],
		["paths:\n  all: {}\n  all_others: {}\n", "paths.all_others", /same as all/],
		["paths:\n  a: { recordPath: ./x }\n", "paths.a.recordPath", /%path/],
		["authMethod: http\n", "authHTTPAddress", /must be set/],
		["authMethod: jwt\n", "authJWTJWKS", /must be set/],
		["authMethod: http\nauthHTTPAddress: http://h\nrtspAuthMethods: [digest]\n", "rtspAuthMethods", /internal/],
		["authInternalUsers: [{ user: any, pass: x }]\n", "authInternalUsers.0.pass", /no effect/],
		["writeQueueSize: 500\n", "writeQueueSize", /power of two/],
		["udpMaxPayloadSize: 1500\n", "udpMaxPayloadSize", /1472/],
	])("refuses %j", (text, key, message) => {
		const [fault] = faultsOf(text);
		expect(fault?.key).toBe(key);
		expect(fault?.message).toMatch(message);
	});
});

describe("sizes", () => {
	it.each([
		["500K", 512_000],
		["50M", 52_428_800],
		["10G", 10_737_418_240],
	])("reads %s", (text, bytes) => expect(sizeBytes(text)).toBe(bytes));
});

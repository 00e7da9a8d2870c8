import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import type { ConfigFault } from "./config-error.ts";
import { defaultConfigFile } from "./default-file.ts";
import { readConfig } from "./read-config.ts";
import { settingsSchema, sizeBytes } from "./settings-schema.ts";

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

	it("says in the written file what each setting is for", () => {
		const text = defaultConfigFile();
		for (const key of Object.keys(settingsSchema.shape).filter(
			(key) => settingsSchema.parse({})[key as never] !== undefined,
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
		{ what: "a list at the top", text: "- a\n", line: 1, column: 1, key: "", message: /object/ },
		{ what: "broken YAML", text: "logLevel: [info\nmetrics: true\n", line: 2, column: 1, key: "", message: /./ },
		{
			what: "a key that stands twice",
			text: "metrics: true\nmetrics: false\n",
			line: 2,
			column: 1,
			key: "",
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
		expect(faults[0]).toMatchObject({ line, column, key });
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

	it("does not blow up on aliases that repeat aliases", () => {
		const bomb = [
			"a: &a [x,x,x,x,x,x,x,x,x]",
			...[..."bcdefgh"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefg"[i]}`).join(",")}]`),
		].join("\n");
		expect(() => readConfig(bomb, "f")).toThrow(InputError);
	});
});

describe("sizes", () => {
	it.each([
		["500K", 512_000],
		["50M", 52_428_800],
		["10G", 10_737_418_240],
	])("reads %s", (text, bytes) => expect(sizeBytes(text)).toBe(bytes));
});

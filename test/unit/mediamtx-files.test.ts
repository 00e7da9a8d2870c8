/** Configuration files as people write them for MediaMTX: each loads, and says what MediaMTX would take it to say. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseDurationMs } from "#shared/config/duration.ts";
import { DEFAULT_PATH_CONFIG, layeredPathConfig } from "#shared/config/path-config.ts";
import { MEDIAMTX_DEFAULTS, settingsSchema } from "#shared/config/settings.ts";
import { readConfig } from "../../media-node/config/read-config.ts";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/mediamtx");

type Expected = {
	readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
	readonly deprecated: readonly string[];
	readonly globals: Readonly<Record<string, unknown>>;
};

const read = (file: string) =>
	readConfig(readFileSync(path.join(FOLDER, file), "utf8"), { file: "mediamtx.yml", mediamtx: true });

/** Where HLS settings of all paths, and the port of HLS, are here. */
const MOVED: Readonly<Record<string, (settings: ReturnType<typeof read>["settings"]) => unknown>> = {
	hls: ({ pathDefaults }) => pathDefaults.hls,
	hlsSegmentDuration: ({ pathDefaults }) => pathDefaults.hlsSegmentDuration,
	hlsSegmentCount: ({ pathDefaults }) => pathDefaults.hlsSegmentCount,
	hlsAddress: ({ functionsAddress }) => functionsAddress,
};

/** Durations by what they mean, networks with their mask, sets in order: two ways to write one thing are equal. */
function plain(value: unknown, key = ""): unknown {
	if (Array.isArray(value)) {
		const items = value.map((item) => plain(item, key));
		if (key === "ips" && items.length === 0) return ["0.0.0.0/0"];
		return key === "rtspTransports" ? items.sort() : items;
	}
	if (typeof value === "object" && value !== null) {
		return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, name)]));
	}
	if (typeof value !== "string") return value;
	if (/^[\d.]+$/.test(value) && value.split(".").length === 4) return `${value}/32`;
	if (value === "::1") return "::1/128";
	return parseDurationMs(value) ?? value;
}

const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yml") && !file.startsWith("00"));

describe("a mediamtx.yml of the real world", () => {
	it("is one of twenty at least", () => expect(files.length).toBeGreaterThanOrEqual(20));

	it.each(files)("%s loads, and means what it means to MediaMTX", (file) => {
		const expected = JSON.parse(
			readFileSync(path.join(FOLDER, file.replace(".yml", ".expect.json")), "utf8"),
		) as Expected;
		const { settings, warnings } = read(file);
		for (const [key, value] of Object.entries(expected.globals)) {
			if (key === "authJWTInHTTPQuery") continue;
			const ours = MOVED[key]?.(settings) ?? settings[key as keyof typeof settings];
			expect(plain(ours, key), key).toEqual(plain(value, key));
		}
		expect(Object.keys(settings.paths).sort()).toEqual(Object.keys(expected.paths).sort());
		for (const [name, keys] of Object.entries(expected.paths)) {
			const config = layeredPathConfig(settings.pathDefaults, settings.paths[name] ?? {});
			for (const [key, value] of Object.entries(keys)) {
				if (key === "name") continue;
				expect(plain(config[key as keyof typeof config], key), `${name}.${key}`).toEqual(plain(value, key));
			}
		}
		for (const key of expected.deprecated) {
			expect(
				warnings.some((line) => new RegExp(`(^|[.: ])${key}: (?:is now|now stands|has no|still)`).test(line)),
				key,
			).toBe(true);
		}
	});
});

describe("the file that comes with MediaMTX", () => {
	it("loads, and says the defaults that a file of MediaMTX has anyway", () => {
		const { settings } = read("00-every-key.yml");
		const { hlsSegmentCount, hlsSegmentDuration, ...global } = MEDIAMTX_DEFAULTS;
		const pathDefaults = layeredPathConfig(DEFAULT_PATH_CONFIG, { hlsSegmentCount, hlsSegmentDuration });
		expect(settings).toEqual(settingsSchema.parse({ ...global, pathDefaults, paths: { all_others: {} } }));
	});

	it("is told in one line which of its settings have no effect yet, and that anybody may publish", () => {
		const { warnings } = read("00-every-key.yml");
		expect(warnings).toHaveLength(2);
		expect(warnings[0]).toMatch(
			/no effect in this version\. .*RTMP: rtmp, .*SRT: srt, .*recording \(of paths\): record, /,
		);
		expect(warnings[1]).toMatch(/authInternalUsers\.0: lets anybody who reaches :8554 publish/);
	});
});

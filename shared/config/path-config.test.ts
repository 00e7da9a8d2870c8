import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, layeredPathConfig, pathConfigSchema, pathOverridesSchema } from "./path-config.ts";

describe("the settings of a path", () => {
	it("has a default for every key", () => {
		expect(Object.keys(DEFAULT_PATH_CONFIG).sort()).toEqual(Object.keys(pathConfigSchema.shape).sort());
	});

	it("keeps what a path leaves out open, and checks what it says", () => {
		expect(pathOverridesSchema.parse({})).toEqual({});
		expect(pathOverridesSchema.parse({ maxReaders: 3 })).toEqual({ maxReaders: 3 });
		expect(pathOverridesSchema.safeParse({ hlsSegmentCount: 1 }).success).toBe(false);
		expect(pathOverridesSchema.safeParse({ maxReader: 3 }).success).toBe(false);
	});

	it("lays the later over the earlier, key by key", () => {
		const config = layeredPathConfig(DEFAULT_PATH_CONFIG, { maxReaders: 3, hls: false }, { maxReaders: 5 });
		expect(config).toEqual({ ...DEFAULT_PATH_CONFIG, maxReaders: 5, hls: false });
	});

	it.each([
		{ hlsSegmentDuration: "100ms" },
		{ hlsSegmentDuration: "2m" },
		{ publisherReconnectWindow: "-1s" },
		{ hlsRetention: "367d" },
		{ maxReaders: -1 },
		{ maxReaders: 1.5 },
		{ source: "gopher://camera" },
		{ hlsDelivery: "public" },
	])("refuses %j", (input) => expect(pathConfigSchema.safeParse(input).success).toBe(false));
});

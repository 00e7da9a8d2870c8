import { describe, expect, it } from "vitest";
import { hookEnvironment, MAX_GROUPS, MAX_VALUE_LENGTH } from "./hook-environment.ts";

describe("hookEnvironment", () => {
	it("names everything as MediaMTX does", () => {
		expect(
			hookEnvironment({
				rtspPort: 8554,
				path: "live/cam1",
				groups: ["cam1", undefined],
				query: "a=1&b=%20",
				source: { type: "rtspSession", id: "s" },
				reader: { type: "hlsMuxer", id: "r" },
				connection: { type: "rtspConn", id: "c" },
				segment: { path: "/rec/1.mp4", durationMs: 60_040 },
			}),
		).toEqual({
			RTSP_PORT: "8554",
			MTX_PATH: "live/cam1",
			RTSP_PATH: "live/cam1",
			G1: "cam1",
			G2: "",
			MTX_QUERY: "a=1&b=%20",
			MTX_SOURCE_TYPE: "rtspSession",
			MTX_SOURCE_ID: "s",
			MTX_READER_TYPE: "hlsMuxer",
			MTX_READER_ID: "r",
			MTX_CONN_TYPE: "rtspConn",
			MTX_CONN_ID: "c",
			MTX_SEGMENT_PATH: "/rec/1.mp4",
			MTX_SEGMENT_DURATION: "60.04",
		});
	});

	it("sets only what is known, an empty query included", () => {
		expect(hookEnvironment({ rtspPort: null })).toEqual({ RTSP_PORT: "" });
		expect(hookEnvironment({ rtspPort: 1, path: "a", query: "" })).toMatchObject({ MTX_QUERY: "" });
		expect(hookEnvironment({ rtspPort: 1, path: "a", segment: { path: "f" } })).not.toHaveProperty(
			"MTX_SEGMENT_DURATION",
		);
	});

	it.each([
		[0, "0"],
		[1, "0.001"],
		[500, "0.5"],
		[10_000, "10"],
		[1e12, "1000000000"],
	])("writes %d ms as %s seconds", (durationMs, text) => {
		expect(hookEnvironment({ rtspPort: 1, segment: { path: "f", durationMs } })["MTX_SEGMENT_DURATION"]).toBe(text);
	});

	it("bounds values and groups, and leaves NULs out, which no process accepts", () => {
		const groups = new Array<string>(MAX_GROUPS + 5).fill("x");
		const environment = hookEnvironment({ rtspPort: 1, path: "a\0b", query: "q".repeat(100_000), groups });
		expect(environment["MTX_PATH"]).toBe("ab");
		expect(environment["MTX_QUERY"]).toHaveLength(MAX_VALUE_LENGTH);
		expect(environment[`G${MAX_GROUPS}`]).toBe("x");
		expect(environment).not.toHaveProperty(`G${MAX_GROUPS + 1}`);
	});
});

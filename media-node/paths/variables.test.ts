import { describe, expect, it } from "vitest";
import { withVariables } from "./variables.ts";

const VARIABLES = { path: "proxy_cam/1", groups: ["cam/1", "x"], query: "a=b&c=d" };

describe("variables in a source", () => {
	it.each([
		["rtsp://other/$G1", "rtsp://other/cam/1"],
		["rtsp://other/${G1}/$G2", "rtsp://other/cam/1/x"],
		["rtsp://other/$MTX_PATH?$MTX_QUERY", "rtsp://other/proxy_cam/1?a=b&c=d"],
		["rtsp://other/$G9", "rtsp://other/"],
		["rtsp://user:p$ss@other/$HOME", "rtsp://user:p$ss@other/$HOME"],
	])("of %s are put in", (text, expected) => expect(withVariables(text, VARIABLES)).toBe(expected));

	it("cannot begin another line", () => {
		expect(withVariables("rtsp://h/?$MTX_QUERY", { ...VARIABLES, query: "a\r\nEvil: 1 \0" })).toBe("rtsp://h/?aEvil:1");
	});
});

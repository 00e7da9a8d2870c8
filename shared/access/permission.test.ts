import { describe, expect, it } from "vitest";
import {
	ACTIONS,
	type Action,
	allows,
	allowsEverywhere,
	mayGrant,
	pathPatternSchema,
	permissionSchema,
} from "./permission.ts";

const can = (path: string, action: Action = "read") => [{ action, path }];

describe("a permission", () => {
	it("without a path is for every path, and for its own action alone, but for those that imply others", () => {
		const implied = ["api view", "api manage", "api node", "manage view"];
		for (const granted of ACTIONS) {
			for (const asked of ACTIONS) {
				expect(allows(can("", granted), asked, "site/cam01"), `${granted}, ${asked}`).toBe(
					granted === asked || implied.includes(`${granted} ${asked}`),
				);
			}
		}
	});

	it("with a path is for that very path", () => {
		expect(allows(can("cam01"), "read", "cam01")).toBe(true);
		for (const path of ["cam0", "cam011", "cam01/sub", "CAM01", "", "/cam01"]) {
			expect(allows(can("cam01"), "read", path), path).toBe(false);
		}
		expect(allows(can("cam.1"), "read", "cam01")).toBe(false);
	});

	it.each([
		["~^site/", "site/cam01", true],
		["~^site/", "other/site/cam01", false],
		// As in MediaMTX, an expression without anchors matches anywhere.
		["~cam", "site/cam01", true],
		["~^cam(1|2)$", "cam2", true],
		["~^cam(1|2)$", "cam3", false],
		["~", "anything", true],
	])("%s on %s: %s", (pattern, path, expected) => {
		expect(allows(can(pattern), "read", path)).toBe(expected);
	});

	it.each(["api", "metrics", "pprof"] as const)("to use the %s has nothing to do with its path", (action) => {
		expect(allows(can("cam01", action), action, "")).toBe(true);
		expect(allows(can("~^x$", action), action, "y")).toBe(true);
	});

	it.each(["publish", "read", "playback"] as const)("to %s has", (action) => {
		expect(allows(can("cam01", action), action, "cam02")).toBe(false);
	});

	it("is enough when it is one of many", () => {
		expect(allows([...can("a"), ...can("b"), ...can("b", "publish")], "publish", "b")).toBe(true);
		expect(allows([...can("a"), ...can("b")], "publish", "b")).toBe(false);
		expect(allows([], "read", "a")).toBe(false);
	});

	it("with a broken expression allows nothing, and does not throw", () => {
		expect(allows(can("~("), "read", "(")).toBe(false);
	});
});

describe("a pattern of paths in the API", () => {
	it.each(["cam01", "site/cam01", "~^site/", "~.*"])("may be %s", (pattern) => {
		expect(pathPatternSchema.safeParse(pattern).success).toBe(true);
	});

	it.each([
		["site/*", /"site\/\*" is no path name; a regular expression begins with ~/],
		["/site", /is no path name/],
		["^site/", /is no path name/],
		["~(", /^is not a regular expression$/],
		["", /^must not be empty$/],
	])("may not be %j", (pattern, words) => {
		const messages = pathPatternSchema.safeParse(pattern).error?.issues.map(({ message }) => message);
		expect(messages).toEqual([expect.stringMatching(words)]);
	});

	it("may be what is no path in a file, where MediaMTX takes it too", () => {
		expect(permissionSchema.safeParse({ action: "read", path: "site/*" }).success).toBe(true);
	});
});

describe("a permission for everything", () => {
	it("is one without a path, not one whose expression fits everything", () => {
		expect(allowsEverywhere(can("", "manage"), "view")).toBe(true);
		expect(allowsEverywhere(can("ignored", "api"), "manage")).toBe(true);
		for (const path of ["cam", "~", "~.*"]) expect(allowsEverywhere(can(path, "manage"), "manage"), path).toBe(false);
		expect(allowsEverywhere(can("", "view"), "manage")).toBe(false);
	});
});

describe("handing out permissions", () => {
	it.each([
		["who may manage everything", "", "read", "", true],
		["who may manage everything", "", "publish", "~^a", true],
		["who may manage everything", "", "view", "", false],
		["who may manage everything", "", "api", "", false],
		["who may manage a site", "~^site/", "read", "site/cam", true],
		["who may manage a site", "~^site/", "read", "other/cam", false],
		["who may manage a site", "~^site/", "read", "~^site/", true],
		["who may manage a site", "~^site/", "read", "~^site/|", false],
		["who may manage a site", "~^site/", "read", "", false],
		// The text of a pattern must not be taken for a path that another pattern fits.
		["who may manage what has an e", "~e", "read", "~^everything", false],
	] as const)("%s (%j) to %s %j: %s", (_who, scope, action, path, expected) => {
		expect(mayGrant(can(scope, "manage"), { action, path })).toBe(expected);
	});

	it("is not for those who only view or read, and without bounds for administrators", () => {
		expect(mayGrant([...can("", "view"), ...can("", "read")], { action: "read", path: "cam" })).toBe(false);
		for (const action of ACTIONS) expect(mayGrant(can("", "api"), { action, path: "" }), action).toBe(true);
	});
});

describe("a permission as it is written", () => {
	it("may leave its path out", () => {
		expect(permissionSchema.parse({ action: "read" })).toEqual({ action: "read", path: "" });
		expect(permissionSchema.parse({ action: "publish", path: "~^a" })).toEqual({ action: "publish", path: "~^a" });
	});

	it.each([
		[{}],
		[{ action: "write" }],
		[{ action: "READ" }],
		[{ action: ["read"] }],
		[{ action: "read", path: null }],
		[{ action: "read", path: "~(" }],
		[{ action: "read", path: "~[z-a]" }],
		[{ action: "read", path: "a".repeat(257) }],
		["read"],
		[null],
	])("is not %j", (value) => {
		expect(permissionSchema.safeParse(value).success).toBe(false);
	});
});

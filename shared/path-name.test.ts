import { describe, expect, it } from "vitest";
import { isPathName, MAX_PATH_NAME_LENGTH, parsePathName } from "./path-name.ts";
import { hasCode } from "./problem.ts";
import { keyToPath, pathToKey } from "./store/key.ts";

describe("path names", () => {
	it.each(["cam01", "site/gate-2", "a.b_c", "a/b/c", "x".repeat(MAX_PATH_NAME_LENGTH)])("allows %s", (name) => {
		expect(parsePathName(name)).toBe(name);
		expect(keyToPath(pathToKey(parsePathName(name)))).toBe(name);
	});

	it.each([
		"",
		"/a",
		"a/",
		"a//b",
		".",
		"..",
		"a/../b",
		"a/./b",
		"a b",
		"a~b",
		"ä",
		"a%2Fb",
		"a\\b",
		"a\0",
		"x".repeat(MAX_PATH_NAME_LENGTH + 1),
	])("refuses %j", (name) => {
		expect(isPathName(name)).toBe(false);
		let thrown: unknown;
		try {
			parsePathName(name);
		} catch (error) {
			thrown = error;
		}
		expect(hasCode(thrown, "path.name")).toBe(true);
	});
});

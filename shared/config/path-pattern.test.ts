import { describe, expect, it } from "vitest";
import { compilePattern, PathPatterns, pathEntryNameFault } from "./path-pattern.ts";

describe("the entries of paths", () => {
	const patterns = new PathPatterns([
		["all_others", "others"],
		["~^b", "b"],
		["~^(a|b)/(.+)$", "groups"],
		["exact", "exact"],
		["a/exact", "exact too"],
	]);

	it.each([
		["exact", "exact", "exact", []],
		["a/exact", "a/exact", "exact too", []],
		["a/x/y", "~^(a|b)/(.+)$", "groups", ["a", "x/y"]],
		["b/x", "~^(a|b)/(.+)$", "groups", ["b", "x"]],
		["bee", "~^b", "b", []],
		["zoo", "all_others", "others", []],
	])("%s is of %s", (path, name, entry, groups) => expect(patterns.find(path)).toEqual({ name, entry, groups }));

	it("finds nothing where nothing is", () => {
		expect(new PathPatterns([["a", 1]]).find("b")).toBeNull();
		expect(new PathPatterns([["~^(x)?y$", 1]]).find("y")?.groups).toEqual([""]);
	});

	it("reads the flags and group names of Go", () => {
		expect(compilePattern("~(?i)^cam(?P<n>\\d+)$")?.exec("CAM7")?.groups?.["n"]).toBe("7");
	});

	it.each(["~(", "/a", "a/", "a//b", "a b", "../a", `~${"x".repeat(2000)}`])("refuses the name %j", (name) => {
		expect(pathEntryNameFault(name)).not.toBeNull();
	});

	it.each(["all", "all_others", "~^.*$", "~", "cam-1/main.sub"])("takes the name %j", (name) => {
		expect(pathEntryNameFault(name)).toBeNull();
	});
});

import { expect, it } from "vitest";
import { newPathFault } from "./path-name-fault.ts";

const KNOWN = new Set(["cam"]);

it.each(["site/gate-2", "cam01", "a.b_c"])("takes the name %s", (name) => {
	expect(newPathFault(name, KNOWN)).toBeNull();
});

it.each([
	["", "Give it a name"],
	["cam", "There is a path with this name already"],
	["/cam", /no slash at either end/],
	["a b", /letters, digits/],
	["a//b", /no empty/],
	["~^cam(", "The name is not a regular expression"],
	["~^cam", /configuration file/],
	["all_others", /configuration file/],
])("refuses the name %j with the reason", (name, fault) => {
	expect(newPathFault(name, KNOWN)).toMatch(fault);
});

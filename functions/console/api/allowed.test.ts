import { describe, expect, it } from "vitest";
import { allows, allowsSomewhere, type Permission } from "#shared/access/permission.ts";
import { isAllowed } from "./allowed.ts";

const GRANTS: readonly Permission[] = [
	{ action: "api", path: "" },
	{ action: "api", path: "site/cam01" },
	{ action: "manage", path: "" },
	{ action: "manage", path: "site/cam01" },
	{ action: "manage", path: "~^site/" },
	{ action: "view", path: "~^site/" },
	{ action: "view", path: "~(" },
	{ action: "read", path: "" },
	{ action: "publish", path: "site/cam01" },
];

describe("isAllowed", () => {
	it.each(GRANTS)("agrees with the functions on $action at '$path'", (grant) => {
		for (const action of ["view", "manage", "api"] as const) {
			expect(isAllowed([grant], action)).toBe(allowsSomewhere([grant], action));
			for (const path of ["site/cam01", "site/cam02", "other"])
				expect(isAllowed([grant], action, path), `${action} ${path}`).toBe(allows([grant], action, path));
		}
	});

	it("allows nothing to who has no permissions", () => {
		expect(isAllowed([], "view")).toBe(false);
	});
});

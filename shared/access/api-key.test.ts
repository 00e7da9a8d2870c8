import { describe, expect, it } from "vitest";
import { generateApiKey, hashApiKey, isApiKey, permissionsOf } from "./api-key.ts";
import { allows } from "./permission.ts";

describe("an API key", () => {
	it("has 256 random bits", () => {
		const keys = new Set(Array.from({ length: 100 }, generateApiKey));
		expect(keys.size).toBe(100);
		for (const key of keys) {
			expect(isApiKey(key)).toBe(true);
			expect(Buffer.from(key.slice(4), "base64url")).toHaveLength(32);
		}
	});

	it("is kept as the SHA-256 of its text", async () => {
		// FIPS 180-2, appendix B.1.
		expect(await hashApiKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	});

	it.each(["", "slk_", `slk_${"a".repeat(42)}`, `slk_${"a".repeat(44)}`, `slk_${"+".repeat(43)}`, "a.b.c"])(
		"is not %j",
		(text) => {
			expect(isApiKey(text)).toBe(false);
		},
	);
});

describe("a role", () => {
	it.each([
		["viewer", true, false, false, false],
		["operator", true, true, false, false],
		["node", false, false, true, false],
		["admin", true, true, true, true],
	] as const)("%s may view: %s, manage: %s, let nodes join: %s, administer: %s", (role, view, manage, node, api) => {
		const permissions = permissionsOf(role, []);
		expect([
			allows(permissions, "view", "cam"),
			allows(permissions, "manage", "cam"),
			allows(permissions, "node", ""),
			allows(permissions, "api", ""),
		]).toEqual([view, manage, node, api]);
		for (const action of ["read", "publish", "playback"] as const)
			expect(allows(permissions, action, "cam"), action).toBe(false);
	});

	it("is for the paths that it is given, and no others", () => {
		const permissions = permissionsOf("operator", ["cam", "~^site/"]);
		expect(["cam", "site/a", "cam2", "x/site/a"].map((path) => allows(permissions, "manage", path))).toEqual([
			true,
			true,
			false,
			false,
		]);
	});
});

import { expect, it } from "vitest";
import { grantOf } from "./token.ts";

it("makes no token for everything of options that ask for less", () => {
	expect(grantOf({ admin: true })).toEqual({ path: null, permissions: [{ action: "api", path: "" }] });
	for (const options of [{ path: "cam01" }, { read: true }, { publish: true }] as const) {
		expect(() => grantOf({ admin: true, ...options })).toThrow(/--admin makes a token for everything/);
	}
});

it("allows what was asked for, on its path", () => {
	expect(grantOf({ path: "cam01", read: true })).toEqual({
		path: "cam01",
		permissions: [{ action: "read", path: "cam01" }],
	});
});

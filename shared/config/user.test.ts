import { describe, expect, it } from "vitest";
import { userSchema } from "./user.ts";

describe("a user in a configuration", () => {
	it("has MediaMTX's defaults", () => {
		expect(userSchema.parse({ user: "any", permissions: [{ action: "read" }] })).toEqual({
			user: "any",
			pass: "",
			ips: [],
			permissions: [{ action: "read", path: "" }],
		});
	});

	it.each([
		{ user: "" },
		{ user: "joe", pass: "sha256:x" },
		{ user: "argon2:x" },
		{ user: "joe", ips: ["10.0.0.0/33"] },
		{ user: "joe", permissions: [{ action: "fly" }] },
		{ user: "joe", password: "x" },
	])("%j is refused", (user) => expect(userSchema.safeParse(user).success).toBe(false));
});

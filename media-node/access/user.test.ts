import { describe, expect, it } from "vitest";
import { parseNetwork, userSchema } from "./user.ts";

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

	it.each([
		["10.1.2.3", { address: "10.1.2.3", prefix: 32, family: "ipv4" }],
		["10.0.0.0/8", { address: "10.0.0.0", prefix: 8, family: "ipv4" }],
		["::1", { address: "::1", prefix: 128, family: "ipv6" }],
		["fd00::/8", { address: "fd00::", prefix: 8, family: "ipv6" }],
		["0.0.0.0/0", { address: "0.0.0.0", prefix: 0, family: "ipv4" }],
		["10.0.0.0/33", null],
		["10.0.0.0/", null],
		["10.0.0.0/8/8", null],
		["10.0.0/8", null],
		["fe80::1%eth0", null],
		["localhost", null],
		["", null],
	])("reads the network %j", (text, network) => expect(parseNetwork(text)).toEqual(network));
});

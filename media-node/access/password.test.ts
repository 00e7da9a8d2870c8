import { describe, expect, it } from "vitest";
import { credentialFault, hashPassword, matchesCredential } from "./password.ts";

/** Vectors of MediaMTX, internal/conf/credential_test.go. */
const TESTUSER_SHA256 = "sha256:rl3rgi4NcZkpAEcacZnQ2VuOfJ0FxAqCRaKB/SwdZoQ=";
const TESTUSER_ARGON2 = "argon2:$argon2id$v=19$m=4096,t=3,p=1$MTIzNDU2Nzg$Ux/LWeTgJQPyfMMJo1myR64+o8rALHoPmlE1i/TR+58";
const TESTPASS_ARGON2I = "argon2:$argon2i$v=19$m=4096,t=3,p=1$MTIzNDU2Nzg$/mrZ42TiTv1mcPnpMUera5oi0SFYbbyueAbdx5sUvWo";

describe("a credential", () => {
	it.each([
		["a password", "a password", true],
		["a password", "a passwore", false],
		["a password", "", false],
		["", "", true],
		[TESTUSER_SHA256, "testuser", true],
		[TESTUSER_SHA256, "notestuser", false],
		[TESTUSER_SHA256, TESTUSER_SHA256, false],
		[TESTUSER_ARGON2, "testuser", true],
		[TESTUSER_ARGON2, "notestuser", false],
		[TESTPASS_ARGON2I, "testpass", true],
		["sha256:bad", "bad", false],
		["argon2:bad", "bad", false],
	])("%s, shown %s: %s", async (configured, shown, matches) => {
		expect(await matchesCredential(configured, shown)).toBe(matches);
	});

	it("matches what hashPassword makes of it, with another salt each time", async () => {
		const [one, two] = await Promise.all([hashPassword("geheim ü"), hashPassword("geheim ü")]);
		expect(one).toMatch(/^argon2:\$argon2id\$v=19\$m=19456,t=2,p=1\$[0-9A-Za-z+/]{22}\$[0-9A-Za-z+/]{43}$/);
		expect(one).not.toBe(two);
		expect(credentialFault(one)).toBeNull();
		expect(await matchesCredential(one, "geheim ü")).toBe(true);
		expect(await matchesCredential(one, "geheim u")).toBe(false);
	});

	it.each([
		["sha256:AAAA", "32 bytes"],
		["sha256:***", "32 bytes"],
		["argon2:$argon2d$v=19$m=4096,t=3,p=1$MTIzNDU2Nzg$Ux/LWeTgJQPyfMMJo1myR64", "argon2"],
		[TESTUSER_ARGON2.replace("m=4096", "m=262145"), "m up to"],
		[TESTUSER_ARGON2.replace("t=3", "t=17"), "t up to"],
		[TESTUSER_ARGON2.replace("t=3", "t=0"), "argon2"],
		[TESTUSER_ARGON2.replace("p=1", "p=17"), "p up to"],
		[TESTUSER_ARGON2.replace("m=4096", "m=7"), "argon2"],
		[TESTUSER_ARGON2.replace("MTIzNDU2Nzg", "MTIz"), "argon2"],
		[TESTUSER_ARGON2.replace("v=19", "v=16"), "argon2"],
		["x".repeat(1025), "1024"],
	])("%s is refused in a configuration", (configured, words) => {
		expect(credentialFault(configured)).toContain(words);
	});

	it("does not hash what is longer than any password", async () => {
		expect(await matchesCredential("x".repeat(1025), "x".repeat(1025))).toBe(false);
	});
});

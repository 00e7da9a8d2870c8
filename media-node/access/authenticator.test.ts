import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { generateSigningKey } from "#shared/access/signing-key.ts";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { issueToken, type TokenVerifier } from "#shared/access/token.ts";
import { type User, userSchema } from "#shared/config/user.ts";
import { parsePathName } from "#shared/path-name.ts";
import { DeniedError } from "#shared/problem.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import type { AccessRequest, Grant } from "./access.ts";
import { type AuthenticatorOptions, createAuthenticator } from "./authenticator.ts";
import { hashPassword } from "./password.ts";

const SECRET = randomBytes(32).toString("base64url");
const OLD_SECRET = randomBytes(32).toString("base64url");

/** Takes `a.b.c` as a token that may read cam01, for an hour. */
const verifier: TokenVerifier = {
	async verify(token) {
		if (token === "e.e.e") throw new DeniedError("access.token_expired", "expired");
		if (token !== "a.b.c") throw new DeniedError("access.token_invalid", "invalid");
		return { subject: "viewer 7", permissions: [{ action: "read", path: "cam01" }], expiresMs: 3_600_000, tokenId: "" };
	},
};

const user = (name: string, pass: string, changes: Partial<User> = {}): User =>
	userSchema.parse({ user: name, pass, permissions: [{ action: "publish" }], ...changes });

const NOTHING = {
	action: "publish",
	protocol: "rtsp",
	ip: "10.1.2.3",
	user: "",
	password: "",
	token: "",
	id: "",
	query: "",
	userAgent: "",
} as const;

type Shown = Partial<Omit<AccessRequest, "path"> & { path: string }>;

function askerOf(options: Partial<AuthenticatorOptions>) {
	const clock = new FakeClock(0);
	const authenticator = createAuthenticator({
		users: [],
		verifier,
		streamKeySecrets: [SECRET, OLD_SECRET],
		clock,
		...options,
	});
	/** The grant or the code of the refusal; time passes as long as it takes. */
	const ask = async ({ path = "cam01", ...shown }: Shown = {}): Promise<Grant | string> => {
		let answer: Grant | string | null = null;
		const asked = authenticator.authorize({ ...NOTHING, ...shown, path: parsePathName(path) }).then(
			(grant) => (answer = grant),
			(error) => (answer = String(error.code)),
		);
		while (answer === null) {
			await clock.advance(100);
			await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 1))]);
		}
		return answer;
	};
	return { authenticator, ask, clock };
}

const OK = (subject: string) => ({ subject, expiresMs: null });

describe("the users of the configuration", () => {
	it("let everybody in by `any`, without credentials and with wrong ones, but only for what it permits", async () => {
		const { ask } = askerOf({ users: [user("any", "", { permissions: [{ action: "publish", path: "~^cam" }] })] });
		expect(await ask()).toEqual(OK("any"));
		expect(await ask({ user: "joe", password: "wrong" })).toEqual(OK("any"));
		expect(await ask({ path: "door" })).toBe("access.token_missing");
		expect(await ask({ action: "read" })).toBe("access.token_missing");
	});

	it.each([
		["plain", plain, plain],
		["sha256", sha256, sha256],
		["argon2", plain, hashPassword],
		["argon2 for both", hashPassword, hashPassword],
	])("are checked by name and password, %s", async (_, nameForm, passForm) => {
		const { ask, clock } = askerOf({ users: [user(await nameForm("joe"), await passForm("geheim"))] });
		expect(await ask({ user: "joe", password: "geheim" })).toEqual(OK("joe"));
		expect(await ask({ user: "joe", password: "geheim2" })).toBe("access.credentials");
		expect(await ask({ user: "jo", password: "geheim" })).toBe("access.credentials");
		expect(await ask({ user: "joe" })).toBe("access.credentials");
		expect(await ask()).toBe("access.token_missing");
		expect(clock.pending).toBe(0);
	});

	it("must come from where they may: networks of both kinds, and IPv4 behind IPv6", async () => {
		const { ask } = askerOf({ users: [user("any", "", { ips: ["10.0.0.0/8", "127.0.0.1", "fd00::/8"] })] });
		for (const ip of ["10.255.0.1", "127.0.0.1", "::ffff:10.0.0.1", "fd12::1"])
			expect(await ask({ ip })).toEqual(OK("any"));
		for (const ip of ["11.0.0.1", "127.0.0.2", "::1", "::ffff:11.0.0.1", "", "nonsense"]) {
			expect(await ask({ ip })).toBe("access.token_missing");
		}
	});

	it("are tried in order until all of one matches", async () => {
		const { ask } = askerOf({
			users: [
				user("joe", "one", { ips: ["192.168.0.0/16"] }),
				user("joe", "two"),
				user("any", "", { ips: ["10.9.9.9"] }),
			],
		});
		expect(await ask({ user: "joe", password: "two" })).toEqual(OK("joe"));
		expect(await ask({ user: "joe", password: "one" })).toBe("access.credentials");
		expect(await ask({ user: "joe", password: "one", ip: "192.168.1.1" })).toEqual(OK("joe"));
		expect(await ask({ user: "joe", password: "one", ip: "10.9.9.9" })).toEqual(OK("any"));
	});

	it("answer a wrong password late, and not at all when the client has gone", async () => {
		const { authenticator, clock } = askerOf({ users: [user("joe", "geheim")] });
		const gone = new AbortController();
		const request = { ...NOTHING, user: "joe", password: "x" };
		let answered = false;
		const asked = authenticator.authorize({ ...request, path: parsePathName("cam01") }, gone.signal).finally(() => {
			answered = true;
		});
		asked.catch(() => undefined);
		await clock.advance(499);
		expect(answered).toBe(false);
		gone.abort();
		await expect(asked).rejects.toMatchObject({ code: "aborted" });
		expect(clock.pending).toBe(0);
	});
});

describe("a token", () => {
	it.each([
		["in its own field", { token: "a.b.c" }],
		["as the password", { password: "a.b.c" }],
		["as the password of any user", { user: "token", password: "a.b.c" }],
	])("lets in %s, until it expires", async (_, shown) => {
		const { ask } = askerOf({});
		expect(await ask({ action: "read", ...shown })).toEqual({ subject: "viewer 7", expiresMs: 3_600_000 });
		expect(await ask({ action: "publish", ...shown })).toBe("access.forbidden");
		expect(await ask({ action: "read", path: "cam02", ...shown })).toBe("access.forbidden");
	});

	it.each([
		[{ token: "e.e.e" }, "access.token_expired"],
		[{ token: "x.y.z" }, "access.token_invalid"],
		[{ password: "x.y.z" }, "access.token_invalid"],
		[{ token: "nonsense" }, "access.token_invalid"],
		[{ token: "a.b.c.d" }, "access.token_invalid"],
		[{ password: "nonsense" }, "access.credentials"],
		[{ password: "eyJhbGciOiJFUzI1NiIsImtpZCI6" }, "access.token_invalid"],
		[{ password: "eyJhbGciOiJFUzI1NiIsImtpZCI6.eyJ" }, "access.token_invalid"],
		[{ password: "eyJoe" }, "access.credentials"],
	])("%j is %s", async (shown, expected) => {
		expect(await askerOf({}).ask({ action: "read", ...shown })).toBe(expected);
	});

	it("says what to do with one that a client has cut off", async () => {
		const clock = new FakeClock(0);
		const authenticator = createAuthenticator({ users: [], verifier, streamKeySecrets: [], clock });
		const password = "eyJhbGciOiJFUzI1NiIsImtpZCI6.eyJ";
		const asked = authenticator.authorize({ ...NOTHING, user: "x", password, path: parsePathName("cam01") });
		const refused = expect(asked).rejects.toThrow(/The token was cut off: put it into \?token=/);
		await settle();
		await clock.advance(60_000);
		await refused;
	});

	it("is refused where no key of tokens is known", async () => {
		expect(await askerOf({ verifier: null }).ask({ token: "a.b.c" })).toBe("access.token_invalid");
	});

	it("comes after the users: one of them in the query, with a user and password that are right, does not matter", async () => {
		const { ask } = askerOf({ users: [user("joe", "geheim")] });
		expect(await ask({ user: "joe", password: "geheim", token: "x.y.z" })).toEqual(OK("joe"));
	});

	it("of ours has the form that is looked for", async () => {
		const clock = new FakeClock();
		const grant = {
			permissions: [{ action: "read", path: "cam01" } as const],
			subject: "joe",
			expiresMs: clock.now() + 1000,
		};
		const token = await issueToken([await generateSigningKey()], grant, clock);
		const seen: string[] = [];
		const recording: TokenVerifier = {
			async verify(text) {
				seen.push(text);
				return { ...grant, tokenId: "" };
			},
		};
		await askerOf({ verifier: recording }).ask({ action: "read", password: token });
		expect(seen).toEqual([token]);
	});
});

describe("a stream key", () => {
	it.each([
		["the newest secret", SECRET],
		["an older secret", OLD_SECRET],
	])("of %s lets in for its action and path, until it expires", async (_, secret) => {
		const { ask } = askerOf({});
		const key = await issueStreamKey([secret], { action: "publish", path: "cam01" }, Date.UTC(2030, 0, 1));
		for (const shown of [{ token: key }, { password: key }]) {
			expect(await ask(shown)).toEqual({ subject: "stream key", expiresMs: Date.UTC(2030, 0, 1) });
			expect(await ask({ ...shown, action: "read" })).toBe("access.token_invalid");
			expect(await ask({ ...shown, path: "cam02" })).toBe("access.token_invalid");
		}
		const { ask: later } = askerOf({ clock: new FakeClock(Date.UTC(2030, 0, 1)) });
		expect(await later({ token: key })).toBe("access.token_expired");
	});
});

function plain(text: string): string {
	return text;
}

function sha256(text: string): string {
	return `sha256:${createHash("sha256").update(text).digest("base64")}`;
}

import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { DeniedError, StoreError } from "#shared/problem.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import type { AccessRequest } from "./access.ts";
import { Failures, MAX_FAILURES, MAX_PAUSE_MS, MIN_PAUSE_MS, REFUSED_MS } from "./failures.ts";
import { guarded } from "./guard.ts";

const REQUEST: AccessRequest = {
	action: "read",
	path: parsePathName("cam01"),
	protocol: "rtsp",
	ip: "10.1.2.3",
	user: "joe",
	password: "x",
	token: "",
	id: "",
	query: "",
	userAgent: "",
};
const GRANT = { subject: "joe", expiresMs: null };

/** An authenticator for which only `right` is right; `asked` counts. */
function setUp(refusal: Error = new DeniedError("access.credentials", "wrong")) {
	const clock = new FakeClock(0);
	const failures = new Failures({ clock });
	const counted = { asked: 0 };
	const guard = guarded(
		{
			async authorize({ password }) {
				counted.asked++;
				if (password === "right") return GRANT;
				throw refusal;
			},
		},
		{ failures, clock },
	);
	/** What becomes of a request, and after how long. */
	const ask = async (changes: Partial<AccessRequest> = {}, signal?: AbortSignal) => {
		const startMs = clock.now();
		let outcome: string | null = null;
		guard.authorize({ ...REQUEST, ...changes }, signal).then(
			({ subject }) => (outcome = subject),
			(error) => (outcome = error.code),
		);
		await settle();
		while (outcome === null) await clock.advance(10);
		return { outcome, afterMs: clock.now() - startMs };
	};
	return { clock, failures, counted, ask, guard };
}

describe("a guarded authenticator", () => {
	it("answers at once when it says yes, and late when it says no", async () => {
		const { clock, ask } = setUp();
		expect(await ask({ password: "right" })).toEqual({ outcome: "joe", afterMs: 0 });
		const { outcome, afterMs } = await ask();
		expect(outcome).toBe("access.credentials");
		expect(afterMs).toBeGreaterThanOrEqual(MIN_PAUSE_MS);
		expect(afterMs).toBeLessThan(MAX_PAUSE_MS + 10);
		expect(clock.pending).toBe(0);
	});

	it("is not asked any more when an address fails too often, be the password right or not", async () => {
		const { clock, counted, ask } = setUp();
		await Promise.all(Array.from({ length: MAX_FAILURES }, () => ask()));
		const { asked } = counted;
		for (const password of ["x", "right"]) {
			expect(await ask({ password })).toEqual({ outcome: "access.credentials", afterMs: 0 });
		}
		expect(await ask({ user: "", password: "", token: "x" })).toEqual({ outcome: "access.credentials", afterMs: 0 });
		expect(counted.asked).toBe(asked);
		expect((await ask({ password: "right", ip: "10.1.2.4" })).outcome).toBe("joe");
		await clock.advance(REFUSED_MS);
		expect((await ask({ password: "right" })).outcome).toBe("joe");
	});

	it("is asked for a client that shows nothing, which counts for nothing", async () => {
		const { counted, ask, failures } = setUp();
		for (let i = 0; i < MAX_FAILURES + 5; i++) await ask({ user: "", password: "" });
		expect(counted.asked).toBe(MAX_FAILURES + 5);
		expect(failures.size).toBe(0);
	});

	it.each([
		["access.token_invalid", 1],
		["access.token_expired", 0],
		["access.forbidden", 0],
	] as const)("%s counts %i", async (code, expected) => {
		const { ask, failures } = setUp(new DeniedError(code, "no"));
		expect((await ask()).outcome).toBe(code);
		expect(failures.size).toBe(expected);
	});

	it("does not hold it against a client that nobody could be asked", async () => {
		const { ask, failures } = setUp(new StoreError("store.unavailable", "away"));
		expect(await ask()).toEqual({ outcome: "store.unavailable", afterMs: 0 });
		expect(failures.size).toBe(0);
	});

	it("stops its pause when the client goes, but has counted the failure", async () => {
		const { clock, guard, failures } = setUp();
		const gone = new AbortController();
		const asked = guard.authorize(REQUEST, gone.signal);
		asked.catch(() => undefined);
		await settle();
		gone.abort();
		await expect(asked).rejects.toMatchObject({ code: "aborted" });
		expect(clock.pending).toBe(0);
		expect(failures.size).toBe(1);
	});
});

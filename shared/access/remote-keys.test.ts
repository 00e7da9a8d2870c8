import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { remoteKeys } from "./remote-keys.ts";
import type { KeySource } from "./token.ts";

const URL = "https://video.example/.well-known/jwks.json";
const HOUR_MS = 3_600_000;
const setOf = (...kids: string[]) => ({ keys: kids.map((kid) => ({ kty: "EC", kid })) });

function setUp() {
	const clock = new FakeClock();
	const server = {
		asked: [] as { url: unknown; init: RequestInit | undefined }[],
		answer: async (): Promise<Response> => Response.json(setOf("a")),
	};
	const fetch: typeof globalThis.fetch = (url, init) => {
		server.asked.push({ url, init });
		return server.answer();
	};
	const source = remoteKeys({ url: URL, clock, fetch });
	const keys = (refresh = false) => (source as Exclude<KeySource, object & { keys: unknown }>)(refresh);
	return { clock, server, keys };
}

describe("the key set at an address", () => {
	it("is asked for when it is needed, without following redirects, and kept for an hour", async () => {
		const { clock, server, keys } = setUp();
		expect(server.asked).toEqual([]);
		expect(await keys()).toEqual(setOf("a"));
		expect(server.asked[0]).toMatchObject({ url: URL, init: { redirect: "error", signal: expect.any(AbortSignal) } });
		await clock.advance(HOUR_MS - 1);
		await keys();
		expect(server.asked).toHaveLength(1);
		server.answer = async () => Response.json(setOf("b"));
		await clock.advance(1);
		expect(await keys()).toEqual(setOf("b"));
		expect(server.asked).toHaveLength(2);
	});

	it("is asked for once by all who need it at the same time", async () => {
		const { server, keys } = setUp();
		const sets = await Promise.all([keys(), keys(), keys(true)]);
		expect(sets).toEqual([setOf("a"), setOf("a"), setOf("a")]);
		expect(server.asked).toHaveLength(1);
	});

	it("is asked for again for an unknown key, but not more often than each half minute", async () => {
		const { clock, server, keys } = setUp();
		await keys();
		for (let i = 0; i < 5; i++) await keys(true);
		await clock.advance(29_999);
		await keys(true);
		expect(server.asked).toHaveLength(1);
		await clock.advance(1);
		for (let i = 0; i < 5; i++) await keys(true);
		expect(server.asked).toHaveLength(2);
	});

	it("stays the one before when it cannot be read again", async () => {
		const { clock, server, keys } = setUp();
		await keys();
		server.answer = async () => {
			throw new TypeError("fetch failed");
		};
		await clock.advance(2 * HOUR_MS);
		expect(await keys()).toEqual(setOf("a"));
		server.answer = async () => Response.json(setOf("b"));
		// Nobody waits again for a server that has just not answered.
		expect(await keys()).toEqual(setOf("a"));
		await clock.advance(30_000);
		expect(await keys()).toEqual(setOf("b"));
	});

	it.each<[string, () => Promise<Response>]>([
		["an error", async () => Response.json(setOf("a"), { status: 500 })],
		["no JSON", async () => new Response("<html>")],
		["no key set", async () => Response.json({ keys: "none" })],
		["keys without a type", async () => Response.json({ keys: [{ kid: "a" }] })],
		["too many keys", async () => Response.json(setOf(...Array.from({ length: 101 }, (_, i) => `${i}`)))],
		["too much", async () => new Response("{}", { headers: { "content-length": String(256 * 1024 + 1) } })],
		["nothing", () => Promise.reject(new TypeError("fetch failed"))],
	])("cannot be read from %s, and can be right after", async (_, answer) => {
		const { server, keys } = setUp();
		const good = server.answer;
		server.answer = answer;
		await expect(keys()).rejects.toMatchObject({ code: "store.unavailable", message: expect.stringContaining(URL) });
		server.answer = good;
		expect(await keys()).toEqual(setOf("a"));
		expect(server.asked).toHaveLength(2);
	});
});

import { describe, expect, it } from "vitest";
import { functionsForTest } from "../../test/support/functions.ts";
import { createApp } from "../app.ts";
import { ADDRESS_RATE, CALLER_RATE, FAILURE_RATE, PLAYBACK_RATE } from "./rate-limits.ts";

/** The functions with their limits, as seen from `address`. */
async function world() {
	const test = await functionsForTest();
	const from = { address: "198.51.100.7" as string | null };
	const app = createApp({ ...test.deps, viewerOf: () => ({ ip: from.address, country: null, referrer: null }) });
	const ask = async (path: string, token?: string, method = "GET") =>
		app.request(`http://functions.test${path}`, {
			method,
			...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
		});
	/** How many of `count` requests are answered before the first 429. */
	const untilRefused = async (count: number, send: () => Promise<Response>): Promise<number> => {
		for (let i = 0; i < count; i++) if ((await send()).status === 429) return i;
		return count;
	};
	return { ...test, from, ask, untilRefused };
}

describe("rate limits", () => {
	it("hold an address to its burst, then to its rate, and say when to come back", async () => {
		const { ask, untilRefused, from, clock } = await world();
		expect(await untilRefused(1000, () => ask("/healthz"))).toBe(ADDRESS_RATE.burst);
		const refused = await ask("/healthz");
		expect(refused.status).toBe(429);
		expect(refused.headers.get("retry-after")).toBe("1");
		expect(await refused.json()).toMatchObject({ code: "access.rate", retryAfterS: 1 });
		from.address = "198.51.100.8";
		expect((await ask("/healthz")).status).toBe(200);
		from.address = "198.51.100.7";
		await clock.advance(1000);
		expect(await untilRefused(1000, () => ask("/healthz"))).toBe(ADDRESS_RATE.perSecond);
	});

	it("hold a token to its burst from whatever addresses, and leave others alone", async () => {
		const { ask, untilRefused, from, tokenFor } = await world();
		const [token, other] = [await tokenFor("api"), await tokenFor("api")];
		let i = 0;
		const send = () => {
			from.address = `198.51.100.${i++ % 200}`;
			return ask("/v1/me", token);
		};
		expect(await untilRefused(1000, send)).toBe(CALLER_RATE.burst);
		expect((await ask("/v1/me", other)).status).toBe(200);
	});

	it("stop an address that shows keys of nobody, but not one whose token has run out", async () => {
		const { ask, untilRefused, clock, tokenFor } = await world();
		const expired = await tokenFor("api", "", { lifeMs: 1 });
		await clock.advance(1);
		expect(await untilRefused(100, () => ask("/v1/me", expired))).toBe(100);
		expect(await untilRefused(100, () => ask("/v1/me", `slk_${"x".repeat(43)}`))).toBe(FAILURE_RATE.burst);
		const good = await tokenFor("api");
		expect((await ask("/v1/me", good)).headers.get("retry-after")).toBe("3");
		await clock.advance(3000);
		expect((await ask("/v1/me", good)).status).toBe(200);
	});

	it("take all of an IPv6 client's /64 for one address", async () => {
		const { ask, untilRefused, from } = await world();
		let i = 0;
		const send = () => {
			from.address = ["2001:db8:0:1::", "2001:DB8::1:a:b:c:"][i % 2] + (i++).toString(16);
			return ask("/healthz");
		};
		expect(await untilRefused(1000, send)).toBe(ADDRESS_RATE.burst);
		from.address = "2001:db8:0:2::1";
		expect((await ask("/healthz")).status).toBe(200);
	});

	it("let many viewers behind one address watch, and hold each of them", async () => {
		const { ask, untilRefused, tokenFor } = await world();
		for (let i = 0; i < 3; i++) {
			const token = await tokenFor("read", "cam", { lifeMs: 3_600_000 + i * 1000 });
			expect(await untilRefused(2000, () => ask(`/${token}/cam/index.m3u8`))).toBe(PLAYBACK_RATE.burst);
		}
	});

	it("let the cameras of a site come back at the same time, with one token", async () => {
		const { ask, untilRefused, tokenFor } = await world();
		const token = await tokenFor("publish");
		const count = ADDRESS_RATE.burst + CALLER_RATE.burst;
		expect(await untilRefused(count, () => ask("/whip/cam", token, "POST"))).toBe(count);
	});

	it("count nobody whose address is not known: that would be everybody", async () => {
		const { ask, untilRefused, from } = await world();
		from.address = null;
		expect(await untilRefused(1000, () => ask("/healthz"))).toBe(1000);
	});
});

import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { commitStream, functionsForTest, MEDIA } from "../test/support/functions.ts";
import { type EdgeCache, playThroughCache } from "./edge-cache.ts";
import { PlaylistMemory } from "./playlist-memory.ts";

const SEGMENT = "000000000001-000000000001-v0.m4s";

/** A cache as the Cache API is: by URL, as long as the response says, and not for parts. */
function memoryCache(now: () => number) {
	const entries = new Map<string, { response: Response; untilMs: number }>();
	const cache: EdgeCache = {
		async match({ url, headers }) {
			const entry = entries.get(url);
			if (entry === undefined || entry.untilMs <= now()) return undefined;
			if (!headers.has("range")) return entry.response.clone();
			const body = (await entry.response.clone().arrayBuffer()).slice(0, 10);
			return new Response(body, { status: 206, headers: entry.response.headers });
		},
		async put({ url }, response) {
			if (response.status === 206) throw new TypeError("no partial responses");
			const seconds = Number(/max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "")?.[1] ?? 0);
			entries.set(url, {
				response: new Response(await response.arrayBuffer(), response),
				untilMs: now() + seconds * 1000,
			});
		},
	};
	return { cache, entries };
}

async function edge() {
	const test = await functionsForTest();
	for (const name of ["cam", "site/cam"]) await commitStream(test.store, test.clock, parsePathName(name), 3);
	const { cache, entries } = memoryCache(() => test.clock.now());
	const memory = new PlaylistMemory();
	const pending: Promise<unknown>[] = [];
	const get = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
		const request = new Request(`http://functions.test${path}`, { method, headers });
		const play = {
			deps: test.deps,
			cache,
			memory,
			fetch: (asked: Request) => test.app.fetch(asked),
			waitUntil: (work: Promise<unknown>) => void pending.push(work),
		};
		const response = (await playThroughCache(play, request)) ?? (await test.app.fetch(request));
		await Promise.all(pending.splice(0));
		return response;
	};
	const reads: string[] = [];
	const inner = test.store.get.bind(test.store);
	test.store.get = (key, ...rest) => {
		if (key.startsWith("streams/")) reads.push(key);
		return inner(key, ...rest);
	};
	const token = (path = "cam", lifeMs = 3_600_000) => test.tokenFor("read", path, { lifeMs });
	return { ...test, get, entries, reads, token };
}

describe("the cache at the edge", () => {
	it("reads a segment once for a thousand viewers, each with a token of their own", async () => {
		const { get, reads, token } = await edge();
		for (let i = 0; i < 1000; i++) {
			const response = await get(`/${await token()}/cam/${SEGMENT}`);
			expect(response.status).toBe(200);
			expect(response.headers.get("cache-status")).toBe(i === 0 ? "sluice; fwd=uri-miss; stored" : "sluice; hit");
			expect(new Uint8Array(await response.arrayBuffer())).toEqual(MEDIA);
		}
		expect(reads).toHaveLength(1);
	});

	it("keeps playlists for half a target duration, and lets nobody keep them for longer than that", async () => {
		const { get, token, clock } = await edge();
		const [ana, ben] = [await token(), await token()];
		const first = await get(`/${ana}/cam/v0.m3u8`);
		expect(first.headers.get("cache-control")).toBe("public, max-age=1");
		await clock.advance(600);
		const second = await get(`/${ben}/cam/v0.m3u8`);
		expect([second.headers.get("cache-status"), second.headers.get("cache-control")]).toEqual([
			"sluice; hit",
			"public, max-age=0",
		]);
		expect(await second.text()).toBe(await first.text());
		await clock.advance(400);
		expect((await get(`/${ben}/cam/v0.m3u8`)).headers.get("cache-status")).toContain("miss");
	});

	it("keeps segments for good, and says so for as long as the viewer's token lives", async () => {
		const { get, token, clock } = await edge();
		const short = await get(`/${await token("cam", 60_000)}/cam/${SEGMENT}`);
		expect(short.headers.get("cache-control")).toBe("public, max-age=60, immutable");
		await clock.advance(3_600_000);
		const later = await get(`/${await token("cam", 120_000)}/cam/${SEGMENT}`);
		expect([later.headers.get("cache-status"), later.headers.get("cache-control")]).toEqual([
			"sluice; hit",
			"public, max-age=120, immutable",
		]);
	});

	it("gives not a byte to whom the application would refuse: expired, revoked, foreign, of another path or place", async () => {
		const { get, token, tokenFor, api, clock, viewer } = await edge();
		const good = await token();
		expect((await get(`/${good}/cam/${SEGMENT}`)).status).toBe(200);
		const revoked = await token();
		await api("POST", "/v1/tokens/revoke", { token: revoked });
		const abroad = (await (
			await api("POST", "/v1/tokens", { path: "cam", actions: ["read"], limits: { countries: ["FR"] } })
		).json()) as { token: string };
		const expired = await token("cam", 1_000);
		await clock.advance(1_000);
		const wrong: [string, number][] = [
			["x", 401],
			[revoked, 401],
			[expired, 401],
			[await tokenFor("read", "cam", { foreign: true }), 401],
			[await token("site/cam"), 403],
			[await tokenFor("publish", "cam"), 403],
			[abroad.token, 403],
			["edge", 404],
		];
		for (const [bad, status] of wrong) {
			for (const file of [SEGMENT, "v0.m3u8"]) {
				const response = await get(`/${bad}/cam/${file}`);
				expect(response.status, bad).toBe(status);
				expect(response.headers.get("content-type")).toBe("application/problem+json");
				expect(response.headers.get("cache-control")).toBe("no-store");
			}
		}
		viewer.country = "FR";
		const response = await get(`/${abroad.token}/cam/${SEGMENT}`);
		expect([response.status, response.headers.get("cache-control")]).toEqual([
			200,
			expect.stringMatching(/^private, /),
		]);
	});

	it("has one copy of a file, however its address is spelled", async () => {
		const { get, token, entries } = await edge();
		const one = await token("site/cam");
		for (const spelling of ["site/cam", "site%2Fcam", "site/c%61m"]) {
			expect((await get(`/${one}/${spelling}/${SEGMENT}?cachebuster=${spelling}`)).status).toBe(200);
		}
		expect([...entries.keys()]).toEqual([`http://functions.test/edge/site/cam/${SEGMENT}`]);
	});

	it("keeps no failure and no part, and answers parts of what it has", async () => {
		const { get, token, entries } = await edge();
		const one = await token();
		expect((await get(`/${one}/cam/000000000009-000000000001-v0.m4s`)).status).toBe(404);
		expect((await get(`/${one}/cam/${SEGMENT}`, { range: "bytes=0-9" })).status).toBe(206);
		expect((await get(`/${one}/cam/${SEGMENT}`, {}, "HEAD")).status).toBe(200);
		expect(entries.size).toBe(0);
		await get(`/${one}/cam/${SEGMENT}`);
		const part = await get(`/${one}/cam/${SEGMENT}`, { range: "bytes=0-9" });
		expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
	});

	it("shows no token, and not when it was filled", async () => {
		const { get, token, logs, entries } = await edge();
		const one = await token();
		await get(`/${one}/cam/${SEGMENT}`);
		const hit = await get(`/${one}/cam/${SEGMENT}`);
		expect([...hit.headers.keys()].filter((name) => name.startsWith("x-sluice"))).toEqual([]);
		expect(logs.join("\n") + [...entries.keys()].join("\n")).not.toContain(one.slice(0, 40));
		expect(logs.at(-1)).toContain('"cache":"hit"');
	});
});

describe("/edge", () => {
	it.each(["", "x", "A".repeat(43)])("is not there for who proves nothing: %j", async (proof) => {
		const { app } = await edge();
		for (const file of ["index.m3u8", "v0.m3u8", SEGMENT]) {
			const response = await app.request(`http://functions.test/edge/cam/${file}`, {
				headers: { "x-sluice-edge": proof },
			});
			expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
		}
	});
});

describe("playlists of a range of time", () => {
	it("are shared by those who ask the same, however they spell it, and by nobody else", async () => {
		const { get, token } = await edge();
		const from = "start=2026-01-01T00:00:02Z";
		const statuses: (string | null)[] = [];
		for (const query of [from, `x=1&${from.replaceAll(":", "%3A")}`, "start=2026-01-01T00:00:01Z", ""]) {
			const response = await get(`/${await token()}/cam/v0.m3u8?${query}`);
			expect(response.status).toBe(200);
			statuses.push(response.headers.get("cache-status"));
		}
		const missed = "sluice; fwd=uri-miss; stored";
		expect(statuses).toEqual([missed, "sluice; hit", missed, missed]);
	});

	it("are refused by the application when a value cannot be one", async () => {
		const { get, token } = await edge();
		expect((await get(`/${await token()}/cam/v0.m3u8?start=../x`)).status).toBe(400);
	});

	it("leave segments with one copy, whatever is asked", async () => {
		const { get, token } = await edge();
		await get(`/${await token()}/cam/${SEGMENT}?start=-1`);
		const second = await get(`/${await token()}/cam/${SEGMENT}?start=-2`);
		expect(second.headers.get("cache-status")).toBe("sluice; hit");
	});
});

import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { initFile, mediaFile } from "#shared/store/key.ts";
import { commitStream, functionsForTest, MEDIA } from "../../test/support/functions.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";

const cam0 = parsePathName("site/cam0");

async function playing(options: Parameters<typeof functionsForTest>[0] = {}) {
	const test = await functionsForTest(options);
	await commitStream(test.store, test.clock, cam0, 3);
	const token = await test.tokenFor("read", "site/cam0");
	return { ...test, token, base: `/${token}/site/cam0` };
}

const SEGMENT = "000000000001-000000000001-v0.m4s";

describe("playback", () => {
	it("serves playlists with relative URLs, and segments behind the token in the path", async () => {
		const { get, base, token } = await playing();
		const master = await get(`${base}/index.m3u8`);
		expect(master.status).toBe(200);
		expect(master.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
		expect(await master.text()).toContain("\nv0.m3u8\n");
		const media = await get(`${base}/v0.m3u8`);
		const text = await media.text();
		expect(text).toContain(`\n${SEGMENT}\n`);
		expect(text).not.toContain(token);
		const segment = await get(`${base}/${SEGMENT}`);
		expect(new Uint8Array(await segment.arrayBuffer())).toEqual(MEDIA);
		expect(segment.headers.get("content-type")).toBe("video/mp4");
		expect(segment.headers.get("access-control-allow-origin")).toBe("*");
		expect(await (await get(`${base}/init-000000000001-000000000000-v0.mp4`)).text()).toBe("init");
	});

	it("lets playlists be cached for half a target duration, and segments for as long as the token lives", async () => {
		const { get, base } = await playing();
		expect((await get(`${base}/v0.m3u8`)).headers.get("cache-control")).toBe("public, max-age=1");
		expect((await get(`${base}/${SEGMENT}`)).headers.get("cache-control")).toBe("public, max-age=3600, immutable");
		expect((await get(`${base}/000000000009-000000000001-v0.m4s`)).headers.get("cache-control")).toBe("no-store");
	});

	it.each([
		{ range: "bytes=0-9", status: 206, from: 0, to: 10, content: "bytes 0-9/1000" },
		{ range: "bytes=990-", status: 206, from: 990, to: 1000, content: "bytes 990-999/1000" },
		{ range: "bytes=-5", status: 206, from: 995, to: 1000, content: "bytes 995-999/1000" },
		{ range: "bytes=500-5000", status: 206, from: 500, to: 1000, content: "bytes 500-999/1000" },
		{ range: "bytes=9-3", status: 200, from: 0, to: 1000, content: null },
		{ range: "bytes=0-1,5-6", status: 200, from: 0, to: 1000, content: null },
		{ range: "words=0-1", status: 200, from: 0, to: 1000, content: null },
	])("answers Range: $range with $status", async ({ range, status, from, to, content }) => {
		const { get, base } = await playing();
		const response = await get(`${base}/${SEGMENT}`, { range });
		expect(response.status).toBe(status);
		expect(response.headers.get("content-range")).toBe(content);
		expect(new Uint8Array(await response.arrayBuffer())).toEqual(MEDIA.subarray(from, to));
	});

	it("refuses a range behind the end, knows HEAD, and answers a known etag with 304", async () => {
		const { get, base } = await playing();
		const behind = await get(`${base}/${SEGMENT}`, { range: "bytes=1000-" });
		expect(behind.status).toBe(416);
		expect(behind.headers.get("content-type")).toBe("application/problem+json");
		const head = await get(`${base}/${SEGMENT}`, {}, "HEAD");
		expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "1000", ""]);
		const etag = head.headers.get("etag") ?? "";
		expect((await get(`${base}/${SEGMENT}`, { "if-none-match": etag })).status).toBe(304);
	});

	it("carries presigned URLs where the path asks for them", async () => {
		const { get, base, api, clock } = await playing({
			presign: (key, seconds) => `https://bucket.test/${key}?for=${seconds}`,
		});
		expect(await (await get(`${base}/v0.m3u8`)).text()).not.toContain("bucket.test");
		expect((await api("PUT", "/v1/paths/site/cam0", { hlsDelivery: "presigned" })).status).toBe(201);
		await clock.advance(5000);
		const text = await (await get(`${base}/v0.m3u8`)).text();
		expect(text).toContain(`\nhttps://bucket.test/streams/site~cam0/media/${SEGMENT}?for=306\n`);
		expect(text).toContain('URI="https://bucket.test/streams/site~cam0/media/init-');
		expect(await (await get(`${base}/index.m3u8`)).text()).not.toContain("bucket.test");
	});

	it("gives not a byte of media for a wrong token, whatever is wrong with it", async () => {
		const { get, token, tokenFor, clock } = await playing();
		const wrong: Record<string, string> = {
			"no token": "",
			"a word": "token",
			foreign: await tokenFor("read", "site/cam0", { foreign: true }),
			"of another path": await tokenFor("read", "site/cam01"),
			"of the folder": await tokenFor("read", "site"),
			"for another action": await tokenFor("publish", "site/cam0"),
			"of an administrator": await tokenFor("api"),
			"that expires now": await tokenFor("read", "site/cam0", { lifeMs: 1000 }),
			...Object.fromEntries(
				[0, 10, token.indexOf(".") + 3, token.lastIndexOf(".") + 3].map((at) => [
					`changed at ${at}`,
					token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1),
				]),
			),
		};
		await clock.advance(1000);
		for (const [what, bad] of Object.entries(wrong)) {
			for (const file of ["index.m3u8", "v0.m3u8", SEGMENT, "init-000000000001-000000000000-v0.mp4"]) {
				const response = await get(`/${bad}/site/cam0/${file}`);
				expect([401, 403, 404], `${what}: ${file}`).toContain(response.status);
				expect(response.headers.get("content-type"), what).toBe("application/problem+json");
			}
		}
	});

	it.each([
		"/site%2Fcam0",
		"/site%252Fcam0",
		"/site/cam0/../cam0",
		"/site/./cam0",
		"/SITE/cam0",
		"/site/cam0%00",
		"/site//cam0",
		"/site/cam0/%2e%2e/cam1",
		"/site/cam0%2f..%2fcam1",
	])("a token for one path opens no other, nor another spelling of a path: %s", async (path) => {
		const { get, tokenFor, store, clock } = await functionsForTest();
		await commitStream(store, clock, parsePathName("site/cam1"), 1);
		const response = await get(`/${await tokenFor("read", "site/cam0")}${path}/index.m3u8`);
		expect(response.status).toBeGreaterThanOrEqual(400);
	});

	it("never shows a token in a log line or an answer", async () => {
		const { get, base, token, logs } = await playing();
		await get(`${base}/index.m3u8`);
		const missing = await get(`${base}/v7.m3u8`);
		expect(missing.status).toBe(404);
		expect(await missing.text()).not.toContain(token);
		expect(logs.length).toBeGreaterThan(0);
		expect(logs.join("\n")).not.toContain(token.slice(0, 40));
	});

	it("asks the bucket once for a thousand viewers, and never goes back", async () => {
		const { get, base, store, clock } = await playing({ presign: (key) => `https://bucket.test/${key}` });
		await get(`${base}/v0.m3u8`);
		await clock.advance(1000);
		const reads = recordReads(store);
		const responses = await Promise.all(Array.from({ length: 1000 }, () => get(`${base}/v0.m3u8`)));
		expect(new Set(await Promise.all(responses.map((response) => response.text()))).size).toBe(1);
		expect(reads.length).toBeLessThanOrEqual(3);
	});

	it("follows a live stream by less than two reads a second, and shows each segment within half a target duration", async () => {
		const { tokenFor, store, clock, get } = await functionsForTest();
		const { signal } = new AbortController();
		const writer = await commitStream(store, clock, cam0, 3);
		const url = `/${await tokenFor("read", "site/cam0")}/site/cam0/v0.m3u8`;
		await get(url);
		const reads = recordReads(store);
		const rendition = { id: "v0", kind: "video" as const, codecs: "avc1.64001f", width: 640, height: 360 };
		for (let i = 3; i < 13; i++) {
			const file = mediaFile(writer.epoch, i, "v0");
			const parts = [{ rendition, file, init: initFile(writer.epoch, 0, "v0"), duration: 2, bytes: 1000 }];
			await writer.commitSegment({ startMs: clock.now(), discontinuity: false, parts }, signal);
			for (let step = 0; step < 20; step++) {
				await clock.advance(100);
				const text = await (await get(url)).text();
				if (step >= 10) expect(text).toContain(file);
			}
		}
		expect(reads.length / 20).toBeLessThan(2);
		await writer.close(signal);
	});

	it("says of a stream that has no segment yet that it is not there", async () => {
		const { get, tokenFor, store, clock } = await functionsForTest();
		await commitStream(store, clock, cam0, 0);
		expect((await get(`/${await tokenFor("read", "site/cam0")}/site/cam0/index.m3u8`)).status).toBe(404);
	});

	it("says of a path that nobody published to that it is not there, as a problem document", async () => {
		const { get, tokenFor } = await functionsForTest();
		const response = await get(`/${await tokenFor("read", "nobody")}/nobody/index.m3u8`);
		expect(response.status).toBe(404);
		expect(await response.json()).toMatchObject({ code: "stream.not_found", instance: "/{token}/nobody/index.m3u8" });
	});
});

import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { functionsForTest } from "../test/support/functions.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { createApp } from "./app.ts";
import { consoleAssets } from "./console-assets.ts";
import type { ConsoleFiles } from "./console-files.ts";
import { ADDRESS_RATE } from "./limits/rate-limits.ts";
import { consoleFolder } from "./node-console.ts";

const INDEX = "<!doctype html><title>Sluice</title>";
const SCRIPT = "export const answer = 42;".repeat(50);

/** A build in a folder, beside a file that is not to be had. */
async function build(folder: string): Promise<ConsoleFiles> {
	await mkdir(path.join(folder, "dist/assets"), { recursive: true });
	await writeFile(path.join(folder, "secret.txt"), "not yours");
	await writeFile(path.join(folder, "dist/index.html"), INDEX);
	await writeFile(path.join(folder, "dist/assets/index-Ab12.js"), SCRIPT);
	await writeFile(path.join(folder, "dist/assets/logo-Cd34.png"), new Uint8Array([1, 2, 3]));
	return consoleFolder(path.join(folder, "dist"));
}

async function serving(files: ConsoleFiles | null) {
	const { deps } = await functionsForTest();
	const app = createApp({ ...deps, console: files });
	return async (name: string, headers: Record<string, string> = {}, method = "GET") =>
		app.request(`http://functions.test${name}`, { method, headers });
}

describe("the console's files", () => {
	it("has index.html for the root and for every page's address, under a strict policy", async () => {
		await using folder = await tempDir();
		const get = await serving(await build(folder.path));
		for (const address of ["/console/", "/console/paths/site/cam01?tab=history", "/console/nothing.js"]) {
			const response = await get(address);
			expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
			expect(await response.text()).toBe(INDEX);
			expect(response.headers.get("cache-control")).toBe("no-cache");
			const policy = response.headers.get("content-security-policy")?.split("; ");
			expect(policy).toEqual(
				expect.arrayContaining([
					"default-src 'none'",
					"script-src 'self'",
					"frame-ancestors 'none'",
					"base-uri 'none'",
					"form-action 'none'",
				]),
			);
			expect(response.headers.get("x-content-type-options")).toBe("nosniff");
			expect(response.headers.get("referrer-policy")).toBe("no-referrer");
			expect(response.headers.get("permissions-policy")).toContain("camera=()");
		}
	});

	it("keeps files with hashes in their names for good, and has 404 for those of another build", async () => {
		await using folder = await tempDir();
		const get = await serving(await build(folder.path));
		const script = await get("/console/assets/index-Ab12.js");
		expect(await script.text()).toBe(SCRIPT);
		expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
		expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
		expect([...(await (await get("/console/assets/logo-Cd34.png")).bytes())]).toEqual([1, 2, 3]);
		const gone = await get("/console/assets/index-Old0.js");
		expect(gone.status).toBe(404);
		expect(gone.headers.get("cache-control")).toBe("no-store");
	});

	it("answers 304 to who has the file, and HEAD without a body", async () => {
		await using folder = await tempDir();
		const get = await serving(await build(folder.path));
		for (const address of ["/console/", "/console/assets/index-Ab12.js"]) {
			const etag = (await get(address)).headers.get("etag") ?? "";
			const known = await get(address, { "if-none-match": `"other", W/${etag}` });
			expect([known.status, await known.text()]).toEqual([304, ""]);
			expect((await get(address, { "if-none-match": '"other"' })).status).toBe(200);
			const head = await get(address, {}, "HEAD");
			expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([200, etag, ""]);
		}
	});

	it("compresses for who takes it, under an etag of its own", async () => {
		await using folder = await tempDir();
		const get = await serving(await build(folder.path));
		const plain = await get("/console/assets/index-Ab12.js", { "accept-encoding": "br, gzip;q=0" });
		expect(plain.headers.get("content-encoding")).toBeNull();
		const small = await get("/console/assets/index-Ab12.js", { "accept-encoding": "gzip, deflate, br" });
		expect(small.headers.get("content-encoding")).toBe("gzip");
		expect(small.headers.get("vary")).toBe("accept-encoding");
		expect(small.headers.get("etag")).not.toBe(plain.headers.get("etag"));
		expect(gunzipSync(await small.bytes()).toString()).toBe(SCRIPT);
	});

	it("has nothing that is not in the folder, however it is asked for", async () => {
		await using folder = await tempDir();
		const files = await build(folder.path);
		const get = await serving(files);
		const names = [
			"../secret.txt",
			"assets/../../secret.txt",
			"..%2Fsecret.txt",
			"assets/..%2f..%2fsecret.txt",
			"/etc/passwd",
		];
		for (const name of names) {
			expect(await files.get(name), name).toBeNull();
			expect(await (await get(`/console/${name}`)).text(), name).not.toContain("not yours");
		}
		// A file that came later is none of the build.
		await writeFile(path.join(folder.path, "dist/assets/late.js"), "late");
		expect((await get("/console/assets/late.js")).status).toBe(404);
	});

	it("leads from / and /console to the console, and takes no other method", async () => {
		const get = await serving(null);
		for (const address of ["/", "/console"]) {
			const response = await get(address);
			expect([response.status, response.headers.get("location")]).toEqual([302, "/console/"]);
		}
		const post = await get("/console/", {}, "POST");
		expect([post.status, post.headers.get("allow")]).toEqual([405, "GET"]);
	});

	it("is not there as often as one address likes", async () => {
		await using folder = await tempDir();
		const { deps } = await functionsForTest();
		const app = createApp({ ...deps, console: await build(folder.path) });
		const statuses = new Set<number>();
		for (let i = 0; i <= ADDRESS_RATE.burst; i++)
			statuses.add((await app.request("http://functions.test/console/assets/index-Ab12.js")).status);
		expect([...statuses]).toEqual([200, 429]);
	});

	it("says how to build it where it was not built", async () => {
		await using folder = await tempDir();
		for (const files of [null, consoleFolder(path.join(folder.path, "dist"))]) {
			const get = await serving(files);
			const response = await get("/console/");
			expect(response.status).toBe(503);
			expect(await response.text()).toContain("node setup.mjs");
			expect((await get("/console/assets/index-Ab12.js")).status).toBe(404);
		}
	});

	it("goes on with another build that has taken the place of the one that it knew, or of none", async () => {
		await using folder = await tempDir();
		const dist = path.join(folder.path, "dist");
		const get = await serving(consoleFolder(dist));
		expect((await get("/console/")).status).toBe(503);
		await build(folder.path);
		expect((await get("/console/")).status).toBe(200);
		await rm(dist, { recursive: true });
		await mkdir(path.join(dist, "assets"), { recursive: true });
		await writeFile(path.join(dist, "index.html"), "new");
		await writeFile(path.join(dist, "assets/index-New1.js"), SCRIPT);
		// Whoever has the old page asks for what is gone, and is told to load it again.
		expect((await get("/console/assets/index-Ab12.js")).status).toBe(404);
		expect(await (await get("/console/")).text()).toBe("new");
		expect((await get("/console/assets/index-New1.js")).status).toBe(200);
	});

	it("comes out of Cloudflare's assets just so", async () => {
		const asked: string[] = [];
		const get = await serving(
			consoleAssets({
				async fetch({ url }) {
					asked.push(new URL(url).pathname);
					return url.endsWith("/index.html")
						? new Response(INDEX, { headers: { "content-type": "text/html" } })
						: new Response(null, { status: 404 });
				},
			}),
		);
		expect(await (await get("/console/keys")).text()).toBe(INDEX);
		expect((await get("/console/assets/gone.js")).status).toBe(404);
		expect(asked).toEqual(["/index.html", "/assets/gone.js"]);
	});
});

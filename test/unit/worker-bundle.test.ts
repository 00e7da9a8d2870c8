import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Program } from "../support/program.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Cloudflare's free plan takes 3 MiB; small is what starts fast. */
const MAX_GZIP_BYTES = 144 * 1024;

describe("the Worker's bundle", () => {
	it("is what `wrangler deploy` would send: small, without the S3 client and without Node.js modules", async () => {
		await using folder = await tempDir();
		const wrangler = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
		const env = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "true" };
		const args = [
			wrangler,
			"deploy",
			"--dry-run",
			"--minify",
			"--outdir",
			folder.path,
			"--metafile",
			path.join(folder.path, "meta.json"),
		];
		await new Program(process.execPath, args, { cwd: ROOT, env }).succeed(120_000);
		const { inputs } = JSON.parse(await readFile(path.join(folder.path, "meta.json"), "utf8")) as {
			inputs: Record<string, unknown>;
		};
		const files = Object.keys(inputs);
		expect(files.some((file) => file.endsWith("functions/app.ts"))).toBe(true);
		expect(
			files.filter((file) =>
				/@aws-sdk|@hono\/node-server|s3-store|fs-store|node-send|node-console|media-node\//.test(file),
			),
		).toEqual([]);
		const size = gzipSync(await readFile(path.join(folder.path, "worker.js"))).length;
		console.log(`Worker bundle: ${(size / 1024).toFixed(1)} KiB gzipped`);
		expect(size).toBeLessThan(MAX_GZIP_BYTES);
	});
});

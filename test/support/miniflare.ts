/** miniflare, the local Cloudflare that comes with wrangler. */

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { R2Bucket } from "../../functions/store/r2-bucket.ts";

/** What is used of miniflare, which comes with wrangler and is no dependency itself. */
export type Miniflare = {
	readonly ready: Promise<URL>;
	getR2Bucket(binding: string): Promise<R2Bucket>;
	/** Of the first of `unsafeDirectSockets`. */
	unsafeGetDirectURL(): Promise<URL>;
	dispose(): Promise<void>;
};
export type MiniflareModule = {
	readonly Miniflare: new (options: unknown) => Miniflare;
	convertV4MiniflareOptions(options: unknown): unknown;
};

export async function loadMiniflare(): Promise<MiniflareModule> {
	const wrangler = createRequire(import.meta.url).resolve("wrangler/package.json");
	const entry = createRequire(wrangler).resolve("miniflare");
	const module: MiniflareModule & { default?: MiniflareModule } = await import(pathToFileURL(entry).href);
	return module.default ?? module;
}

/**
 * A local S3 server: the R2 simulator of miniflare with its S3 endpoint, the one that `wrangler dev` has. It checks
 * signatures and has real conditional writes.
 *
 * As a program, for other processes: `node test/support/s3-server.ts [--port 9000] [--buckets a,b] [--dir folder]`
 * prints one line of JSON, {@link S3Server} without `close`, when it is ready, and ends at SIGINT or SIGTERM.
 */

import path from "node:path";
import { parseArgs } from "node:util";
import type { R2Bucket } from "../../functions/store/r2-bucket.ts";
import { loadMiniflare } from "./miniflare.ts";

export type S3ServerOptions = {
	readonly buckets: readonly string[];
	/** Where the buckets are kept; left out, they end with the server. */
	readonly dir?: string;
	/** 0, which is the default, takes a free one. */
	readonly port?: number;
	/** Closes the server. */
	readonly signal?: AbortSignal;
};

export type S3Server = {
	/** For path-style addresses, with region `auto`. */
	readonly endpoint: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	/** The binding that a Worker would have of one of the buckets. */
	r2Bucket(bucket: string): Promise<R2Bucket>;
	close(): Promise<void>;
};

const ACCESS_KEY_ID = "test-access-key";
const SECRET_ACCESS_KEY = "test-secret-key";

/** Starts the server. It is ready when the promise resolves. */
export async function startS3Server({ buckets, dir, port = 0, signal }: S3ServerOptions): Promise<S3Server> {
	signal?.throwIfAborted();
	const s3Credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };
	const { Miniflare, convertV4MiniflareOptions } = await loadMiniflare();
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			host: "127.0.0.1",
			port,
			modules: true,
			compatibilityDate: "2026-01-01",
			cf: false,
			script: 'export default { fetch: () => new Response("Not found\\n", { status: 404 }) }',
			r2Buckets: Object.fromEntries(buckets.map((id) => [id, { id, s3Credentials }])),
			...(dir === undefined ? {} : { resourcePersistencePath: path.resolve(dir) }),
		}),
	);
	let closing: Promise<void> | undefined;
	const close = () => {
		signal?.removeEventListener("abort", onAbort);
		closing ??= miniflare.dispose();
		return closing;
	};
	const onAbort = () => void close();
	signal?.addEventListener("abort", onAbort, { once: true });
	const url = await miniflare.ready;
	return {
		endpoint: new URL("/cdn-cgi/local/r2/s3", url).href,
		...s3Credentials,
		r2Bucket: (bucket) => miniflare.getR2Bucket(bucket),
		close,
	};
}

if (import.meta.main) {
	const { values } = parseArgs({
		options: {
			port: { type: "string", default: "9000" },
			buckets: { type: "string", default: "sluice" },
			dir: { type: "string" },
		},
	});
	const buckets = values.buckets.split(",").filter((name) => name !== "");
	const server = await startS3Server({
		buckets,
		port: Number(values.port),
		...(values.dir === undefined ? {} : { dir: values.dir }),
	});
	const { endpoint, accessKeyId, secretAccessKey } = server;
	console.log(JSON.stringify({ endpoint, buckets, accessKeyId, secretAccessKey }));
	for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => void server.close());
}

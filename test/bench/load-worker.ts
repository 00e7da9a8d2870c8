/** The Worker as it is, with two more addresses: how often it read the bucket, and a route of Hono that says hello. */

import { Hono } from "hono";
import type { R2Bucket } from "../../functions/store/r2-bucket.ts";
import worker from "../../functions/worker.ts";

type Environment = { readonly BUCKET: R2Bucket } & Readonly<Record<string, unknown>>;
type Context = { waitUntil(work: Promise<unknown>): void };

let reads = 0;
let known: { readonly of: unknown; readonly counted: Environment } | null = null;
const hello = new Hono();
hello.get("/hello", (context) => context.text("hello"));

/** The same bindings, with a bucket that counts. One object for each environment, as the Worker expects. */
function counting(environment: Environment): Environment {
	if (known?.of !== environment) {
		const { BUCKET } = environment;
		const counted: R2Bucket = {
			head: (key) => count(BUCKET.head(key)),
			get: (key, options) => count(BUCKET.get(key, options)),
			put: (key, value, options) => BUCKET.put(key, value, options),
			delete: (keys) => BUCKET.delete(keys),
			list: (options) => count(BUCKET.list(options)),
		};
		known = { of: environment, counted: { ...environment, BUCKET: counted } };
	}
	return known.counted;
}

function count<T>(reading: T): T {
	reads++;
	return reading;
}

// A Worker is the default export of its module.
// biome-ignore lint/style/noDefaultExport: see above
export default {
	async fetch(request: Request, environment: Environment, context: Context): Promise<Response> {
		const { pathname } = new URL(request.url);
		if (pathname === "/bench/reads") return new Response(String(reads));
		if (pathname === "/hello") return hello.fetch(request);
		return worker.fetch(request, counting(environment), context);
	},
	scheduled: worker.scheduled,
};

/** The Cloudflare Workers entry: R2 by its binding, deliveries by a cron trigger. */

import type { Hono } from "hono";
import { systemClock } from "#shared/clock.ts";
import { createApp } from "./app.ts";
import type { Deps } from "./deps.ts";
import { type EdgeCache, playThroughCache } from "./edge-cache.ts";
import { jsonLog } from "./json-log.ts";
import { environmentSchema } from "./settings.ts";
import type { R2Bucket } from "./store/r2-bucket.ts";
import { R2Store } from "./store/r2-store.ts";
import { TokenAccess } from "./tokens/token-access.ts";
import { viewerOfCloudflare } from "./tokens/viewer.ts";
import { drainOutbox } from "./webhooks/drain.ts";
import { fetchTransport } from "./webhooks/transport.ts";

type Environment = { readonly BUCKET: R2Bucket } & Readonly<Record<string, unknown>>;

type ExecutionContext = { waitUntil(work: Promise<unknown>): void };

/** What the runtime has beside the standard: one cache of the data centre, which is there without being opened. */
declare const caches: { readonly default: EdgeCache };

type Instance = { readonly environment: Environment; readonly deps: Deps; readonly app: Hono };

let instance: Instance | null = null;

/** One application for each isolate: keys are imported, and tokens verified, once. */
function instanceOf(environment: Environment): Instance {
	if (instance?.environment !== environment) {
		const settings = environmentSchema.parse(environment);
		const store = new R2Store(environment.BUCKET);
		const tokens = new TokenAccess({ store, clock: systemClock, settings, sharesReads: false });
		const deps: Deps = {
			store,
			clock: systemClock,
			settings,
			verifier: tokens.verifier,
			tokens,
			viewerOf: viewerOfCloudflare,
			// The binding has no credentials to sign with.
			presign: null,
			webhooks: fetchTransport(() => systemClock.now()),
			log: jsonLog,
			sharesReads: false,
		};
		instance = { environment, deps, app: createApp(deps) };
	}
	return instance;
}

export default {
	async fetch(request: Request, environment: Environment, context: ExecutionContext): Promise<Response> {
		const { app, deps } = instanceOf(environment);
		const fetch = (asked: Request) => app.fetch(asked);
		const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
		return (await playThroughCache({ deps, cache: caches.default, fetch, waitUntil }, request)) ?? fetch(request);
	},
	async scheduled(_event: unknown, environment: Environment): Promise<void> {
		await drainOutbox(instanceOf(environment).deps);
	},
};

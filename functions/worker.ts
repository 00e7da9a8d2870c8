/** The Cloudflare Workers entry: R2 by its binding, deliveries by a cron trigger. */

import { systemClock } from "#shared/clock.ts";
import { type App, createApp } from "./app.ts";
import { type Assets, consoleAssets } from "./console-assets.ts";
import type { Deps } from "./deps.ts";
import { type EdgeCache, playThroughCache } from "./edge-cache.ts";
import { jsonLog } from "./json-log.ts";
import { PlaylistMemory } from "./playlist-memory.ts";
import { usageDaysOf } from "./routes/usage.ts";
import { environmentSchema } from "./settings.ts";
import type { R2Bucket } from "./store/r2-bucket.ts";
import { R2Store } from "./store/r2-store.ts";
import { TokenAccess } from "./tokens/token-access.ts";
import { viewerOfCloudflare } from "./tokens/viewer.ts";
import { countUsage, flushUsage } from "./usage/functions-usage.ts";
import { drainOutbox } from "./webhooks/drain.ts";
import { fetchTransport } from "./webhooks/transport.ts";

type Environment = { readonly BUCKET: R2Bucket; readonly ASSETS?: Assets } & Readonly<Record<string, unknown>>;

type ExecutionContext = { waitUntil(work: Promise<unknown>): void };

/** What the runtime has beside the standard: one cache of the data centre, which is there without being opened. */
declare const caches: { readonly default: EdgeCache };

type Instance = {
	readonly environment: Environment;
	readonly deps: Deps;
	readonly app: App;
	readonly memory: PlaylistMemory;
};

let instance: Instance | null = null;

/** One application for each isolate: keys are imported, and tokens verified, once. */
function instanceOf(environment: Environment): Instance {
	if (instance?.environment !== environment) {
		const settings = environmentSchema.parse({ SLUICE_PRICES: "cloudflare", ...environment });
		const counted = countUsage({ store: new R2Store(environment.BUCKET), clock: systemClock, log: jsonLog });
		const { store } = counted;
		const tokens = new TokenAccess({ store, clock: systemClock, settings, sharesReads: false });
		const deps: Deps = {
			...counted,
			clock: systemClock,
			settings,
			verifier: tokens.verifier,
			tokens,
			viewerOf: viewerOfCloudflare,
			// The binding has no credentials to sign with.
			presign: null,
			webhooks: fetchTransport(() => systemClock.now()),
			console: environment.ASSETS === undefined ? null : consoleAssets(environment.ASSETS),
			log: jsonLog,
			sharesReads: false,
		};
		instance = { environment, deps, app: createApp(deps), memory: new PlaylistMemory() };
	}
	return instance;
}

export default {
	async fetch(request: Request, environment: Environment, context: ExecutionContext): Promise<Response> {
		const { app, deps, memory } = instanceOf(environment);
		const fetch = (asked: Request) => app.fetch(asked);
		const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
		const played = await playThroughCache({ deps, cache: caches.default, memory, fetch, waitUntil }, request);
		const response = played ?? (await fetch(request));
		// The isolate may be gone before the next request: then what it counted within the last minute is lost.
		if (deps.usage?.isDue === true) waitUntil(flushUsage(deps));
		return response;
	},
	async scheduled(_event: unknown, environment: Environment): Promise<void> {
		const { deps } = instanceOf(environment);
		await drainOutbox(deps);
		await usageDaysOf(deps).foldYesterday();
	},
};

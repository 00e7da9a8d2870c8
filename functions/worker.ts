/** The Cloudflare Workers entry: R2 by its binding, deliveries by a cron trigger. */

import type { Hono } from "hono";
import { publicJwks } from "#shared/access/signing-key.ts";
import { createTokenVerifier } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { createApp } from "./app.ts";
import type { Deps } from "./deps.ts";
import { jsonLog } from "./json-log.ts";
import { environmentSchema } from "./settings.ts";
import type { R2Bucket } from "./store/r2-bucket.ts";
import { R2Store } from "./store/r2-store.ts";
import { drainOutbox } from "./webhooks/drain.ts";
import { fetchTransport } from "./webhooks/transport.ts";

type Environment = { readonly BUCKET: R2Bucket } & Readonly<Record<string, unknown>>;

type Instance = { readonly environment: Environment; readonly deps: Deps; readonly app: Hono };

let instance: Instance | null = null;

/** One application for each isolate: keys are imported, and tokens verified, once. */
function instanceOf(environment: Environment): Instance {
	if (instance?.environment !== environment) {
		const settings = environmentSchema.parse(environment);
		const deps: Deps = {
			store: new R2Store(environment.BUCKET),
			clock: systemClock,
			settings,
			verifier: createTokenVerifier({ keys: publicJwks(settings.signingKeys), clock: systemClock }),
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
	fetch(request: Request, environment: Environment): Response | Promise<Response> {
		return instanceOf(environment).app.fetch(request);
	},
	async scheduled(_event: unknown, environment: Environment): Promise<void> {
		await drainOutbox(instanceOf(environment).deps);
	},
};

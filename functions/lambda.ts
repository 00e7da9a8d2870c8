/** The AWS Lambda entry: a function URL, and a schedule for the deliveries. */

import { handle } from "hono/aws-lambda";
import { createPresigner, type Presign } from "#shared/access/presign.ts";
import { systemClock } from "#shared/clock.ts";
import { type BucketLocation, parseBucketLocation } from "#shared/store/bucket-location.ts";
import { openStore } from "#shared/store/open-store.ts";
import { providerOf } from "#shared/usage/price-table.ts";
import { createApp } from "./app.ts";
import type { Deps } from "./deps.ts";
import { atForwardedHost } from "./forwarded-host.ts";
import { jsonLog } from "./json-log.ts";
import { builtConsole } from "./node-console.ts";
import { nodeHashes } from "./node-hashes.ts";
import { nodeTransport } from "./node-send.ts";
import { usageDaysOf } from "./routes/usage.ts";
import { environmentSchema } from "./settings.ts";
import { TokenAccess } from "./tokens/token-access.ts";
import { viewerOfLambda } from "./tokens/viewer.ts";
import { countUsage, flushUsage } from "./usage/functions-usage.ts";
import { drainOutbox } from "./webhooks/drain.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Makes the handlers for an environment: one each for requests and for the schedule. */
export function createHandlers(environment: Environment): { handler: LambdaHandler; scheduled: () => Promise<void> } {
	// Opened by the first call, and once: a failure is tried again by the next one.
	let opening: Promise<{ deps: Deps; respond: LambdaHandler }> | null = null;
	const open = () => {
		opening ??= openAll(environment).catch((error: unknown) => {
			opening = null;
			throw error;
		});
		return opening;
	};
	return {
		handler: async (...call) => {
			const { deps, respond } = await open();
			const response = await respond(...call);
			// An instance stands still once it has answered: what was counted is written before, once a minute.
			await flushUsage(deps);
			return response;
		},
		scheduled: async () => {
			const { deps } = await open();
			await drainOutbox(deps);
			await usageDaysOf(deps).foldYesterday();
			await flushUsage(deps);
		},
	};
}

type LambdaHandler = ReturnType<typeof handle>;

async function openAll(environment: Environment): Promise<{ deps: Deps; respond: LambdaHandler }> {
	// `cloudfront` where the function's URL answers CloudFront alone.
	const isBehindCloudFront = environment["SLUICE_CDN"] === "cloudfront";
	const told = environmentSchema.parse(environment);
	const location = parseBucketLocation(environment["SLUICE_BUCKET"] ?? "");
	const settings = { ...told, prices: providerOf(environment["SLUICE_PRICES"], location) };
	const counted = countUsage({ store: await openStore(location), clock: systemClock, log: jsonLog });
	const { store } = counted;
	const tokens = new TokenAccess({ store, clock: systemClock, settings, sharesReads: false });
	const deps: Deps = {
		...counted,
		clock: systemClock,
		settings,
		verifier: tokens.verifier,
		tokens,
		viewerOf: viewerOfLambda(isBehindCloudFront),
		presign: presignOf(location, environment),
		webhooks: nodeTransport({ allowInsecure: settings.webhookAllowInsecure, now: () => systemClock.now() }),
		// A function has its files below a folder that the runtime names, wherever the bundle stands in it.
		console: builtConsole(environment["LAMBDA_TASK_ROOT"]),
		log: jsonLog,
		// An instance answers one request at a time.
		sharesReads: false,
	};
	const respond = handle(createApp(deps));
	// infra/edge/forward-host.js says which host the client asked for; what a client says itself is not believed.
	const isHostForwarded = isBehindCloudFront && settings.publicUrl === null;
	if (!isHostForwarded) return { deps, respond };
	return { deps, respond: (event, context) => respond(atForwardedHost(event), context) };
}

/** With the credentials of the function's own role, which AWS changes with the instance. */
function presignOf(location: BucketLocation, environment: Environment): Presign | null {
	const {
		AWS_ACCESS_KEY_ID: accessKeyId,
		AWS_SECRET_ACCESS_KEY: secretAccessKey,
		AWS_SESSION_TOKEN: sessionToken,
	} = environment;
	if (location.kind !== "s3" || accessKeyId === undefined || secretAccessKey === undefined) return null;
	const region = location.region ?? environment["AWS_REGION"] ?? "us-east-1";
	return createPresigner({
		endpoint: location.endpoint ?? `https://s3.${region}.amazonaws.com`,
		region,
		bucket: location.bucket,
		prefix: location.prefix,
		pathStyle: location.pathStyle,
		accessKeyId,
		secretAccessKey,
		sessionToken,
		hashes: nodeHashes,
		clock: systemClock,
	});
}

export const { handler, scheduled } = createHandlers(process.env);

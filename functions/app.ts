import { Hono } from "hono";
import { GoneError } from "#shared/problem.ts";
import { KnownKeys } from "./access/known-keys.ts";
import { CONSOLE_ROOT, redirectToConsole, respondConsole } from "./console-files.ts";
import type { Deps } from "./deps.ts";
import { Dvr } from "./dvr/dvr.ts";
import { type Limits, RateLimits } from "./limits/rate-limits.ts";
import { NewestRecords } from "./newest-records.ts";
import { openApiDocument } from "./openapi.ts";
import { publicInstance } from "./public-instance.ts";
import { RecentOverrides } from "./recent-overrides.ts";
import { respondJson, respondPreflight, respondProblem } from "./respond.ts";
import { auditRoutes } from "./routes/audit.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { healthRoutes } from "./routes/health.ts";
import { keyRoutes } from "./routes/keys.ts";
import { meRoutes } from "./routes/me.ts";
import { mediamtxAuthRoutes } from "./routes/mediamtx-auth.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { pathHistoryRoutes } from "./routes/path-history.ts";
import { pathRoutes } from "./routes/paths.ts";
import { EDGE_SEGMENT, PLAYBACK_ROUTES, play, playAtEdge } from "./routes/playback.ts";
import { recordingRoutes } from "./routes/recordings.ts";
import { revocationRoutes } from "./routes/revocations.ts";
import { routingRoutes } from "./routes/routing.ts";
import { signingKeyRoutes } from "./routes/signing-keys.ts";
import { streamEventRoutes } from "./routes/stream-events.ts";
import { streamRoutes } from "./routes/streams.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { usageRoutes } from "./routes/usage.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { type Route, route, routerPath } from "./routing.ts";
import { serve } from "./serve.ts";
import { Served } from "./usage/served.ts";

export const API_VERSION = "0.1.0";

const documentRoute = route({
	method: "GET",
	path: "/openapi.json",
	operationId: "getOpenApi",
	summary: "This document",
	access: "public",
	responses: { 200: { description: "OpenAPI 3.1", contentType: "application/json" } },
	handler: () =>
		respondJson(200, openApiDocument([...ROUTES, ...PLAYBACK_ROUTES], API_VERSION), {
			"cache-control": "public, max-age=300",
		}),
});

/** Every route but those of playback, whose first segment is a token. */
export const ROUTES: readonly Route[] = [
	...meRoutes,
	...keyRoutes,
	...auditRoutes,
	...tokenRoutes,
	...revocationRoutes,
	...signingKeyRoutes,
	...pathHistoryRoutes,
	...pathRoutes,
	...recordingRoutes,
	...streamEventRoutes,
	...usageRoutes,
	...streamRoutes,
	...webhookRoutes,
	...deliveryRoutes,
	...nodeRoutes,
	...routingRoutes,
	...mediamtxAuthRoutes,
	...healthRoutes,
	documentRoute,
];

/** `plays`: it is a request of a viewer for media. */
export type App = Hono<{ Variables: { plays?: true } }>;

/** The functions, as one application of web-standard requests and responses. */
export function createApp(given: Deps, limits: Limits = new RateLimits(given.clock)): App {
	const deps = { ...given, served: given.served ?? new Served(given.clock, given.usage ?? null) };
	const app: App = new Hono();
	const records = new NewestRecords(deps);
	const overrides = new RecentOverrides(deps);
	const dvr = new Dvr(deps);
	const services = { deps, keys: new KnownKeys(deps), limits };
	app.use(async (context, next) => {
		const began = deps.clock.monotonic();
		if (context.req.method === "OPTIONS") return respondPreflight();
		await next();
		const { method, url } = context.req;
		const { status } = context.res;
		const fields = () => ({
			method,
			path: publicInstance(url),
			status,
			ms: Math.round(deps.clock.monotonic() - began),
		});
		// A line for each segment of each viewer would cost more than the answer, on Workers in money, too.
		if (status < 400 && context.get("plays") === true) deps.log.debug?.(fields(), "request");
		else deps.log.info(fields(), "request");
		return undefined;
	});
	for (const [path, definitions] of routesByPath(ROUTES)) {
		for (const definition of definitions) {
			app.on(definition.method, path, (context) =>
				serve(definition, services, context.req.raw, context.env, context.req.param()),
			);
		}
		const allow = definitions.map(({ method }) => method).join(", ");
		app.all(path, () => {
			throw new GoneError("http.method", `This address takes ${allow}`, { data: { allow } });
		});
	}
	app.get("/", redirectToConsole);
	app.get(CONSOLE_ROOT.slice(0, -1), redirectToConsole);
	app.get(`${CONSOLE_ROOT}*`, (context) => {
		limits.request(deps.viewerOf(context.req.raw, context.env).ip);
		return respondConsole(deps.console, context.req.raw);
	});
	for (const path of ["/", CONSOLE_ROOT.slice(0, -1), `${CONSOLE_ROOT}*`])
		app.all(path, () => {
			throw new GoneError("http.method", "The console is only read: this address takes GET", {
				data: { allow: "GET" },
			});
		});
	app.get(`/${EDGE_SEGMENT}/*`, (context) => {
		context.set("plays", true);
		return playAtEdge({ deps, records, overrides, dvr, request: context.req.raw });
	});
	app.get("/:token/*", (context) => {
		context.set("plays", true);
		const viewer = deps.viewerOf(context.req.raw, context.env);
		limits.playback(viewer.ip, context.req.param("token"));
		return play({ deps, records, overrides, dvr, request: context.req.raw }, viewer);
	});
	app.notFound(() => {
		throw new GoneError("http.not_found", "There is nothing at this address; /openapi.json lists what there is");
	});
	app.onError((error, context) => {
		const response = respondProblem(error, publicInstance(context.req.url));
		if (response.status === 500)
			deps.log.error({ err: error, path: publicInstance(context.req.url) }, "A request failed for a fault of ours");
		return response;
	});
	return app;
}

/** The longest first, so that the end of one is never taken for a part of the name that ends a shorter one. */
function routesByPath(routes: readonly Route[]): [string, Route[]][] {
	const byPath = new Map<string, Route[]>();
	for (const definition of routes) {
		const path = routerPath(definition.path);
		byPath.set(path, [...(byPath.get(path) ?? []), definition]);
	}
	const length = (path: string) => path.split("/").length;
	return [...byPath].sort(([a], [b]) => length(b) - length(a));
}

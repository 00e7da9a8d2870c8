import { Hono } from "hono";
import { allows } from "#shared/access/permission.ts";
import type { Claims } from "#shared/access/token.ts";
import { DeniedError, GoneError } from "#shared/problem.ts";
import type { Deps } from "./deps.ts";
import { check, readBody } from "./input.ts";
import { NewestRecords } from "./newest-records.ts";
import { openApiDocument } from "./openapi.ts";
import { publicInstance } from "./public-instance.ts";
import { respondJson, respondPreflight, respondProblem } from "./respond.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { healthRoutes } from "./routes/health.ts";
import { pathRoutes } from "./routes/paths.ts";
import { PLAYBACK_ROUTES, play } from "./routes/playback.ts";
import { streamRoutes } from "./routes/streams.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { type Method, type Route, route, routerPath } from "./routing.ts";

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
	...tokenRoutes,
	...pathRoutes,
	...streamRoutes,
	...webhookRoutes,
	...deliveryRoutes,
	...healthRoutes,
	documentRoute,
];

/** The functions, as one application of web-standard requests and responses. */
export function createApp(deps: Deps): Hono {
	const app = new Hono();
	const records = new NewestRecords(deps);
	app.use(async (context, next) => {
		const began = deps.clock.monotonic();
		if (context.req.method === "OPTIONS") return respondPreflight();
		await next();
		const { method, url } = context.req;
		deps.log.info(
			{ method, path: publicInstance(url), status: context.res.status, ms: Math.round(deps.clock.monotonic() - began) },
			"request",
		);
		return undefined;
	});
	for (const definition of ROUTES) {
		app.on(definition.method, routerPath(definition.path), (context) =>
			serve(definition, deps, context.req.raw, context.req.param()),
		);
	}
	for (const [path, methods] of methodsByPath(ROUTES)) {
		app.all(path, () => {
			throw new GoneError("http.method", `This address takes ${methods.join(", ")}`, {
				data: { allow: methods.join(", ") },
			});
		});
	}
	app.get("/:token/*", (context) => play(deps, records, context.req.raw));
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

async function serve(
	definition: Route,
	deps: Deps,
	request: Request,
	params: Record<string, string>,
): Promise<Response> {
	const claims = definition.access === "public" ? null : await claimsOf(deps, request, definition.access);
	const input = {
		deps,
		request,
		claims,
		params: definition.params && check(definition.params, params, "path"),
		query: definition.query && check(definition.query, Object.fromEntries(new URL(request.url).searchParams), "query"),
		body: await readBody(request, definition),
	};
	return definition.handler(input as never);
}

/** Who asks, if they may. @throws DeniedError */
async function claimsOf(
	{ verifier }: Deps,
	request: Request,
	access: Exclude<Route["access"], "public">,
): Promise<Claims> {
	if (access === "path-token") throw new TypeError("Cannot serve a route of playback from the table");
	const [scheme = "", token = ""] = (request.headers.get("authorization") ?? "").split(/ +/, 2);
	if (scheme.toLowerCase() !== "bearer" || token === "") {
		throw new DeniedError(
			"access.token_missing",
			"This needs an Authorization: Bearer header with a token; `npx sluice token --admin` makes one",
		);
	}
	const claims = await verifier.verify(token);
	if (!allows(claims.permissions, access, ""))
		throw new DeniedError("access.forbidden", `The token does not allow the action ${access}`);
	return claims;
}

function methodsByPath(routes: readonly Route[]): Map<string, Method[]> {
	const methods = new Map<string, Method[]>();
	for (const { path, method } of routes) {
		const at = routerPath(path);
		methods.set(at, [...(methods.get(at) ?? []), method]);
	}
	return methods;
}

/** The control API, version 3, as MediaMTX has it. */

import type { Clock } from "#shared/clock.ts";
import { GoneError, InputError, SluiceError } from "#shared/problem.ts";
import type { HttpAnswer, HttpRequest } from "../http/http-exchange.ts";
import { HttpServer, type HttpServerSettings } from "../http/http-server.ts";
import type { Logger } from "../log.ts";
import { configRoutes } from "./config-routes.ts";
import type { ControlParts, ControlRoute } from "./control-route.ts";
import { forwardRoutes } from "./forward-routes.ts";
import { expectAccess } from "./http-access.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import { NOT_BUILT_ROUTES } from "./not-built.ts";
import { pathRoutes } from "./path-routes.ts";
import { peerRoutes } from "./peer-routes.ts";
import { sessionRoutes } from "./session-routes.ts";

const ROOT = "/v3";
const CORS = { methods: "OPTIONS, GET, POST, PATCH, DELETE", headers: "Authorization, Content-Type" };

export type ControlApiOptions = {
	readonly server: HttpServerSettings;
	readonly parts: ControlParts;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Runs the control API. @throws InputError `listen.in_use`, `config.invalid` */
export function openControlApi({ server, parts, clock, log }: ControlApiOptions): Promise<HttpServer> {
	const routes = [
		...nodeRoutes(parts),
		...configRoutes(parts, log),
		...pathRoutes(parts),
		...forwardRoutes(parts),
		...sessionRoutes(parts),
		...peerRoutes(parts),
	];
	return HttpServer.open({
		...server,
		cors: CORS,
		clock,
		log,
		handle: async (request) => {
			try {
				const { subject } = await expectAccess(request, "api", parts.authorize);
				const answer = await answerOf(routes, request);
				if (request.method !== "GET") log.info({ subject }, `Control API: ${request.method} ${request.path}`);
				return answer;
			} catch (error) {
				if (!(error instanceof SluiceError)) log.error({ err: error }, "A request to the control API failed");
				return errorAnswer(error);
			}
		},
	});
}

function nodeRoutes({ version, startedMs, refreshKeys }: ControlParts): ControlRoute[] {
	return [
		{
			method: "GET",
			path: "/info",
			handle: () => ({ version, started: new Date(startedMs).toISOString() }),
		},
		{ method: "POST", path: "/auth/jwks/refresh", handle: () => refreshKeys() },
	];
}

async function answerOf(routes: readonly ControlRoute[], request: HttpRequest): Promise<HttpAnswer> {
	const path = request.path.startsWith(`${ROOT}/`) ? request.path.slice(ROOT.length) : "";
	for (const route of routes) {
		const name = route.method === request.method ? nameIn(route.path, path) : null;
		if (name === null) continue;
		const query = new URLSearchParams(request.query);
		return jsonAnswer(200, (await route.handle({ name, query, json: () => readJson(request) })) ?? { status: "ok" });
	}
	const missing = NOT_BUILT_ROUTES.find(({ prefix }) => path.startsWith(prefix));
	throw new GoneError(
		"http.not_found",
		missing === undefined ? "page not found" : `this version has no ${missing.what}`,
	);
}

/** The name behind a route's prefix; empty for a route without one; `null`: the route is another one. */
function nameIn(route: string, path: string): string | null {
	if (!route.endsWith("*")) return route === path ? "" : null;
	const prefix = route.slice(0, -1);
	if (!path.startsWith(prefix)) return null;
	const name = decoded(path.slice(prefix.length));
	if (name === null || name === "") throw new InputError("input.invalid", "invalid name");
	return name;
}

function decoded(text: string): string | null {
	try {
		return decodeURIComponent(text);
	} catch (error) {
		if (error instanceof URIError) return null;
		throw error;
	}
}

async function readJson(request: HttpRequest): Promise<Readonly<Record<string, unknown>>> {
	const value = parseJson(await request.body());
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw new InputError("input.invalid", "the body must be a JSON object");
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new InputError("input.invalid", "the body is not JSON", { cause });
	}
}

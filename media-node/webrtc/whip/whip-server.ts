/** The HTTP server of WHIP, WHEP and the pages, around {@link WhipRoutes}. */

import type { Clock } from "#shared/clock.ts";
import { HttpServer, type HttpServerSettings } from "../../http/http-server.ts";
import type { Logger } from "../../log.ts";
import { MAX_SDP_BYTES } from "../sdp/sdp.ts";
import { failure } from "./whip-answer.ts";
import type { WhipRoutes } from "./whip-routes.ts";

export type WhipServerOptions = {
	readonly http: HttpServerSettings;
	readonly routes: WhipRoutes;
	readonly clock: Clock;
	readonly log: Logger;
};

const MAX_CONNECTIONS = 4_096;

/** RFC 9725 §4.6: a preflight is told nothing of ICE servers. */
const CORS = {
	methods: "OPTIONS, GET, HEAD, POST, PATCH, DELETE",
	headers: "Authorization, Content-Type, If-Match, Link",
	exposed: "Accept-Patch, ETag, ID, Link, Location, Retry-After, WWW-Authenticate",
	preflight: { "access-control-max-age": "7200", "accept-post": "application/sdp" },
};

/** Serves them. Sessions live on when it closes. @throws InputError `listen.in_use`, `config.invalid` */
export function openWhipServer({ http, routes, clock, log }: WhipServerOptions): Promise<HttpServer> {
	return HttpServer.open({
		...http,
		maxConnections: MAX_CONNECTIONS,
		cors: CORS,
		body: { maxBytes: MAX_SDP_BYTES, name: "description" },
		clock,
		log,
		handle: (request) => routes.handle(request).catch(failure),
	});
}

import { collectDefaultMetrics, type Registry } from "prom-client";
import type { Clock } from "#shared/clock.ts";
import { SluiceError } from "#shared/problem.ts";
import type { HttpAnswer, HttpRequest } from "../http/http-exchange.ts";
import { HttpServer, type HttpServerSettings } from "../http/http-server.ts";
import type { Logger } from "../log.ts";
import type { ControlParts } from "./control-route.ts";
import { expectAccess } from "./http-access.ts";
import { errorAnswer } from "./json-answer.ts";

const CORS = { methods: "OPTIONS, GET", headers: "Authorization" };
const TEXT = { "content-type": "text/plain; charset=utf-8" };

export type MetricsApiOptions = {
	readonly server: HttpServerSettings;
	readonly registry: Registry;
	readonly authorize: ControlParts["authorize"];
	readonly clock: Clock;
	readonly log: Logger;
};

/**
 * Serves `GET /metrics` in Prometheus' text format to those who may read it, and `GET /healthz` to everybody.
 * @throws InputError `listen.in_use`, `config.invalid`
 */
export function openMetrics({ server, registry, authorize, clock, log }: MetricsApiOptions): Promise<HttpServer> {
	if (registry.getSingleMetric("process_cpu_user_seconds_total") === undefined) {
		collectDefaultMetrics({ register: registry });
	}
	const metrics = async (request: HttpRequest): Promise<HttpAnswer> => {
		try {
			await expectAccess(request, "metrics", authorize);
			return { status: 200, headers: { "content-type": registry.contentType }, body: await registry.metrics() };
		} catch (error) {
			if (!(error instanceof SluiceError)) log.error({ err: error }, "metrics could not be collected");
			return errorAnswer(error);
		}
	};
	return HttpServer.open({
		...server,
		cors: CORS,
		clock,
		log,
		handle: async (request) => {
			if (request.method !== "GET" && request.method !== "HEAD") {
				return { status: 405, headers: { allow: "GET, HEAD" }, body: "" };
			}
			if (request.path === "/healthz") return { status: 200, headers: TEXT, body: "ok\n" };
			return request.path === "/metrics" ? metrics(request) : { status: 404, body: "" };
		},
	});
}

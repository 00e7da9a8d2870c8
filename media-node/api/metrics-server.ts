import http from "node:http";
import type { AddressInfo } from "node:net";
import { collectDefaultMetrics, type Registry } from "prom-client";
import { InputError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";

const REQUEST_TIMEOUT_MS = 10_000;

/** Serves `GET /metrics` in Prometheus' text format, and `GET /healthz`. */
export class MetricsServer implements AsyncDisposable {
	readonly #server: http.Server;
	readonly address: AddressInfo;

	private constructor(server: http.Server, address: AddressInfo) {
		this.#server = server;
		this.address = address;
	}

	/** @throws InputError `listen.in_use` */
	static async open(options: {
		readonly host: string;
		readonly port: number;
		readonly registry: Registry;
		readonly log: Logger;
	}): Promise<MetricsServer> {
		const { registry, log } = options;
		if (registry.getSingleMetric("process_cpu_user_seconds_total") === undefined)
			collectDefaultMetrics({ register: registry });
		const server = http.createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
			if (request.method !== "GET" && request.method !== "HEAD") {
				response.writeHead(405, { allow: "GET, HEAD" }).end();
				return;
			}
			if (request.url === "/healthz") {
				response.writeHead(200, { "content-type": "text/plain" }).end("ok\n");
				return;
			}
			if (request.url?.split("?")[0] !== "/metrics") {
				response.writeHead(404).end();
				return;
			}
			registry.metrics().then(
				(text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
				(error: unknown) => {
					log.error({ err: error }, "metrics could not be collected");
					response.writeHead(500).end();
				},
			);
		});
		await new Promise<void>((resolve, reject) => {
			server.once("error", (cause) => reject(listenError(cause, options.port)));
			server.listen({ port: options.port, ...(options.host === "" ? {} : { host: options.host }) }, resolve);
		});
		return new MetricsServer(server, server.address() as AddressInfo);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise<void>((resolve) => this.#server.close(() => resolve()));
	}
}

function listenError(cause: Error, port: number): Error {
	if (!("code" in cause) || cause.code !== "EADDRINUSE") return cause;
	return new InputError(
		"listen.in_use",
		`Port ${port} (metricsAddress) is in use. Stop what uses it, or set metricsAddress to another port`,
		{
			data: { port, key: "metricsAddress", transport: "tcp" },
			cause,
		},
	);
}

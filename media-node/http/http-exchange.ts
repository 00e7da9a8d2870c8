/** One request and its answer: CORS, the client's address behind proxies, and the body's limit. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../log.ts";
import { isOwnConnection } from "../own-connections.ts";
import { ClientAddress } from "./client-address.ts";
import { allowedOrigin } from "./cors.ts";
import { type BodyLimit, readBody } from "./request-body.ts";

/** A request, with what its handler needs of it. */
export type HttpRequest = {
	readonly method: string;
	/** As it came, in percent-encoding, without the query. */
	readonly path: string;
	/** Without the question mark; it may hold secrets. */
	readonly query: string;
	/** Empty when there is none, each. */
	readonly authorization: string;
	readonly contentType: string;
	readonly ifMatch: string;
	readonly userAgent: string;
	/** The client's, also when trusted proxies stand in front; empty over a Unix socket. */
	readonly ip: string;
	/** Fires when the client goes away. */
	readonly signal: AbortSignal;
	/** @throws InputError `input.too_large`, `input.invalid` */
	readonly body: () => Promise<string>;
};

export type HttpAnswer = {
	readonly status: number;
	/** Several values of a name are several headers. */
	readonly headers?: Readonly<Record<string, string | readonly string[]>>;
	readonly body: string;
};

/** What pages of other origins are told. */
export type Cors = {
	/** Lists for preflights. */
	readonly methods: string;
	readonly headers: string;
	/** Headers of answers that the Fetch standard does not show to them by itself. */
	readonly exposed?: string;
	/** More headers of the answers to preflights. */
	readonly preflight?: Readonly<Record<string, string>>;
};

export type HttpExchangeOptions = {
	readonly allowOrigins: readonly string[];
	readonly trustedProxies: readonly string[];
	readonly cors: Cors;
	/** What bodies may be; left out: as those of the control API. */
	readonly body?: BodyLimit;
	/** Answers problems by itself: what it throws is a bug, and a 500. */
	readonly handle: (request: HttpRequest) => Promise<HttpAnswer>;
	readonly log: Logger;
};

export class HttpExchanges {
	readonly #options: HttpExchangeOptions;
	readonly #clients: ClientAddress;
	/** Connections end after the answer. */
	closing = false;

	constructor(options: HttpExchangeOptions) {
		this.#options = options;
		this.#clients = new ClientAddress(options.trustedProxies);
	}

	/** Answers a request. Never throws. */
	begin(request: IncomingMessage, response: ServerResponse): void {
		const { allowOrigins, cors, handle, log } = this.#options;
		const origin = allowedOrigin(request.headers.origin ?? "", allowOrigins);
		if (origin !== null) {
			response.setHeader("access-control-allow-origin", origin);
			if (cors.exposed !== undefined) response.setHeader("access-control-expose-headers", cors.exposed);
		}
		if (origin !== null && origin !== "*") response.setHeader("vary", "origin");
		if (request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined) {
			const allowed = { "access-control-allow-methods": cors.methods, "access-control-allow-headers": cors.headers };
			response.writeHead(204, { ...allowed, ...cors.preflight }).end();
			return;
		}
		const abort = new AbortController();
		response.once("close", () => abort.abort());
		handle(this.#requestOf(request, abort.signal)).then(
			(answer) => this.#answer(request, response, answer),
			(error: unknown) => {
				log.error({ err: error }, "A request failed");
				this.#answer(request, response, { status: 500, body: "" });
			},
		);
	}

	#answer(request: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpAnswer): void {
		if (response.destroyed) return;
		for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
		// RFC 9110 §8.6.
		if (status !== 204) response.setHeader("content-length", Buffer.byteLength(body));
		// Rather than read what nobody asked for, or begin anew while the server stops.
		if (this.closing || !request.complete) response.setHeader("connection", "close");
		response.writeHead(status).end(body);
	}

	#requestOf(request: IncomingMessage, signal: AbortSignal): HttpRequest {
		const { url = "/", method = "GET", headers, socket } = request;
		const mark = url.indexOf("?");
		return {
			method,
			path: mark === -1 ? url : url.slice(0, mark),
			query: mark === -1 ? "" : url.slice(mark + 1),
			authorization: headers.authorization ?? "",
			contentType: headers["content-type"] ?? "",
			ifMatch: headers["if-match"] ?? "",
			userAgent: headers["user-agent"] ?? "",
			ip: isOwnConnection(socket.remoteAddress, socket.remotePort)
				? ""
				: this.#clients.of(socket.remoteAddress ?? "", [headers["x-forwarded-for"] ?? []].flat().join(",")),
			signal,
			body: () => readBody(request, this.#options.body),
		};
	}
}

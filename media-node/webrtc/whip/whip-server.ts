/** The HTTP server of WHIP, WHEP and the pages: sockets, CORS and bodies around {@link WhipRoutes}. */

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { Clock } from "#shared/clock.ts";
import { addressOf } from "#shared/config/address.ts";
import { InputError } from "#shared/problem.ts";
import { readBody } from "../../http/request-body.ts";
import { MAX_SDP_BYTES } from "../sdp/sdp.ts";
import { failure, type WhipAnswer } from "./whip-answer.ts";
import type { WhipRequest } from "./whip-request.ts";
import type { WhipRoutes } from "./whip-routes.ts";

export type WhipServerOptions = {
	/** `host:port` or `:port`. */
	readonly address: string;
	/** In PEM; `null`: HTTP. */
	readonly certificate: { readonly key: string; readonly cert: string } | null;
	readonly routes: WhipRoutes;
	/** What `Access-Control-Allow-Origin` says to an origin (empty: none was sent); `null`: nothing. */
	readonly allowedOrigin: (origin: string) => string | null;
	/** The client's address, by that of the connection and `X-Forwarded-For`. */
	readonly clientAddress: (peer: string, forwardedFor: string) => string;
	/** How long a request may take to come in. */
	readonly readTimeoutMs: number;
	readonly clock: Clock;
};

/** A connection that asks nothing is closed after this. */
const IDLE_MS = 30_000;
/** Answers that are under way when the server stops may take this long. */
const STOP_MS = 2_000;
/** How late a request that takes too long may be noticed. */
const CHECK_MS = 1_000;
const MAX_CONNECTIONS = 4_096;

const DESCRIPTION = { maxBytes: MAX_SDP_BYTES, name: "description" };

const PREFLIGHT = {
	"access-control-allow-methods": "OPTIONS, GET, HEAD, POST, PATCH, DELETE",
	"access-control-allow-headers": "Authorization, Content-Type, If-Match, Link",
	"access-control-max-age": "7200",
};
/** Headers that the Fetch standard does not show to pages of other origins by itself. */
const EXPOSED = "Accept-Patch, ETag, ID, Link, Location, Retry-After, WWW-Authenticate";

export class WhipServer implements AsyncDisposable {
	readonly #server: http.Server | https.Server;
	readonly #options: WhipServerOptions;
	#closing: Promise<void> | null = null;

	private constructor(server: http.Server | https.Server, options: WhipServerOptions) {
		this.#server = server;
		this.#options = options;
	}

	/** @throws InputError `listen.in_use`, `config.invalid` when the certificate cannot be used */
	static async open(options: WhipServerOptions): Promise<WhipServer> {
		const server = createServer(options);
		server.maxConnections = MAX_CONNECTIONS;
		const opened = new WhipServer(server, options);
		server.on("request", (request, response) => opened.#begin(request, response));
		await listen(server, options.address);
		return opened;
	}

	get port(): number {
		const address = this.#server.address();
		return typeof address === "object" && address !== null ? address.port : 0;
	}

	/** Uses another certificate for connections to come. @throws InputError `config.invalid` */
	replaceCertificate(certificate: { readonly key: string; readonly cert: string }): void {
		const server = this.#server;
		if ("setSecureContext" in server) checked(() => server.setSecureContext(certificate));
	}

	/** Stops listening, lets answers that are under way go out, and waits for all. Sessions live on. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		using _lastResort = this.#options.clock.after(STOP_MS, () => this.#server.closeAllConnections());
		await new Promise<void>((resolve) => {
			this.#server.close(() => resolve());
			this.#server.closeIdleConnections();
		});
	}

	#begin(request: IncomingMessage, response: ServerResponse): void {
		const { routes, allowedOrigin } = this.#options;
		const origin = allowedOrigin(request.headers.origin ?? "");
		if (origin !== null) {
			response.setHeader("access-control-allow-origin", origin);
			response.setHeader("access-control-expose-headers", EXPOSED);
		}
		if (origin !== null && origin !== "*") response.setHeader("vary", "origin");
		// RFC 9725 §4.6: a preflight is told nothing of ICE servers.
		if (request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined) {
			response.writeHead(204, { ...PREFLIGHT, "accept-post": "application/sdp" }).end();
			return;
		}
		const abort = new AbortController();
		response.once("close", () => abort.abort());
		routes.handle(this.#requestOf(request, abort.signal)).then(
			(answer) => this.#answer(request, response, answer),
			(error: unknown) => this.#answer(request, response, failure(error)),
		);
	}

	#answer(request: IncomingMessage, response: ServerResponse, { status, headers, body }: WhipAnswer): void {
		if (response.destroyed) return;
		for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
		if (status !== 204) response.setHeader("content-length", Buffer.byteLength(body));
		// Rather than read what nobody asked for, or begin anew while the server stops.
		if (this.#closing !== null || !request.complete) response.setHeader("connection", "close");
		response.writeHead(status).end(request.method === "HEAD" ? undefined : body);
	}

	#requestOf(request: IncomingMessage, signal: AbortSignal): WhipRequest {
		const { url = "/", method = "GET", headers, socket } = request;
		const mark = url.indexOf("?");
		const forwardedFor = [headers["x-forwarded-for"] ?? []].flat().join(",");
		return {
			method,
			path: mark === -1 ? url : url.slice(0, mark),
			query: mark === -1 ? "" : url.slice(mark + 1),
			authorization: headers.authorization ?? "",
			contentType: headers["content-type"] ?? "",
			ifMatch: headers["if-match"] ?? "",
			userAgent: headers["user-agent"] ?? "",
			ip: this.#options.clientAddress(socket.remoteAddress ?? "", forwardedFor),
			signal,
			body: () => readBody(request, DESCRIPTION),
		};
	}
}

function createServer({ certificate, readTimeoutMs }: WhipServerOptions): http.Server | https.Server {
	const timeouts: https.ServerOptions = {
		requestTimeout: readTimeoutMs,
		headersTimeout: readTimeoutMs,
		keepAliveTimeout: IDLE_MS,
		connectionsCheckingInterval: CHECK_MS,
	};
	if (certificate === null) return http.createServer(timeouts);
	return checked(() => https.createServer({ ...timeouts, ...certificate, handshakeTimeout: readTimeoutMs }));
}

function checked<T>(use: () => T): T {
	try {
		return use();
	} catch (cause) {
		const message = "webrtcServerKey and webrtcServerCert are no key and its certificate";
		throw new InputError("config.invalid", message, { cause });
	}
}

async function listen(server: http.Server | https.Server, address: string): Promise<void> {
	const { host, port } = addressOf(address);
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) => reject(listenError(cause, port)));
		server.listen({ port, ...(host === "" ? {} : { host }) }, resolve);
	});
	server.removeAllListeners("error");
	// Of single connections, which end by themselves.
	server.on("error", () => undefined);
}

function listenError(cause: Error, port: number): InputError {
	if ("code" in cause && cause.code === "EADDRINUSE") {
		return new InputError(
			"listen.in_use",
			`Port ${port} (webrtcAddress) is in use. Stop what uses it, or set webrtcAddress to another port`,
			{ data: { port, key: "webrtcAddress", transport: "tcp" }, cause },
		);
	}
	return new InputError("config.invalid", `webrtcAddress: cannot listen: ${cause.message}`, { cause });
}

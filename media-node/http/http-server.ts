/** An HTTP server of the node: what the control API, the metrics, WHIP and WHEP have in common. */

import { chmod, lstat, unlink } from "node:fs/promises";
import http from "node:http";
import type https from "node:https";
import type { Clock } from "#shared/clock.ts";
import { addressOf } from "#shared/config/address.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { Settings } from "#shared/config/settings.ts";
import { InputError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { type HttpExchangeOptions, HttpExchanges } from "./http-exchange.ts";
import { type Certificate, createHttpsServer, readCertificate, type TlsFiles, watchCertificate } from "./tls-files.ts";

export type HttpServerSettings = {
	/** How the settings begin, such as `api`: for messages. */
	readonly prefix: string;
	/** `host:port`, `:port` or `unix://PATH`. */
	readonly address: string;
	/** HTTPS with these files; `null`: HTTP. */
	readonly certificate: TlsFiles | null;
	/** Origins that browsers may call from, with wildcards. */
	readonly allowOrigins: readonly string[];
	/** Addresses and networks whose `X-Forwarded-For` is believed. */
	readonly trustedProxies: readonly string[];
	/** How long a request may take to come in, and an answer to go out. */
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
};

export type HttpServerOptions = HttpServerSettings &
	HttpExchangeOptions & { readonly maxConnections?: number; readonly clock: Clock; readonly log: Logger };

/** A connection that asks nothing is closed after this. */
const IDLE_MS = 30_000;
/** Answers that are under way when the server stops may take this long. */
const STOP_MS = 2_000;
/** How late a request that takes too long may be noticed. */
const CHECK_MS = 1_000;
const MAX_CONNECTIONS = 1_024;
const UNIX = "unix://";

/** What the settings say of one of the servers that have the same keys. */
export function httpServerSettings(settings: Settings, prefix: "api" | "metrics" | "webrtc"): HttpServerSettings {
	const { readTimeout, writeTimeout } = settings;
	return {
		prefix,
		address: settings[`${prefix}Address`],
		certificate: settings[`${prefix}Encryption`]
			? { keyFile: settings[`${prefix}ServerKey`], certFile: settings[`${prefix}ServerCert`] }
			: null,
		allowOrigins: settings[`${prefix}AllowOrigins`],
		trustedProxies: settings[`${prefix}TrustedProxies`],
		readTimeoutMs: durationMs(readTimeout),
		writeTimeoutMs: durationMs(writeTimeout),
	};
}

export class HttpServer implements AsyncDisposable {
	readonly #server: http.Server;
	readonly #exchanges: HttpExchanges;
	readonly #clock: Clock;
	readonly #parts: DisposableStack;
	#closing: Promise<void> | null = null;

	private constructor(server: http.Server, exchanges: HttpExchanges, clock: Clock, parts: DisposableStack) {
		this.#server = server;
		this.#exchanges = exchanges;
		this.#clock = clock;
		this.#parts = parts;
	}

	/** @throws InputError `listen.in_use`; `config.invalid` when key or certificate cannot be used */
	static async open(options: HttpServerOptions): Promise<HttpServer> {
		using parts = new DisposableStack();
		const { prefix, address, clock, log } = options;
		const server = await createServer(options, parts);
		server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
		server.setTimeout(options.readTimeoutMs + options.writeTimeoutMs);
		const exchanges = new HttpExchanges(options);
		server.on("request", (request, response) => exchanges.begin(request, response));
		await listen(server, address, `${prefix}Address`);
		server.on("error", (error) => log.error({ err: error }, `The socket of ${prefix}Address reports an error`));
		return new HttpServer(server, exchanges, clock, parts.move());
	}

	/** `null` for a Unix socket. */
	get port(): number | null {
		const address = this.#server.address();
		return typeof address === "object" && address !== null ? address.port : null;
	}

	/** Stops listening, lets answers that are under way go out, and waits for all. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		this.#parts.dispose();
		this.#exchanges.closing = true;
		using _lastResort = this.#clock.after(STOP_MS, () => this.#server.closeAllConnections());
		await new Promise<void>((resolve) => {
			this.#server.close(() => resolve());
			this.#server.closeIdleConnections();
		});
	}
}

async function createServer(options: HttpServerOptions, parts: DisposableStack): Promise<http.Server> {
	const { certificate: files, prefix, readTimeoutMs, clock, log } = options;
	const timeouts: https.ServerOptions = {
		requestTimeout: readTimeoutMs,
		headersTimeout: readTimeoutMs,
		keepAliveTimeout: IDLE_MS,
		connectionsCheckingInterval: CHECK_MS,
	};
	if (files === null) return http.createServer(timeouts);
	const certificate = await readCertificate(files, prefix);
	const server = createHttpsServer(certificate, files, prefix, { ...timeouts, handshakeTimeout: readTimeoutMs });
	const replace = (next: Certificate) => server.setSecureContext(next);
	parts.use(watchCertificate({ files, prefix, certificate, replace, clock, log }));
	return server;
}

async function listen(server: http.Server, address: string, key: string): Promise<void> {
	const path = address.startsWith(UNIX) ? address.slice(UNIX.length) : null;
	if (path !== null) await removeSocket(path);
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) => reject(listenError(cause, address, key)));
		if (path !== null) server.listen({ path }, resolve);
		else {
			const { host, port } = addressOf(address);
			server.listen({ port, ...(host === "" ? {} : { host }) }, resolve);
		}
	});
	server.removeAllListeners("error");
	if (path !== null) await chmod(path, 0o755);
}

/** What a process that was killed has left; anything but a socket stays. */
async function removeSocket(path: string): Promise<void> {
	const found = await lstat(path).catch(() => null);
	if (found?.isSocket()) await unlink(path);
}

function listenError(cause: Error, address: string, key: string): Error {
	if (!("code" in cause)) return cause;
	if (cause.code !== "EADDRINUSE") {
		return new InputError("config.invalid", `${key}: cannot listen at ${address}: ${cause.message}`, { cause });
	}
	if (address.startsWith(UNIX)) {
		return new InputError("config.invalid", `${key}: ${address} is there already, and is no socket`, { cause });
	}
	const { port } = addressOf(address);
	return new InputError(
		"listen.in_use",
		`Port ${port} (${key}) is in use. Stop what uses it, or set ${key} to another port`,
		{ data: { port, key, transport: "tcp" }, cause },
	);
}

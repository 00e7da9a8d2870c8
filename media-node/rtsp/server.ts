/** The RTSP server: its sockets, and the connections that come to them. */

import { readFile } from "node:fs/promises";
import net from "node:net";
import tls from "node:tls";
import type { Clock } from "#shared/clock.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import type { Authenticator } from "../access/access.ts";
import type { Logger } from "../log.ts";
import type { StreamTable } from "../stream/publication.ts";
import type { TransportKind } from "./agree.ts";
import type { AuthMethodName } from "./credentials.ts";
import { FrontDoor } from "./front-door.ts";
import { MulticastGroups } from "./multicast.ts";
import { RtspSession } from "./session.ts";
import type { SessionSnapshot } from "./session-state.ts";
import { UdpSockets } from "./udp.ts";
import type { Wire } from "./wire.ts";

type Address = { readonly host: string; readonly port: number };

/** One of the two listeners: RTSP, or RTSPS with SRTP beside it. */
export type ListenerSettings = {
	readonly address: Address;
	readonly rtpAddress: Address;
	readonly rtcpAddress: Address;
	readonly multicast: { readonly range: string; readonly rtpPort: number; readonly rtcpPort: number };
};

export type RtspServerSettings = {
	/** `null`: encryption is strict. */
	readonly plain: ListenerSettings | null;
	/** `null`: there is no encryption. */
	readonly secure: (ListenerSettings & { readonly keyFile: string; readonly certFile: string }) | null;
	readonly transports: readonly TransportKind[];
	readonly authMethods: readonly AuthMethodName[];
	/** Of UDP sockets; 0: ours. */
	readonly readBufferBytes: number;
	readonly trustedProxies: readonly string[];
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
	/** What may wait for a reader. */
	readonly readerBudgetBytes: number;
};

export type RtspServerOptions = RtspServerSettings & {
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	readonly clock: Clock;
	readonly log: Logger;
	/** A client connected; what this gives is disposed when it disconnects. */
	readonly onConnection?: (connection: { readonly type: string; readonly id: string }) => AsyncDisposable;
};

/** More connections at the same time are refused. */
export const MAX_CONNECTIONS = 20_000;
const TICK_MS = 1_000;
/** How often the files of the certificate are looked at. */
const CERTIFICATE_INTERVAL_MS = 10_000;

/** The sockets of one listener. */
type Listener = {
	readonly server: net.Server;
	readonly udp: UdpSockets | null;
	readonly multicast: MulticastGroups | null;
	readonly isSecure: boolean;
};

export class RtspServer implements AsyncDisposable {
	readonly #options: RtspServerOptions;
	readonly #parts: AsyncDisposableStack;
	readonly #plain: Listener | null;
	readonly #secure: Listener | null;
	readonly #sessions = new Set<RtspSession>();
	#closing: Promise<void> | null = null;
	/** Connections since the start. */
	accepted = 0;

	private constructor(
		options: RtspServerOptions,
		listeners: { readonly plain: Listener | null; readonly secure: Listener | null },
		parts: AsyncDisposableStack,
	) {
		this.#options = options;
		this.#plain = listeners.plain;
		this.#secure = listeners.secure;
		this.#parts = parts;
		for (const listener of [listeners.plain, listeners.secure]) if (listener !== null) this.#serve(listener);
		parts.use(
			options.clock.every(TICK_MS, () => {
				for (const session of this.#sessions) session.tick();
			}),
		);
	}

	/** @throws InputError `listen.in_use`; `config.invalid` when key or certificate cannot be used */
	static async open(options: RtspServerOptions): Promise<RtspServer> {
		await using parts = new AsyncDisposableStack();
		const plain =
			options.plain === null
				? null
				: await openListener(options, options.plain, net.createServer({ noDelay: true, keepAlive: true }), parts);
		const secure = options.secure === null ? null : await openSecure(options, options.secure, parts);
		return new RtspServer(options, { plain, secure }, parts.move());
	}

	/** Of RTSP; that of RTSPS when there is no other. */
	get port(): number {
		const listener = this.#plain ?? this.#secure;
		if (listener === null) throw new TypeError("An RTSP server has a listener at least");
		return (listener.server.address() as net.AddressInfo).port;
	}

	/** Of RTSPS; `null` without encryption. */
	get securePort(): number | null {
		return this.#secure === null ? null : (this.#secure.server.address() as net.AddressInfo).port;
	}

	/** Every connection, as the API and the metrics show it. */
	sessions(): SessionSnapshot[] {
		return [...this.#sessions].map((session) => session.snapshot);
	}

	/** Ends a session. Says whether there was one. */
	kick(id: string): boolean {
		const session = [...this.#sessions].find((other) => other.id === id);
		session?.close(new GoneError("session.closed", "The session was ended by the administrator"));
		return session !== undefined;
	}

	/** Who may do what has changed: every session asks again. */
	reauthorize(): void {
		for (const session of this.#sessions) void session.reauthorize();
	}

	/** Stops listening, ends every session, and waits until all sockets are closed. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		const servers = [this.#plain, this.#secure].flatMap((listener) => (listener === null ? [] : [listener.server]));
		const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
		const sessions = [...this.#sessions];
		for (const session of sessions) session.close(new GoneError("session.closed", "The media node is stopping"));
		await Promise.all(sessions.map((session) => session.settled()));
		await this.#parts.disposeAsync();
		await Promise.all(closed);
	}

	#serve(listener: Listener): void {
		const { clock, log, trustedProxies } = this.#options;
		const { server, isSecure } = listener;
		const door = this.#parts.use(
			new FrontDoor({ trustedProxies, clock, log, onWire: (wire) => this.#accept(wire, listener) }),
		);
		server.on(isSecure ? "secureConnection" : "connection", (socket: net.Socket) => door.accept(socket));
		server.on("error", (error) => log.error({ err: error }, "The RTSP server's socket reports an error"));
		// Strangers who do not speak TLS.
		server.on("tlsClientError", (error) => log.debug({ err: error }, "A TLS handshake failed"));
	}

	#accept(wire: Wire, { udp, multicast, isSecure }: Listener): void {
		const { log, onConnection } = this.#options;
		this.accepted++;
		const session = new RtspSession(wire, { ...this.#options, udp, multicast, isSecure, tunnel: wire.tunnel });
		const connection = onConnection?.({ type: isSecure ? "rtspsConn" : "rtspConn", id: session.id });
		this.#sessions.add(session);
		wire.attach({
			onData: (bytes) => session.receive(bytes),
			onEnd: () => session.close(),
			onClose: () => {
				session.close();
				this.#sessions.delete(session);
				if (connection === undefined) return;
				Promise.resolve(connection[Symbol.asyncDispose]()).catch((error: unknown) => {
					log.error({ err: error }, "The command of a connection could not be stopped");
				});
			},
		});
	}
}

async function openListener(
	{ transports, readBufferBytes, log }: RtspServerOptions,
	{ address, rtpAddress, rtcpAddress, multicast }: ListenerSettings,
	server: net.Server,
	parts: AsyncDisposableStack,
	secure = false,
): Promise<Listener> {
	const keys = secure ? SECURE_KEYS : PLAIN_KEYS;
	server.maxConnections = MAX_CONNECTIONS;
	// What fails later closes it; a server that was closed in order does not mind.
	parts.defer(() => void server.close());
	await listen(server, address, keys.address);
	const udp = transports.includes("udp")
		? parts.use(await UdpSockets.open({ rtp: rtpAddress, rtcp: rtcpAddress, keys, readBufferBytes, log }))
		: null;
	const groups = transports.includes("multicast")
		? parts.use(await MulticastGroups.open({ ...multicast, secure }, log))
		: null;
	return { server, udp, multicast: groups, isSecure: secure };
}

/** Which settings have the ports, for messages. */
const PLAIN_KEYS = { address: "rtspAddress", rtp: "rtpAddress", rtcp: "rtcpAddress" } as const;
const SECURE_KEYS = { address: "rtspsAddress", rtp: "srtpAddress", rtcp: "srtcpAddress" } as const;

/** Opens the RTSPS listener, and follows the files of its certificate. */
async function openSecure(
	options: RtspServerOptions,
	settings: NonNullable<RtspServerSettings["secure"]>,
	parts: AsyncDisposableStack,
): Promise<Listener> {
	const { clock, log } = options;
	let current = await readCertificate(settings);
	const server = createTlsServer(current, settings);
	const listener = await openListener(options, settings, server, parts, true);
	parts.use(
		clock.every(CERTIFICATE_INTERVAL_MS, () => {
			readCertificate(settings).then(
				(next) => {
					if (next.key === current.key && next.cert === current.cert) return;
					server.setSecureContext(next);
					current = next;
					log.info("The certificate of RTSPS was replaced");
				},
				(error: unknown) => log.error({ err: error }, "The certificate of RTSPS cannot be read: the old one stays"),
			);
		}),
	);
	return listener;
}

type Certificate = { readonly key: string; readonly cert: string };

async function readCertificate({ keyFile, certFile }: { keyFile: string; certFile: string }): Promise<Certificate> {
	const read = (file: string, key: string) =>
		readFile(file, "utf8").catch((cause: unknown) => {
			const why = cause instanceof Error ? cause.message : String(cause);
			throw new InputError("config.invalid", `The file ${file} (${key}) cannot be read: ${why}`, { cause });
		});
	return { key: await read(keyFile, "rtspServerKey"), cert: await read(certFile, "rtspServerCert") };
}

function createTlsServer(certificate: Certificate, { keyFile, certFile }: { keyFile: string; certFile: string }) {
	try {
		return tls.createServer({ ...certificate, noDelay: true, keepAlive: true });
	} catch (cause) {
		const why = cause instanceof Error ? cause.message : String(cause);
		const message = `${keyFile} (rtspServerKey) and ${certFile} (rtspServerCert) are no key and its certificate: ${why}`;
		throw new InputError("config.invalid", message, { cause });
	}
}

async function listen(server: net.Server, { host, port }: Address, key: string): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) => reject(listenError(cause, port, key)));
		server.listen({ port, backlog: 1024, ...(host === "" ? {} : { host }) }, resolve);
	});
	server.removeAllListeners("error");
}

function listenError(cause: Error, port: number, key: string): Error {
	if (!("code" in cause) || cause.code !== "EADDRINUSE") return cause;
	return new InputError(
		"listen.in_use",
		`Port ${port} (${key}) is in use. Stop what uses it, or set ${key} to another port`,
		{
			data: { port, key, transport: "tcp" },
			cause,
		},
	);
}

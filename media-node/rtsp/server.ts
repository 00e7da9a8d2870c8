/** The RTSP server: the TCP socket and its connections. */

import net from "node:net";
import type { Clock } from "#shared/clock.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import type { Authenticator } from "../access/access.ts";
import type { Logger } from "../log.ts";
import type { StreamTable } from "../stream/publication.ts";
import type { Peer } from "./peer.ts";
import { RtspSession, type SessionSnapshot } from "./session.ts";
import { UdpSockets, unmapped } from "./udp.ts";

type Address = { readonly host: string; readonly port: number };

export type RtspServerOptions = {
	readonly address: Address;
	readonly rtpAddress: Address;
	readonly rtcpAddress: Address;
	readonly transports: readonly ("tcp" | "udp")[];
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	readonly clock: Clock;
	readonly log: Logger;
};

/** More connections at the same time are refused. */
export const MAX_CONNECTIONS = 20_000;
const TICK_MS = 1_000;
/** How long a connection that was ended may take to send what is left. */
const LINGER_MS = 2_000;

export class RtspServer implements AsyncDisposable {
	readonly #server: net.Server;
	readonly #udp: UdpSockets | null;
	readonly #sessions = new Map<net.Socket, RtspSession>();
	readonly #options: RtspServerOptions;
	readonly #ticking: Disposable;
	#closing: Promise<void> | null = null;
	/** Connections since the start. */
	accepted = 0;

	private constructor(options: RtspServerOptions, server: net.Server, udp: UdpSockets | null) {
		this.#options = options;
		this.#server = server;
		this.#udp = udp;
		server.maxConnections = MAX_CONNECTIONS;
		server.on("connection", (socket) => this.#accept(socket));
		server.on("error", (error) => options.log.error({ err: error }, "The RTSP server's socket reports an error"));
		this.#ticking = options.clock.every(TICK_MS, () => {
			for (const session of this.#sessions.values()) session.tick();
		});
	}

	/** @throws InputError `listen.in_use` */
	static async open(options: RtspServerOptions): Promise<RtspServer> {
		const { address, rtpAddress, rtcpAddress, transports, log } = options;
		const server = net.createServer({ noDelay: true, keepAlive: true });
		await listen(server, address);
		try {
			const udp = transports.includes("udp")
				? await UdpSockets.open({ rtp: rtpAddress, rtcp: rtcpAddress, log })
				: null;
			return new RtspServer(options, server, udp);
		} catch (error) {
			await new Promise((resolve) => server.close(resolve));
			throw error;
		}
	}

	get port(): number {
		return (this.#server.address() as net.AddressInfo).port;
	}

	/** Every connection, as the API and the metrics show it. */
	sessions(): SessionSnapshot[] {
		return [...this.#sessions.values()].map((session) => session.snapshot);
	}

	/** Stops listening, ends every session, and waits until all sockets are closed. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		this.#ticking[Symbol.dispose]();
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		const sessions = [...this.#sessions.values()];
		for (const session of sessions) session.close(new GoneError("session.closed", "The media node is stopping"));
		await Promise.all(sessions.map((session) => session.settled()));
		await closed;
		await this.#udp?.[Symbol.asyncDispose]();
	}

	#accept(socket: net.Socket): void {
		const { clock, log } = this.#options;
		this.accepted++;
		// A connection that was reset while it waited to be accepted has no address any more.
		const peer = new SocketPeer(socket, unmapped(socket.remoteAddress ?? ""), socket.remotePort ?? 0, clock);
		const session = new RtspSession(peer, { ...this.#options, udp: this.#udp });
		this.#sessions.set(socket, session);
		socket.on("data", (chunk) => session.receive(chunk));
		socket.on("end", () => session.close());
		// Resets are ordinary; "close" follows.
		socket.on("error", (error) => log.debug({ err: error, remote: peer.address }, "A connection failed"));
		socket.on("close", () => {
			session.close();
			peer.closed();
			this.#sessions.delete(socket);
		});
	}
}

class SocketPeer implements Peer {
	readonly address: string;
	readonly port: number;
	readonly #socket: net.Socket;
	readonly #clock: Clock;
	#lingering: Disposable | null = null;

	constructor(socket: net.Socket, address: string, port: number, clock: Clock) {
		this.#socket = socket;
		this.address = address;
		this.port = port;
		this.#clock = clock;
	}

	get pendingBytes(): number {
		return this.#socket.writableLength;
	}

	get sentBytes(): number {
		return this.#socket.bytesWritten - this.#socket.writableLength;
	}

	send(bytes: Uint8Array): void {
		if (this.#socket.writable) this.#socket.write(bytes);
	}

	close(force = false): void {
		if (force || this.#socket.destroyed) {
			this.#socket.destroy();
			return;
		}
		this.#socket.end();
		this.#lingering ??= this.#clock.after(LINGER_MS, () => this.#socket.destroy());
	}

	/** The socket is gone. */
	closed(): void {
		this.#lingering?.[Symbol.dispose]();
	}
}

async function listen(server: net.Server, { host, port }: Address): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) => reject(listenError(cause, port)));
		server.listen({ port, backlog: 1024, ...(host === "" ? {} : { host }) }, resolve);
	});
	server.removeAllListeners("error");
}

function listenError(cause: Error, port: number): Error {
	if (!("code" in cause) || cause.code !== "EADDRINUSE") return cause;
	return new InputError(
		"listen.in_use",
		`Port ${port} (rtspAddress) is in use. Stop what uses it, or set rtspAddress to another port`,
		{
			data: { port, key: "rtspAddress", transport: "tcp" },
			cause,
		},
	);
}

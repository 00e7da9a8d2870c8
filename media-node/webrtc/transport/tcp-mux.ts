/** ICE over TCP, the passive side: each connection is a route of its own. RFC 6544, RFC 4571. */

import net from "node:net";
import type { Clock } from "#shared/clock.ts";
import { InputError } from "#shared/problem.ts";
import { putU16, u16 } from "../../bytes/big-endian.ts";
import { FrameBuffer } from "../../bytes/frame-buffer.ts";
import type { Logger } from "../../log.ts";
import { packetKind } from "./demultiplex.ts";
import { MAX_SENT_BYTES, type Route } from "./route.ts";
import type { SessionTable } from "./session-table.ts";

export type TcpMuxOptions = {
	/** Empty: every address of both families. */
	readonly host: string;
	/** 0: any that is free. */
	readonly port: number;
	/** Which setting has the address, for messages. */
	readonly key: string;
	readonly sessions: SessionTable;
	readonly clock: Clock;
	readonly log: Logger;
};

const LENGTH_BYTES = 2;
/** The longest frame, and one read behind it. */
const MAX_WAITING_BYTES = LENGTH_BYTES + 65_535 + 65_536;
/** How many connections there may be, also of those that say nothing. */
const MAX_CONNECTIONS = 4096;
/** How long a connection may belong to no session. */
const STRANGER_MS = 10_000;
/** What may wait for a slow peer; more is lost, as on UDP. */
const MAX_QUEUED_BYTES = 512 * 1024;

export class TcpMux implements AsyncDisposable {
	readonly port: number;
	readonly isV6: boolean;
	readonly #server: net.Server;
	readonly #options: TcpMuxOptions;
	readonly #sockets = new Set<net.Socket>();
	#closed = false;

	private constructor(server: net.Server, options: TcpMuxOptions) {
		const bound = server.address();
		this.port = bound === null || typeof bound === "string" ? 0 : bound.port;
		this.isV6 = bound !== null && typeof bound !== "string" && bound.family === "IPv6";
		this.#server = server;
		this.#options = options;
		server.maxConnections = MAX_CONNECTIONS;
		server.on("connection", (socket) => this.#accept(socket));
		server.on("error", (error) =>
			options.log.warn({ err: error, key: options.key }, "The WebRTC server reports an error"),
		);
	}

	/** @throws InputError `listen.in_use` */
	static open(options: TcpMuxOptions): Promise<TcpMux> {
		const { host, port, key } = options;
		const server = net.createServer({ noDelay: true });
		return new Promise((resolve, reject) => {
			server.once("error", (cause) => {
				const isTaken = "code" in cause && cause.code === "EADDRINUSE";
				reject(isTaken ? inUse(port, key, cause) : cause);
			});
			server.listen({ port, ...(host === "" ? {} : { host }) }, () => {
				server.removeAllListeners("error");
				resolve(new TcpMux(server, options));
			});
		});
	}

	#accept(socket: net.Socket): void {
		const { sessions, clock } = this.#options;
		const route = routeOf(socket);
		const frames = new FrameBuffer(MAX_WAITING_BYTES);
		const timer = clock.after(STRANGER_MS, () => {
			if (sessions.routeOf(route.name) !== route) socket.destroy();
		});
		this.#sockets.add(socket);
		socket.on("data", (chunk) => {
			if (this.#closed) return;
			try {
				this.#read(frames, chunk, route);
			} catch (error) {
				this.#options.log.debug({ err: error }, "A WebRTC peer sent too much at once over TCP");
				socket.destroy();
			}
		});
		// An error is followed by the end of the connection, which is all that counts.
		socket.on("error", () => {});
		socket.on("close", () => {
			timer[Symbol.dispose]();
			this.#sockets.delete(socket);
			sessions.lose(route);
		});
	}

	#read(frames: FrameBuffer, chunk: Uint8Array, route: Route): void {
		const { sessions } = this.#options;
		frames.append(chunk);
		while (frames.length >= LENGTH_BYTES) {
			const length = LENGTH_BYTES + u16(frames.bytes, frames.offset);
			if (frames.length < length) return;
			const packet = frames.view(length).subarray(LENGTH_BYTES);
			frames.consume(length);
			if (packetKind(packet) === "stun") sessions.receiveStun(packet, route);
			else sessions.receive(packet, route.name);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		for (const socket of this.#sockets) socket.destroySoon();
		await ended;
	}
}

function routeOf(socket: net.Socket): Route {
	const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=.*\.)/, "");
	const port = socket.remotePort ?? 0;
	const scratch = new Uint8Array(MAX_SENT_BYTES);
	const send = (bytes: Uint8Array) => {
		if (!socket.writable || socket.writableLength > MAX_QUEUED_BYTES) return false;
		const frame = new Uint8Array(LENGTH_BYTES + bytes.length);
		putU16(frame, 0, bytes.length);
		frame.set(bytes, LENGTH_BYTES);
		socket.write(frame);
		return true;
	};
	return {
		transport: "tcp",
		remote: { address, port },
		name: `tcp ${address} ${port}`,
		outgoing: () => scratch,
		sendOutgoing: (length) => send(scratch.subarray(0, length)),
		send,
	};
}

function inUse(port: number, key: string, cause: Error): InputError {
	return new InputError(
		"listen.in_use",
		`TCP port ${port} (${key}) is in use. Stop what uses it, or set ${key} to another port`,
		{ data: { port, key, transport: "tcp" }, cause },
	);
}

/**
 * What a connection meets first: its first bytes tell RTSP from RTSP over HTTP and over WebSocket, all on one port, and
 * a trusted proxy may tell whom it speaks for. Whatever becomes of it is handed on as a {@link Wire}.
 */

import type net from "node:net";
import type tls from "node:tls";
import type { Clock } from "#shared/clock.ts";
import { ProtocolError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { Networks } from "../networks.ts";
import { httpHeadLength, MAX_HTTP_HEAD_BYTES, parseHttpHead } from "./http-head.ts";
import { HttpTunnels } from "./http-tunnels.ts";
import { beginsWithEither, GET_MARK, POST_MARK } from "./marks.ts";
import { isProxyHeader, parseProxyHeader } from "./proxy-protocol.ts";
import { type Origin, originOf, SocketWire } from "./socket-wire.ts";
import { refuse, WebSocketEntrance } from "./websocket-entrance.ts";
import { WebSocketWire } from "./websocket-wire.ts";
import type { Wire } from "./wire.ts";

/** How long a connection may take to show what it is; and again, how long the GET of a tunnel waits for its POST. */
export const FIRST_BYTES_MS = 10_000;

export type FrontDoorOptions = {
	/** Addresses and networks (CIDR) whose PROXY header is believed. */
	readonly trustedProxies: readonly string[];
	readonly clock: Clock;
	readonly log: Logger;
	/** Called once for each connection that got through, with the client's first bytes still to come: attach at once. */
	onWire(wire: Wire): void;
};

/** A connection that is no wire yet. */
type Newcomer = {
	readonly socket: net.Socket;
	origin: Origin;
	/** A PROXY header may come: at the start of a connection, once. */
	mayBeProxied: boolean;
	deadline: Disposable;
	/** What came and could not be told yet. */
	bytes: Buffer;
	readonly onData: (chunk: Buffer) => void;
	readonly onClose: () => void;
};

const NOTHING = Buffer.alloc(0);

export class FrontDoor implements AsyncDisposable {
	readonly #options: FrontDoorOptions;
	readonly #trusted: Networks;
	readonly #newcomers = new Map<net.Socket, Newcomer>();
	readonly #tunnels: HttpTunnels;
	readonly #webSockets: WebSocketEntrance;
	#closing: Promise<void> | null = null;
	/** One for all connections, which are many. */
	readonly #onError: (this: net.Socket, error: Error) => void;

	/** @throws InputError `config.invalid`: a trusted proxy is neither an address nor a network */
	constructor(options: FrontDoorOptions) {
		const { clock, log } = options;
		this.#options = options;
		this.#onError = function (error) {
			log.debug({ err: error, remote: this.remoteAddress }, "A connection failed");
		};
		this.#trusted = new Networks(options.trustedProxies);
		this.#tunnels = new HttpTunnels({
			clock,
			log,
			leave: (socket) => this.#leave(socket),
			again: (socket, origin) => this.#enter(socket, origin, false),
			onWire: (wire) => options.onWire(wire),
		});
		this.#webSockets = new WebSocketEntrance((webSocket, socket) => {
			const origin = this.#leave(socket)?.origin ?? originOf(socket);
			options.onWire(new WebSocketWire(webSocket, socket, origin, clock));
		});
	}

	/** Connections that are no wire yet. */
	get waiting(): number {
		return this.#newcomers.size;
	}

	/**
	 * Takes a connection that nobody has read from. `origin`: the client, when a PROXY header was read before TLS began;
	 * without it, one may come here.
	 */
	accept(socket: net.Socket | tls.TLSSocket, origin?: Origin): void {
		// Resets are ordinary; "close" follows.
		socket.on("error", this.#onError);
		this.#enter(socket, origin ?? originOf(socket), origin === undefined);
	}

	/** Destroys what is no wire yet, and waits until it is gone. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		const sockets = [...this.#newcomers.keys()];
		const closed = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
		for (const socket of sockets) socket.destroy();
		await Promise.all(closed);
	}

	#enter(socket: net.Socket, origin: Origin, mayBeProxied: boolean): void {
		if (this.#closing !== null || socket.destroyed) {
			socket.destroy();
			return;
		}
		const newcomer: Newcomer = {
			socket,
			origin,
			mayBeProxied,
			deadline: this.#deadline(socket, origin),
			bytes: NOTHING,
			onData: (chunk) => this.#read(newcomer, chunk),
			onClose: () => void this.#leave(socket),
		};
		this.#newcomers.set(socket, newcomer);
		socket.once("close", newcomer.onClose);
		socket.on("data", newcomer.onData);
		socket.resume();
	}

	/** The connection is a wire, or gone. */
	#leave(socket: net.Socket): Newcomer | undefined {
		const newcomer = this.#newcomers.get(socket);
		if (newcomer === undefined) return undefined;
		this.#newcomers.delete(socket);
		newcomer.deadline[Symbol.dispose]();
		socket.off("close", newcomer.onClose);
		socket.off("data", newcomer.onData);
		return newcomer;
	}

	#deadline(socket: net.Socket, { address, port }: Origin): Disposable {
		return this.#options.clock.after(FIRST_BYTES_MS, () => {
			this.#options.log.info(
				{ code: "rtsp.timeout", remote: `${address}:${port}` },
				`The connection ends: the client did not begin a session within ${FIRST_BYTES_MS / 1000} s`,
			);
			socket.destroy();
		});
	}

	#read(newcomer: Newcomer, chunk: Buffer): void {
		const bytes = newcomer.bytes.length === 0 ? chunk : Buffer.concat([newcomer.bytes, chunk]);
		newcomer.bytes = bytes;
		try {
			const rest = newcomer.mayBeProxied ? this.#peel(newcomer, bytes) : bytes;
			if (rest !== null) this.#recognise(newcomer, rest);
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			this.#options.log.warn(
				{ code: error.code, remote: `${newcomer.origin.address}:${newcomer.origin.port}` },
				`The connection ends: ${error.message}`,
			);
			newcomer.socket.destroy();
		}
	}

	/** What stands behind the PROXY header, if there is one; `null` when more must come. */
	#peel(newcomer: Newcomer, bytes: Buffer): Buffer | null {
		const answer = isProxyHeader(bytes);
		if (answer === "maybe") return null;
		if (answer === "yes") {
			const { address } = newcomer.origin;
			if (!this.#trusted.has(address)) {
				throw new ProtocolError(
					"bytes.malformed",
					`${address} sends a PROXY header and is not trusted. If it is a proxy of yours, add it to rtspTrustedProxies`,
				);
			}
			const header = parseProxyHeader(bytes);
			if (header === null) return null;
			if (header.source !== null) newcomer.origin = header.source;
			newcomer.bytes = bytes.subarray(header.bytes);
		}
		newcomer.mayBeProxied = false;
		return newcomer.bytes;
	}

	#recognise(newcomer: Newcomer, bytes: Buffer): void {
		if (bytes.length === 0) return;
		switch (beginsWithEither(bytes, GET_MARK, POST_MARK)) {
			case "maybe":
				return;
			case "no": {
				const { clock, onWire } = this.#options;
				this.#leave(newcomer.socket);
				giveBack(newcomer.socket, bytes);
				onWire(new SocketWire(newcomer.socket, newcomer.origin, clock));
				return;
			}
			default:
				this.#readHttp(newcomer, bytes);
		}
	}

	#readHttp(newcomer: Newcomer, bytes: Buffer): void {
		const { socket, origin } = newcomer;
		const length = httpHeadLength(bytes.subarray(0, MAX_HTTP_HEAD_BYTES));
		if (length === null && bytes.length < MAX_HTTP_HEAD_BYTES) return;
		socket.off("data", newcomer.onData);
		newcomer.bytes = NOTHING;
		const head = length === null ? null : parseHttpHead(bytes.subarray(0, length));
		if (length === null || head === null) {
			refuse(socket, {
				status: 400,
				sentence: `The head of the request is malformed, or has more than ${MAX_HTTP_HEAD_BYTES} bytes.`,
			});
			return;
		}
		if (!head.headers.has("x-sessioncookie")) {
			giveBack(socket, bytes);
			this.#webSockets.take(socket);
			return;
		}
		giveBack(socket, bytes.subarray(length));
		newcomer.deadline[Symbol.dispose]();
		newcomer.deadline = this.#deadline(socket, origin);
		const refusal = this.#tunnels.take({ socket, origin, head });
		if (refusal !== null) refuse(socket, refusal);
	}
}

/** Lets the socket stand still, with `bytes` to be read first. */
function giveBack(socket: net.Socket, bytes: Buffer): void {
	socket.pause();
	if (bytes.length > 0) socket.unshift(bytes);
}

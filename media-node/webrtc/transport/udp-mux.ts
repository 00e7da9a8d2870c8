/** The one UDP socket of all WebRTC sessions: found by user name in STUN, then by the address that proved itself so. */

import dgram from "node:dgram";
import { isIPv4 } from "node:net";
import { InputError } from "#shared/problem.ts";
import type { Logger } from "../../log.ts";
import { packetKind } from "./demultiplex.ts";
import { MAX_SENT_BYTES, type Route } from "./route.ts";
import type { SessionTable } from "./session-table.ts";
import type { SocketAddress } from "./stun-address.ts";

export type UdpMuxOptions = {
	/** Empty: every address of both families. */
	readonly host: string;
	/** 0: any that is free. */
	readonly port: number;
	/** Which setting has the address, for messages. */
	readonly key: string;
	/** 0: {@link BUFFER_BYTES}. */
	readonly readBufferBytes: number;
	readonly sessions: Pick<SessionTable, "routeOf" | "receiveStun" | "receive">;
	readonly log: Logger;
};

/** Bursts of key frames come faster than they are read, and are sent faster than the network takes them. */
const BUFFER_BYTES = 2 * 1024 * 1024;
/** What may wait inside the process for the network, in bytes; more is lost, as in any full queue. */
const MAX_QUEUED_BYTES = 1024 * 1024;

export class UdpMux implements AsyncDisposable {
	readonly port: number;
	readonly isV6: boolean;
	readonly #socket: dgram.Socket;
	#outgoing = Buffer.allocUnsafeSlow(MAX_SENT_BYTES);
	#closed = false;

	private constructor(socket: dgram.Socket, isV6: boolean, { sessions, log, key }: UdpMuxOptions) {
		this.#socket = socket;
		this.isV6 = isV6;
		this.port = socket.address().port;
		socket.on("message", (bytes, { address, port }) => {
			const name = `${address} ${port}`;
			if (packetKind(bytes) === "stun") {
				const route = sessions.routeOf(name) ?? this.#route(address, port);
				sessions.receiveStun(bytes, route);
			} else {
				sessions.receive(bytes, name);
			}
		});
		socket.on("error", (error) => log.warn({ err: error, key }, "The WebRTC socket reports an error"));
	}

	/** @throws InputError `listen.in_use` */
	static async open(options: UdpMuxOptions): Promise<UdpMux> {
		const isV6 = options.host === "" || options.host.includes(":");
		try {
			return await UdpMux.#bind(options, isV6);
		} catch (error) {
			// A machine without IPv6 cannot bind to every address of both families.
			if (options.host !== "" || !isCode(error, "EAFNOSUPPORT", "EADDRNOTAVAIL")) throw error;
			return UdpMux.#bind(options, false);
		}
	}

	static #bind(options: UdpMuxOptions, isV6: boolean): Promise<UdpMux> {
		const { host, port, key, readBufferBytes } = options;
		const socket = dgram.createSocket({
			type: isV6 ? "udp6" : "udp4",
			recvBufferSize: readBufferBytes === 0 ? BUFFER_BYTES : readBufferBytes,
			sendBufferSize: BUFFER_BYTES,
			// Addresses are given as numbers: nothing is to be looked up, least of all for each packet.
			lookup: (address, _options, callback) => callback(null, address, isV6 ? 6 : 4),
		});
		return new Promise((resolve, reject) => {
			socket.once("error", (cause) => {
				socket.close();
				reject(isCode(cause, "EADDRINUSE") ? inUse(port, key, cause) : cause);
			});
			socket.bind({ port, ...(host === "" ? {} : { address: host }) }, () => {
				socket.removeAllListeners("error");
				resolve(new UdpMux(socket, isV6, options));
			});
		});
	}

	/** The way to an IP address; `null` where this socket has none. */
	routeTo(address: string, port: number): Route | null {
		if (isIPv4(address)) return this.#route(this.isV6 ? `::ffff:${address}` : address, port);
		return this.isV6 ? this.#route(address, port) : null;
	}

	#route(wireAddress: string, port: number): Route {
		const name = `${wireAddress} ${port}`;
		const remote: SocketAddress = { address: unmapped(wireAddress), port };
		const target = this.isV6 && isIPv4(wireAddress) ? `::ffff:${wireAddress}` : wireAddress;
		return {
			transport: "udp",
			remote,
			name,
			outgoing: () => this.#outgoing,
			sendOutgoing: (length) => {
				const sent = this.#send(this.#outgoing, length, port, target);
				// What could not be sent at once is sent from where it stands, later.
				if (sent && this.#socket.getSendQueueCount() !== 0) this.#outgoing = Buffer.allocUnsafeSlow(MAX_SENT_BYTES);
				return sent;
			},
			send: (bytes) => this.#send(bytes, bytes.length, port, target),
		};
	}

	#send(bytes: Uint8Array, length: number, port: number, address: string): boolean {
		if (this.#closed || this.#socket.getSendQueueSize() > MAX_QUEUED_BYTES) return false;
		// Without a callback nothing is made to be called, and an error of one packet stays with that packet.
		this.#socket.send(bytes, 0, length, port, address);
		return true;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await new Promise<void>((resolve) => this.#socket.close(resolve));
	}
}

/** An IPv4 address that came through an IPv6 socket, in its own form. */
function unmapped(address: string): string {
	return address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}

function isCode(error: unknown, ...codes: string[]): boolean {
	return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function inUse(port: number, key: string, cause: Error): InputError {
	return new InputError(
		"listen.in_use",
		`UDP port ${port} (${key}) is in use. Stop what uses it, or set ${key} to another port`,
		{ data: { port, key, transport: "udp" }, cause },
	);
}

/** A plain RTSP connection: the bytes of a TCP or TLS socket as they are. */

import type net from "node:net";
import { unmapped } from "#shared/access/ip-range.ts";
import type { Clock } from "#shared/clock.ts";
import { LINGER_MS, type Tunnel, type Wire, type WireEvents } from "./wire.ts";

/** The address and port of a client. */
export type Origin = { readonly address: string; readonly port: number };

/** Whom a socket leads to. A connection that was reset while it waited to be accepted has no address any more. */
export function originOf(socket: net.Socket): Origin {
	return { address: unmapped(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
}

/** Errors of the socket are heard by whoever accepted it. */
export class SocketWire implements Wire {
	readonly address: string;
	readonly port: number;
	readonly tunnel: Tunnel = "none";
	readonly #socket: net.Socket;
	readonly #clock: Clock;
	#isLingering = false;

	constructor(socket: net.Socket, { address, port }: Origin, clock: Clock) {
		this.#socket = socket;
		this.address = address;
		this.port = port;
		this.#clock = clock;
	}

	/** Empty once the connection is gone. */
	get localAddress(): string {
		return unmapped(this.#socket.localAddress ?? "");
	}

	get pendingBytes(): number {
		return this.#socket.writableLength;
	}

	get sentBytes(): number {
		return this.#socket.bytesWritten - this.#socket.writableLength;
	}

	attach({ onData, onEnd, onClose }: WireEvents): void {
		const socket = this.#socket;
		socket.on("data", onData);
		socket.on("end", onEnd);
		socket.on("close", onClose);
		socket.resume();
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
		if (this.#isLingering) return;
		this.#isLingering = true;
		const lingering = this.#clock.after(LINGER_MS, () => this.#socket.destroy());
		this.#socket.once("close", () => lingering[Symbol.dispose]());
	}
}

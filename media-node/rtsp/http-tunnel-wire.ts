/**
 * RTSP tunnelled over HTTP (Apple's "Tunnelling QuickTime RTSP and RTP over HTTP", which ONVIF takes over): what we send
 * is the body of the response to a GET that stays open, what the client sends is the bodies of its POSTs, in base64.
 */

import type net from "node:net";
import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";
import { Base64Stream } from "./base64-stream.ts";
import { TunnelBody } from "./http-tunnel-body.ts";
import { type Origin, SocketWire } from "./socket-wire.ts";
import { LINGER_MS, type Tunnel, type Wire, type WireEvents } from "./wire.ts";

/** A POST whose head was read: `socket` stands still and gives the body once it is resumed. */
export type TunnelPost = {
	readonly socket: net.Socket;
	readonly declaredBytes: number | null;
	/** Takes the connection back, standing still, when another request begins behind the body. */
	readonly next: () => void;
};

/**
 * The socket of the GET is the wire; those of the POSTs come and go, and are destroyed with it. Errors of all of them
 * are heard by whoever accepted them.
 */
export class HttpTunnelWire implements Wire {
	readonly address: string;
	readonly port: number;
	readonly localAddress: string;
	readonly tunnel: Tunnel = "http";
	readonly #down: SocketWire;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #base64 = new Base64Stream();
	/** The POST whose body is read. `yield`: ends that if the body may be whole and another one waits. */
	#reading: { readonly socket: net.Socket; readonly yield: () => void } | null = null;
	#waiting: { readonly post: TunnelPost; readonly timer: Disposable } | null = null;
	#events: WireEvents | null = null;
	#closed = false;

	constructor(get: net.Socket, origin: Origin, clock: Clock, log: Logger) {
		this.#down = new SocketWire(get, origin, clock);
		({ address: this.address, port: this.port, localAddress: this.localAddress } = this.#down);
		this.#clock = clock;
		this.#log = log;
	}

	get pendingBytes(): number {
		return this.#down.pendingBytes;
	}

	get sentBytes(): number {
		return this.#down.sentBytes;
	}

	attach(events: WireEvents): void {
		this.#events = events;
		this.#down.attach({
			// The GET has no body.
			onData: () => {},
			onEnd: events.onEnd,
			onClose: () => {
				this.#closed = true;
				this.#waiting?.timer[Symbol.dispose]();
				this.#waiting?.post.socket.destroy();
				this.#reading?.socket.destroy();
				events.onClose();
			},
		});
	}

	send(bytes: Uint8Array): void {
		this.#down.send(bytes);
	}

	close(force = false): void {
		this.#closed = true;
		this.#down.close(force);
	}

	/**
	 * Takes the body of a POST. One may wait for the end of the one before, but not for long: a client opens another when
	 * it has given that one up. `false`: one waits already, or the wire is closed.
	 */
	receive(post: TunnelPost): boolean {
		if (this.#closed || this.#waiting !== null) return false;
		this.#waiting = { post, timer: this.#clock.after(LINGER_MS, () => this.#reading?.socket.destroy()) };
		if (this.#reading === null) this.#readWaiting();
		else this.#reading.yield();
		return true;
	}

	#read({ socket, declaredBytes, next }: TunnelPost): void {
		const body = new TunnelBody(declaredBytes);
		const stop = () => {
			socket.off("data", onData);
			socket.off("end", onEnd);
			socket.off("close", onEnd);
			this.#reading = null;
		};
		const giveBack = (bytes: Uint8Array | null) => {
			stop();
			socket.pause();
			if (bytes !== null) socket.unshift(bytes);
			if (this.#closed) socket.destroy();
			else next();
			this.#readWaiting();
		};
		const yieldToWaiting = () => {
			if (body.mayBeWhole && this.#waiting !== null) giveBack(null);
		};
		const onData = (chunk: Uint8Array) => {
			const piece = body.push(chunk);
			this.#decode(piece.text);
			if (piece.next !== null) giveBack(piece.next);
			else yieldToWaiting();
		};
		const onEnd = () => {
			stop();
			this.#readWaiting();
		};
		this.#reading = { socket, yield: yieldToWaiting };
		socket.on("data", onData);
		socket.on("end", onEnd);
		socket.on("close", onEnd);
		// A POST that failed while it waited tells nothing any more.
		if (socket.destroyed) onEnd();
		else socket.resume();
	}

	#readWaiting(): void {
		const waiting = this.#waiting;
		if (waiting === null || this.#closed) return;
		this.#waiting = null;
		waiting.timer[Symbol.dispose]();
		this.#read(waiting.post);
	}

	#decode(text: Uint8Array): void {
		if (this.#closed) return;
		let bytes: Uint8Array;
		try {
			bytes = this.#base64.push(text);
		} catch (error) {
			// Nothing that follows can be understood.
			this.#log.info({ err: error, remote: `${this.address}:${this.port}` }, "A tunnel over HTTP ends");
			this.close(true);
			return;
		}
		if (bytes.length > 0) this.#events?.onData(bytes);
	}
}

/** RTSP over WebSocket (ONVIF Streaming Specification §5.1.1.5): the messages carry RTSP bytes, cut anywhere. */

import type net from "node:net";
import type { RawData, WebSocket } from "ws";
import { unmapped } from "#shared/access/ip-range.ts";
import type { Clock } from "#shared/clock.ts";
import type { Origin } from "./socket-wire.ts";
import { LINGER_MS, type Tunnel, type Wire, type WireEvents } from "./wire.ts";

/** RFC 6455 §7.4.1: a normal closure. */
const NORMAL = 1000;
/** A client that sends pings and does not read would fill our memory with pongs. */
const MAX_PENDING_FOR_PONG_BYTES = 64 * 1024;

/**
 * `webSocket` must give its messages as Buffers and leave pings to us (`autoPong: false`). It runs over `socket`, whose
 * errors are heard by whoever accepted it.
 */
export class WebSocketWire implements Wire {
	readonly address: string;
	readonly port: number;
	readonly localAddress: string;
	readonly tunnel: Tunnel = "websocket";
	readonly #webSocket: WebSocket;
	readonly #socket: net.Socket;
	readonly #clock: Clock;
	#lingering: Disposable | null = null;

	constructor(webSocket: WebSocket, socket: net.Socket, { address, port }: Origin, clock: Clock) {
		this.#webSocket = webSocket;
		this.#socket = socket;
		this.address = address;
		this.port = port;
		this.localAddress = unmapped(socket.localAddress ?? "");
		this.#clock = clock;
		webSocket.on("ping", (data) => {
			if (this.pendingBytes < MAX_PENDING_FOR_PONG_BYTES) webSocket.pong(data);
		});
		// The client broke the WebSocket protocol: it was told by a close frame, and "close" follows.
		webSocket.on("error", () => this.#linger());
	}

	get pendingBytes(): number {
		return this.#webSocket.bufferedAmount;
	}

	get sentBytes(): number {
		return this.#socket.bytesWritten - this.#socket.writableLength;
	}

	attach({ onData, onEnd, onClose }: WireEvents): void {
		this.#webSocket.on("message", (data: RawData) => {
			if (data instanceof Uint8Array) onData(data);
		});
		this.#socket.on("end", onEnd);
		this.#webSocket.on("close", () => {
			this.#lingering?.[Symbol.dispose]();
			onClose();
		});
	}

	send(bytes: Uint8Array): void {
		if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.send(bytes, { binary: true });
	}

	close(force = false): void {
		if (force) {
			this.#webSocket.terminate();
			return;
		}
		this.#webSocket.close(NORMAL);
		this.#linger();
	}

	/** A client that does not answer our close frame is not waited for. */
	#linger(): void {
		if (this.#webSocket.readyState === this.#webSocket.CLOSED) return;
		this.#lingering ??= this.#clock.after(LINGER_MS, () => this.#webSocket.terminate());
	}
}

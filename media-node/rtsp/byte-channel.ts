import type { Socket } from "node:net";
import { unmapped } from "#shared/access/ip-range.ts";

/** What carries a client's conversation: a socket, or a tunnel of two. */
export interface ByteChannel {
	/** Of the server; without port; IPv4 in its own form. */
	readonly remoteAddress: string;
	readonly remotePort: number;
	/** Of this machine, as the server sees it if nothing lies between. */
	readonly localAddress: string;
	/** Bytes that were given to {@link send} and have not left yet. */
	readonly pendingBytes: number;
	/** Begins to hand on what comes. `onEnd` is called once, and not after {@link close}. */
	receive(onData: (bytes: Uint8Array) => void, onEnd: (cause: Error | null) => void): void;
	/** Sends in order; never waits and never throws. */
	send(bytes: Uint8Array): void;
	/** Ends it at once. Idempotent. */
	close(): void;
}

/** A socket that is connected, as it is. */
export function socketChannel(socket: Socket): ByteChannel {
	let isClosed = false;
	return {
		remoteAddress: unmapped(socket.remoteAddress ?? ""),
		remotePort: socket.remotePort ?? 0,
		localAddress: unmapped(socket.localAddress ?? ""),
		get pendingBytes() {
			return socket.writableLength;
		},
		receive(onData, onEnd) {
			let cause: Error | null = null;
			socket.on("error", (error) => {
				cause = error;
			});
			socket.on("data", (bytes) => {
				if (!isClosed) onData(bytes);
			});
			// What says no more will not answer either.
			socket.on("end", () => socket.destroy());
			const end = () => {
				if (!isClosed) onEnd(cause);
				isClosed = true;
			};
			socket.on("close", end);
			if (socket.closed) end();
			// It may have been stopped behind the head of a tunnel.
			socket.resume();
		},
		send(bytes) {
			if (socket.writable) socket.write(bytes);
		},
		close() {
			isClosed = true;
			socket.on("error", () => {});
			socket.destroy();
		},
	};
}

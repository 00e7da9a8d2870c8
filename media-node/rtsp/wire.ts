/** What carries one RTSP connection: a socket, a pair of HTTP requests or a WebSocket. `front-door.ts` makes them. */

import type { Peer } from "./peer.ts";

/** What came around the RTSP bytes. */
export type Tunnel = "none" | "http" | "websocket";

export type WireEvents = {
	/** Bytes of the client, in order, cut anywhere. They hold until this returns. */
	onData(bytes: Uint8Array): void;
	/** The client sends no more. Some wires go straight to {@link WireEvents.onClose}. */
	onEnd(): void;
	/** The wire is gone, for whatever reason. Called once, last. */
	onClose(): void;
};

/** `address` and `port` are the client's own, also where a trusted proxy stands between. */
export interface Wire extends Peer {
	/** The address of ours that the connection came to; IPv4 in its own form. Behind a proxy: the one that the proxy used. */
	readonly localAddress: string;
	readonly tunnel: Tunnel;
	/**
	 * Hands over what happens from now on; nothing is lost before. Call it once, in the turn that the wire was handed out.
	 * No event comes before it returns.
	 */
	attach(events: WireEvents): void;
}

/** How long a wire that was closed may take to send what is left. */
export const LINGER_MS = 2_000;

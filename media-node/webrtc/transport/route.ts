import type { SocketAddress } from "./stun-address.ts";

/** A way to one address of a peer, over a socket that many share or over a connection. */
export interface Route {
	readonly transport: "udp" | "tcp";
	readonly remote: SocketAddress;
	/** Tells routes apart. */
	readonly name: string;
	/** A buffer to write the next packet into, of at least {@link MAX_SENT_BYTES}. It belongs to the route again once sent. */
	outgoing(): Uint8Array;
	/** Sends the first `length` bytes of what {@link outgoing} gave. `false`: there is no room, the packet is lost. */
	sendOutgoing(length: number): boolean;
	/** Sends a packet that nobody changes any more. `false`: there is no room, the packet is lost. */
	send(bytes: Uint8Array): boolean;
}

/** The longest packet that is sent, with all that SRTP adds. */
export const MAX_SENT_BYTES = 2048;

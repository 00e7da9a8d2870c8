/** The other end of an RTSP connection, as its session sees it: `server.ts` makes it of a socket. */
export interface Peer {
	/** Without port; IPv4 in its own form. */
	readonly address: string;
	readonly port: number;
	/** Bytes that were given to {@link send} and have not left yet. */
	readonly pendingBytes: number;
	/** Bytes that have left, in all. */
	readonly sentBytes: number;
	/** Sends in order; never waits and never throws. */
	send(bytes: Uint8Array): void;
	/** Ends the connection, once what was sent has left or `force` is set. */
	close(force?: boolean): void;
}

/**
 * The connections that this process opened. One that leads back to it is told by them from another program on this machine:
 * an address such as 127.0.0.1 lets in who has the machine, not whom a source or a forward of somebody else's sends here.
 */

import type net from "node:net";
import { unmapped } from "#shared/access/ip-range.ts";

/** Their ends on this side, while they are open. */
const ours = new Set<string>();

/** Notes a connection that we open, before or after it is there. */
export function noteOwnConnection(socket: net.Socket): void {
	const note = () => {
		const end = endOf(socket.localAddress, socket.localPort);
		ours.add(end);
		socket.once("close", () => ours.delete(end));
	};
	if (socket.connecting) socket.once("connect", note);
	else if (!socket.destroyed) note();
}

/** Whether a client that we accepted, at `address` and `port`, is this process itself. */
export function isOwnConnection(address: string | undefined, port: number | undefined): boolean {
	return ours.size > 0 && ours.has(endOf(address, port));
}

function endOf(address = "", port = 0): string {
	return `${unmapped(address)} ${port}`;
}

/** The readers of the fan-out bench: sockets that throw away what they get, and count it. */

import net from "node:net";
import type { ReadersCommand, ReadersReply } from "./fanout.ts";

/** All sockets read into one buffer, so that readers cost little. */
const buffer = Buffer.allocUnsafe(256 * 1024);
const sockets: net.Socket[] = [];
let bytes = 0;

function connect(port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const callback = (count: number) => {
			bytes += count;
			return true;
		};
		const socket = net.connect({ port, host: "127.0.0.1", onread: { buffer, callback } }, resolve);
		socket.on("error", reject);
		sockets.push(socket);
	});
}

process.on("message", async (command: ReadersCommand) => {
	while (sockets.length > command.readers) sockets.pop()?.destroy();
	while (sockets.length < command.readers) await connect(command.port);
	process.send?.({ bytes } satisfies ReadersReply);
});
process.on("disconnect", () => process.exit());

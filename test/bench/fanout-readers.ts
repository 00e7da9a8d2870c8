/** The readers of the fan-out bench: sockets that throw away what they get, and count it. */

import net from "node:net";
import type { ReadersCommand, ReadersReply } from "./fanout.ts";

/** All sockets read into one buffer, so that readers cost little. */
const buffer = Buffer.allocUnsafe(256 * 1024);
const sockets: net.Socket[] = [];
let bytes = 0;
let connectedTo = 0;

/** All that it takes to read one track over TCP. */
const REQUESTS = ["SETUP rtsp://127.0.0.1/bench/trackID=0", "PLAY rtsp://127.0.0.1/bench/"]
	.map((line, i) => `${line} RTSP/1.0\r\nCSeq: ${i + 1}\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`)
	.join("");

function connect(port: number, isRtsp: boolean): Promise<void> {
	return new Promise((resolve, reject) => {
		const callback = (count: number) => {
			bytes += count;
			return true;
		};
		const socket = net.connect({ port, host: "127.0.0.1", onread: { buffer, callback } }, resolve);
		socket.on("error", reject);
		if (isRtsp) socket.write(REQUESTS);
		sockets.push(socket);
	});
}

process.on("message", async (command: ReadersCommand) => {
	if (command.port !== connectedTo) while (sockets.length > 0) sockets.pop()?.destroy();
	connectedTo = command.port;
	while (sockets.length > command.readers) sockets.pop()?.destroy();
	while (sockets.length < command.readers) await connect(command.port, command.isRtsp);
	process.send?.({ bytes } satisfies ReadersReply);
});
process.on("disconnect", () => process.exit());

/** The readers of the UDP bench: each has a socket of its own, and counts what comes. */

import dgram from "node:dgram";
import net from "node:net";
import type { UdpReadersCommand, UdpReadersReply } from "./udp.ts";

type Reader = { readonly udp: dgram.Socket; readonly rtsp: net.Socket | null };

let readers: Reader[] = [];
let current: UdpReadersCommand = { readers: 0, rtspPort: 0 };
let packets = 0;

async function open(rtspPort: number): Promise<Reader> {
	const udp = dgram.createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
	udp.on("message", () => {
		packets++;
	});
	await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
	if (rtspPort === 0) return { udp, rtsp: null };
	const rtsp = net.connect(rtspPort, "127.0.0.1");
	const { port } = udp.address();
	// RTCP goes to a port where nobody listens: it is no part of what is measured.
	const transport = `RTP/AVP;unicast;client_port=${port}-${port + 1}`;
	const requests = ["SETUP rtsp://127.0.0.1/bench/trackID=0", "PLAY rtsp://127.0.0.1/bench/"];
	rtsp.write(
		requests.map((line, i) => `${line} RTSP/1.0\r\nCSeq: ${i + 1}\r\nTransport: ${transport}\r\n\r\n`).join(""),
	);
	await new Promise<void>((resolve, reject) => {
		let text = "";
		rtsp.on("error", reject).on("data", (chunk) => {
			text += chunk.toString("latin1");
			const answers = text.match(/RTSP\/1\.0 \d+/g) ?? [];
			if (answers.some((answer) => !answer.endsWith(" 200"))) reject(new Error(`The server answers: ${text}`));
			if (answers.length === requests.length) resolve();
		});
	});
	return { udp, rtsp };
}

process.on("message", async (command: UdpReadersCommand) => {
	if (command.readers !== current.readers || command.rtspPort !== current.rtspPort) {
		for (const { udp, rtsp } of readers.splice(0)) {
			rtsp?.destroy();
			udp.close();
		}
		readers = await Promise.all(Array.from({ length: command.readers }, () => open(command.rtspPort)));
		current = command;
	}
	const ports = readers.map(({ udp }) => udp.address().port);
	process.send?.({ packets, ports } satisfies UdpReadersReply);
});
process.on("disconnect", () => process.exit());

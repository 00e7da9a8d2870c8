import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import type { DatagramRun } from "./datagram-runs.ts";
import { UdpSockets } from "./udp.ts";

const LOCALHOST = "127.0.0.1";
const log = pino({ level: "silent" });

function open(host: string): Promise<UdpSockets> {
	const anyPort = { host, port: 0 };
	return UdpSockets.open({
		rtp: anyPort,
		rtcp: anyPort,
		keys: { rtp: "rtpAddress", rtcp: "rtcpAddress" },
		readBufferBytes: 0,
		log,
	});
}

function runOf(packets: number, packetBytes: number, lastBytes: number): DatagramRun {
	const bytes = Uint8Array.from({ length: (packets - 1) * packetBytes + lastBytes }, (_, i) =>
		Math.floor(i / packetBytes),
	);
	return { track: 0, bytes, packetBytes, packets };
}

describe("UdpSocket.sendRun", () => {
	it.each(["127.0.0.1", ""])("sends the packets of each run in order, each as it is, from %j", async (host) => {
		await using sender = await open(host);
		await using receiver = await open(LOCALHOST);
		const heard: Uint8Array[] = [];
		receiver.rtp.receive(LOCALHOST, sender.rtp.port, (bytes) => heard.push(bytes));
		const runs = [runOf(5, 1200, 300), runOf(1, 60, 60), runOf(3, 700, 700), runOf(1, 1400, 1400)];
		for (const run of runs) sender.rtp.sendRun(run, LOCALHOST, receiver.rtp.port);
		await eventually("all packets are there", () => heard.length >= 10);
		const sent = runs.flatMap(({ bytes, packets, packetBytes }) =>
			Array.from({ length: packets }, (_, i) => bytes.subarray(i * packetBytes, (i + 1) * packetBytes)),
		);
		expect(heard.map((bytes) => new Uint8Array(bytes))).toEqual(sent);
	});
});

describe("UdpSocket.receive", () => {
	it("hands a packet to whoever waits for its peer, and counts those of strangers", async () => {
		await using sender = await open(LOCALHOST);
		await using receiver = await open(LOCALHOST);
		const heard: number[] = [];
		const seat = receiver.rtp.receive(LOCALHOST, sender.rtp.port, (bytes) => heard.push(bytes.length));
		expect(receiver.rtp.receive(LOCALHOST, sender.rtp.port, () => undefined)).toBeNull();
		sender.rtp.send(new Uint8Array(7), LOCALHOST, receiver.rtp.port);
		await eventually("the packet is there", () => heard.length > 0);
		seat?.[Symbol.dispose]();
		sender.rtp.send(new Uint8Array(8), LOCALHOST, receiver.rtp.port);
		await eventually("the second packet is there", () => receiver.rtp.strangers === 1);
		expect(heard).toEqual([7]);
	});
});

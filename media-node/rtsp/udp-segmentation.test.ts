import dgram from "node:dgram";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import type { DatagramRun } from "./datagram-runs.ts";
import { RunSender, segmentationOf, type UdpSegmentation } from "./udp-segmentation.ts";

/** A run of packets, of which each byte says in which packet it is. */
function run(packetBytes: number, packets: number, lastBytes = packetBytes): DatagramRun {
	const bytes = Buffer.alloc(packetBytes * (packets - 1) + lastBytes);
	for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(i / packetBytes);
	return { track: 0, bytes, packetBytes, packets };
}

type Send = { readonly bytes: number; readonly segmentBytes: number };

/** A socket that notes what it is asked to send, and how that would be cut. */
class FakeSocket {
	readonly sends: Send[] = [];
	/** As of a kernel that refuses to cut. */
	refusal: string | null = null;
	queued = 0;
	segmentBytes = 0;
	readonly segmentation: UdpSegmentation = {
		set: (bytes) => {
			this.segmentBytes = bytes;
			return true;
		},
	};
	readonly sender = new RunSender(this, this.segmentation);

	send(bytes: Uint8Array, _port: number, _address: string, callback: (error: Error | null) => void): void {
		const isCut = this.segmentBytes !== 0 && bytes.length > this.segmentBytes;
		if (isCut && this.refusal !== null) {
			callback(Object.assign(new Error(this.refusal), { code: this.refusal }));
			return;
		}
		this.sends.push({ bytes: bytes.length, segmentBytes: this.segmentBytes });
		callback(null);
	}

	getSendQueueCount(): number {
		return this.queued;
	}
}

describe("RunSender", () => {
	it("sends a run in one go, cut in its size", () => {
		const socket = new FakeSocket();
		socket.sender.send(run(1200, 13, 500), "192.0.2.1", 5000);
		expect(socket.sends).toEqual([{ bytes: 12 * 1200 + 500, segmentBytes: 1200 }]);
		expect(socket.sender.sends).toBe(1);
	});

	it("sends one by one where nothing can be cut", () => {
		const socket = new FakeSocket();
		new RunSender(socket, null).send(run(1200, 3, 500), "192.0.2.1", 5000);
		expect(socket.sends.map(({ bytes }) => bytes)).toEqual([1200, 1200, 500]);
		expect(socket.segmentBytes).toBe(0);
	});

	it("changes the size only for packets that would be cut wrongly", () => {
		const socket = new FakeSocket();
		for (const next of [run(1000, 2), run(300, 1), run(1000, 3), run(1300, 1), run(1000, 2)]) {
			socket.sender.send(next, "192.0.2.1", 5000);
		}
		expect(socket.sends).toEqual([
			{ bytes: 2000, segmentBytes: 1000 },
			{ bytes: 300, segmentBytes: 1000 },
			{ bytes: 3000, segmentBytes: 1000 },
			{ bytes: 1300, segmentBytes: 0 },
			{ bytes: 2000, segmentBytes: 1000 },
		]);
	});

	it("leaves the size alone while packets wait that would be cut in it", () => {
		const socket = new FakeSocket();
		socket.sender.send(run(1000, 2), "192.0.2.1", 5000);
		socket.queued = 1;
		socket.sender.send(run(600, 2), "192.0.2.1", 5000);
		socket.sender.send(run(1200, 2), "192.0.2.1", 5000);
		expect(socket.sends.slice(1)).toEqual([
			{ bytes: 600, segmentBytes: 1000 },
			{ bytes: 600, segmentBytes: 1000 },
		]);
		expect(socket.sender.packetsDropped).toBe(2);
		socket.queued = 0;
		socket.sender.send(run(1200, 2), "192.0.2.1", 5000);
		expect(socket.sends.at(-1)).toEqual({ bytes: 2400, segmentBytes: 1200 });
	});

	it.each(["EINVAL", "EIO", "EMSGSIZE"])("sends again what is refused with %s, and to that peer one by one", (code) => {
		const socket = new FakeSocket();
		socket.refusal = code;
		socket.sender.send(run(1000, 2, 30), "192.0.2.1", 5000);
		socket.refusal = null;
		socket.sender.send(run(1000, 2, 40), "192.0.2.1", 5000);
		expect(socket.sends.map(({ bytes }) => bytes)).toEqual([1000, 30, 1000, 40]);
		socket.sender.send(run(1000, 2, 50), "192.0.2.2", 5000);
		expect(socket.sends.at(-1)?.bytes).toBe(1050);
	});

	it("takes any other failure as a loss", () => {
		const socket = new FakeSocket();
		socket.refusal = "ENETUNREACH";
		socket.sender.send(run(1000, 2), "192.0.2.1", 5000);
		expect(socket.sends).toEqual([]);
	});
});

const sockets: dgram.Socket[] = [];

async function bound(): Promise<dgram.Socket> {
	const socket = dgram.createSocket({
		type: "udp4",
		recvBufferSize: 1 << 20,
		lookup: (address, _options, callback) => callback(null, address, 4),
	});
	sockets.push(socket);
	await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
	return socket;
}

afterEach(async () => {
	for (const socket of sockets.splice(0)) await new Promise<void>((resolve) => socket.close(resolve));
});

describe("segmentationOf", () => {
	it("is there with node:ffi on Linux, and else nowhere", async () => {
		const isExpected = process.platform === "linux" && process.getBuiltinModule("node:ffi") !== undefined;
		expect(segmentationOf(await bound()) !== null).toBe(isExpected);
	});

	it("is not there for a socket that has no descriptor yet", () => {
		const socket = dgram.createSocket("udp4");
		sockets.push(socket);
		expect(segmentationOf(socket)).toBeNull();
	});

	it.each([
		["without", () => null],
		["with what there is of", segmentationOf],
	])("brings the same packets over loopback %s segmentation", async (_name, segmentation) => {
		const [from, to] = [await bound(), await bound()];
		const received: Buffer[] = [];
		to.on("message", (bytes) => received.push(bytes));
		const switched = segmentation(from);
		const sender = new RunSender(from, switched);
		const runs = [run(1200, 13, 500), run(160, 1), run(1300, 1), run(1200, 40), run(700, 64, 1), run(9000, 1)];
		const sent = runs.flatMap(({ bytes, packetBytes, packets }) =>
			Array.from({ length: packets }, (_, i) => Buffer.from(bytes.subarray(i * packetBytes, (i + 1) * packetBytes))),
		);
		for (const next of runs) sender.send(next, "127.0.0.1", to.address().port);
		await eventually("all packets arrived", () => received.length >= sent.length);
		expect(received).toEqual(sent);
		expect(sender.packetsDropped).toBe(0);
		expect(sender.sends).toBe(switched === null ? sent.length : runs.length);
	});
});

import { createSecretKey } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { type MuxSession, SessionTable } from "./session-table.ts";
import { writeBindingRequest } from "./stun-writer.ts";
import { TcpMux } from "./tcp-mux.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const CHECK = writeBindingRequest(
	{
		...{ transactionId: new Uint8Array(12), username: "us:them", priority: 1, role: "controlling" },
		...{ tieBreaker: 1n, useCandidate: true },
	},
	createSecretKey("any", "latin1"),
);

async function setup() {
	const clock = new FakeClock();
	const sessions = new SessionTable();
	const log: string[] = [];
	const session: MuxSession = {
		check: (_message, route) => {
			log.push(`check ${route.transport} ${route.remote.address}`);
			route.outgoing().set([1, 2, 3]);
			route.sendOutgoing(3);
			route.send(Uint8Array.of(4));
			return true;
		},
		receive: (bytes) => void log.push(`packet of ${bytes.length}`),
		holds: () => true,
		lost: ({ transport }) => void log.push(`lost ${transport}`),
	};
	sessions.add("us", session);
	const mux = await TcpMux.open({
		host: "127.0.0.1",
		port: 0,
		key: "webrtcLocalTCPAddress",
		sessions,
		clock,
		log: silent,
	});
	const connect = async () => {
		const socket = net.connect(mux.port, "127.0.0.1");
		await once(socket, "connect");
		return socket;
	};
	return { clock, sessions, log, mux, connect };
}

function frame(bytes: Uint8Array): Uint8Array {
	return Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes);
}

describe("TcpMux", () => {
	it("cuts what comes into packets, however it comes, and frames what it sends", async () => {
		const { mux, log, connect } = await setup();
		await using _mux = mux;
		const socket = await connect();
		const received: Buffer[] = [];
		socket.on("data", (bytes) => received.push(bytes));
		const stream = Buffer.concat([frame(CHECK), frame(Uint8Array.of(0x80, 96, 1)), frame(Uint8Array.of(0x80, 96))]);
		for (const byte of stream.subarray(0, 40)) socket.write(Uint8Array.of(byte));
		socket.write(stream.subarray(40));
		await eventually("three packets", () => log.length === 3);
		expect(log).toEqual(["check tcp 127.0.0.1", "packet of 3", "packet of 2"]);
		await eventually("two frames", () => Buffer.concat(received).length === 8);
		expect([...Buffer.concat(received)]).toEqual([0, 3, 1, 2, 3, 0, 1, 4]);
		socket.destroy();
		await eventually("the loss", () => log.at(-1) === "lost tcp");
	});

	it("hangs up on who proves nothing for 10 s, and on nobody else", async () => {
		const { mux, clock, sessions, log, connect } = await setup();
		await using _mux = mux;
		const [mute, peer] = [await connect(), await connect()];
		peer.write(frame(CHECK));
		mute.write(frame(Uint8Array.of(0x80, 96)));
		await eventually("both", () => log.length === 1 && sessions.strangers === 1);
		const hungUp = once(mute, "close");
		await clock.advance(10_000);
		await hungUp;
		peer.write(frame(Uint8Array.of(0x80, 96)));
		await eventually("a packet of the other", () => log.length === 2);
	});

	it("closes all connections and timers with itself", async () => {
		const { mux, clock, connect } = await setup();
		const socket = await connect();
		await eventually("the connection", () => clock.pending === 1);
		const closed = once(socket.resume(), "close");
		await mux[Symbol.asyncDispose]();
		await closed;
		expect(clock.pending).toBe(0);
	});

	it("says which setting has a port that is in use", async () => {
		const { mux, sessions, clock } = await setup();
		await using _mux = mux;
		const again = { host: "127.0.0.1", port: mux.port, key: "webrtcLocalTCPAddress", sessions, clock, log: silent };
		await expect(TcpMux.open(again)).rejects.toMatchObject({ code: "listen.in_use" });
	});
});

import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../../test/support/eventually.ts";
import { DoorWorld } from "../../test/support/front-door.ts";
import { FIRST_BYTES_MS } from "./front-door.ts";
import { MAX_MESSAGE_BYTES, SUBPROTOCOL } from "./websocket-entrance.ts";
import { LINGER_MS } from "./wire.ts";

const OPTIONS = "OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n";

/** A client that has been let in. */
async function connect(world: DoorWorld) {
	const client = new WebSocket(`ws://127.0.0.1:${world.port}/cam`, [SUBPROTOCOL]);
	const messages: { data: Buffer; isBinary: boolean }[] = [];
	client.on("message", (data, isBinary) => messages.push({ data: data as Buffer, isBinary }));
	await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
	return { client, messages, guest: await world.guest() };
}

/** The status of the answer to an upgrade that is refused. */
function refused(world: DoorWorld, protocols: string[], headers: Record<string, string> = {}): Promise<number> {
	const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, protocols, { headers });
	client.on("error", () => {});
	return new Promise((resolve, reject) => {
		client.on("open", () => reject(new Error("It was let in")));
		client.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
	});
}

describe("RTSP over WebSocket", () => {
	it("carries RTSP bytes in binary and text messages, cut anywhere, and each batch in one binary message", async () => {
		await using world = await DoorWorld.open();
		const { client, messages, guest } = await connect(world);
		expect(client.protocol).toBe(SUBPROTOCOL);
		expect(client.extensions).toBe("");
		expect(guest.wire).toMatchObject({ tunnel: "websocket", address: "127.0.0.1", localAddress: "127.0.0.1" });
		client.send(OPTIONS.slice(0, 7));
		client.send(Buffer.from(OPTIONS.slice(7, 9)), { binary: true, fin: false });
		client.send(Buffer.from(OPTIONS.slice(9)), { binary: true });
		await eventually("all bytes", () => guest.received.toString() === OPTIONS);
		const batches = [Buffer.from("$\0\0\x02ab", "latin1"), Buffer.alloc(200_000, 5)];
		for (const batch of batches) guest.wire.send(batch);
		guest.wire.close();
		guest.wire.send(Buffer.from("too late"));
		const code = await new Promise((resolve) => client.once("close", resolve));
		expect(code).toBe(1000);
		expect(messages.map(({ isBinary }) => isBinary)).toEqual([true, true]);
		for (const [at, batch] of batches.entries()) expect(messages[at]?.data.equals(batch)).toBe(true);
		await eventually("the wire is gone", () => guest.closes === 1);
		expect(guest.wire.sentBytes).toBeGreaterThan(200_000);
		expect(guest.wire.pendingBytes).toBe(0);
		expect(world.clock.pending).toBe(0);
	});

	it("takes what comes right behind the upgrade, and answers pings", async () => {
		await using world = await DoorWorld.open();
		// RFC 6455 §5.7: masked "Hello" in a text frame; and §5.5.2: a masked ping, here without data.
		const hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
		const caller = await world.call(
			Buffer.concat([
				Buffer.from(
					`GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, ${SUBPROTOCOL}\r\n\r\n`,
				),
				Buffer.from([...hello, 0x89, 0x80, 1, 2, 3, 4]),
			]),
		);
		const guest = await world.guest();
		await eventually("the message", () => guest.received.toString() === "Hello");
		// The accept value is the one of RFC 6455 §1.3; behind the head stands a pong.
		await eventually("the pong", () => caller.received.subarray(-2).equals(Buffer.of(0x8a, 0)));
		expect(caller.received.toString("latin1")).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
		expect(caller.received.toString("latin1")).toContain(`Sec-WebSocket-Protocol: ${SUBPROTOCOL}`);
	});

	it("does not heap up pongs for a client that does not read", async () => {
		await using world = await DoorWorld.open();
		const { client, guest } = await connect(world);
		client.pause();
		guest.wire.send(Buffer.alloc(20_000_000));
		const before = guest.wire.pendingBytes;
		expect(before).toBeGreaterThan(1_000_000);
		for (let n = 0; n < 100; n++) client.ping(Buffer.alloc(100));
		client.send("behind the pings");
		await eventually("the pings were read", () => guest.received.length > 0);
		expect(guest.wire.pendingBytes).toBeLessThanOrEqual(before);
		client.terminate();
	});

	it("tells that the client left, with a close frame or without one", async () => {
		await using world = await DoorWorld.open();
		const polite = await connect(world);
		polite.client.close();
		await eventually("the wire is gone", () => polite.guest.closes === 1);
		const rude = new WebSocket(`ws://127.0.0.1:${world.port}/`, [SUBPROTOCOL]);
		await new Promise((resolve) => rude.once("open", resolve));
		const guest = await world.guest(1);
		rude.terminate();
		await eventually("the wire is gone", () => guest.closes === 1);
		await eventually("no socket is left", () => world.accepted === 0);
		expect(world.clock.pending).toBe(0);
	});

	it("does not wait for ever for a client that does not answer the close frame", async () => {
		await using world = await DoorWorld.open();
		const { client, guest } = await connect(world);
		client.pause();
		guest.wire.send(Buffer.alloc(20_000_000));
		guest.wire.close();
		await world.clock.advance(LINGER_MS - 1);
		expect(guest.closes).toBe(0);
		await world.clock.advance(1);
		await eventually("the wire is gone", () => guest.closes === 1);
		client.terminate();
	});

	it("ends at once when it is forced to", async () => {
		await using world = await DoorWorld.open();
		const { client, guest } = await connect(world);
		client.pause();
		guest.wire.send(Buffer.alloc(20_000_000));
		guest.wire.close(true);
		await eventually("the wire is gone", () => guest.closes === 1);
		client.terminate();
	});

	it("ends when a message is larger than any should be", async () => {
		await using world = await DoorWorld.open();
		const { client, guest } = await connect(world);
		client.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
		// RFC 6455 §7.4.1: too big.
		expect(await new Promise((resolve) => client.once("close", resolve))).toBe(1009);
		await eventually("the wire is gone", () => guest.closes === 1);
		expect(guest.received.length).toBe(0);
		expect(world.clock.pending).toBe(0);
	});

	it("refuses an upgrade without the subprotocol of ONVIF, or of another version", async () => {
		await using world = await DoorWorld.open();
		expect(await refused(world, [])).toBe(400);
		expect(await refused(world, ["chat"])).toBe(400);
		const old = await world.call(
			`GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
		);
		await eventually("an answer", () => old.closed);
		expect(old.received.toString()).toMatch(/^HTTP\/1\.1 4(00|26) .*Sec-WebSocket-Version: 13/s);
		expect(world.guests).toHaveLength(0);
		await eventually("nothing is left", () => world.door.waiting === 0);
		await world.clock.advance(FIRST_BYTES_MS);
		expect(world.clock.pending).toBe(0);
	});

	it("belongs to the client that a trusted proxy names", async () => {
		await using world = await DoorWorld.open(["127.0.0.1"]);
		await world.call(
			`PROXY TCP6 2001:db8::1 2001:db8::2 56324 80\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
		);
		expect((await world.guest()).wire).toMatchObject({ address: "2001:db8::1", port: 56324, tunnel: "websocket" });
	});
});

import { describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { type Caller, DoorWorld } from "../../test/support/front-door.ts";
import { FIRST_BYTES_MS, FrontDoor } from "./front-door.ts";
import { MAX_HTTP_HEAD_BYTES } from "./http-head.ts";
import { LINGER_MS } from "./wire.ts";

const OPTIONS = "OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n";
const V2_SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const V2 = Buffer.from(`${V2_SIGNATURE}\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\x21\x6a`, "latin1");
const closed = (caller: Caller) => eventually("the connection is closed", () => caller.closed, { everyMs: 1 });

describe("the front door", () => {
	it.each([
		OPTIONS,
		"GET_PARAMETER rtsp://h/cam RTSP/1.0\r\n\r\n",
		"POSTER",
		"PLAY rtsp://h/cam",
		"$\0\0\x04abcd",
		"\r\nX",
	])("hands on plain RTSP that begins with %j, whole, whether it comes at once or byte by byte", async (text) => {
		await using world = await DoorWorld.open();
		const [atOnce, slow] = [await world.call(text), await world.call()];
		const one = await world.guest(0);
		for (const char of text) {
			slow.socket.write(char);
			await new Promise((resolve) => setImmediate(resolve));
		}
		const two = await world.guest(1);
		await eventually("all bytes", () => one.received.length + two.received.length === 2 * text.length, { everyMs: 1 });
		expect(one.received.toString("latin1")).toBe(text);
		expect(two.received.toString("latin1")).toBe(text);
		expect(one.wire).toMatchObject({ tunnel: "none", address: "127.0.0.1", localAddress: "127.0.0.1" });
		expect(one.wire.port).toBe(atOnce.socket.localPort);
		expect(world.door.waiting).toBe(0);
		expect(world.clock.pending).toBe(0);
	});

	it("sends what a plain wire is given, counts it, and ends once it has left", async () => {
		await using world = await DoorWorld.open();
		const caller = await world.call(OPTIONS);
		const { wire } = await world.guest();
		const batch = Buffer.alloc(300_000, 7);
		wire.send(batch);
		wire.close();
		wire.send(Buffer.from("too late"));
		await closed(caller);
		expect(caller.received.equals(batch)).toBe(true);
		expect(wire).toMatchObject({ pendingBytes: 0, sentBytes: batch.length });
		await eventually("the wire is gone", () => world.guests[0]?.closes === 1);
		expect(world.clock.pending).toBe(0);
	});

	it("does not wait for ever for a client that does not read what was sent before the end", async () => {
		await using world = await DoorWorld.open();
		const caller = await world.call(OPTIONS);
		caller.socket.pause();
		const guest = await world.guest();
		guest.wire.send(Buffer.alloc(20_000_000));
		guest.wire.close();
		expect(guest.wire.pendingBytes).toBeGreaterThan(0);
		await world.clock.advance(LINGER_MS);
		await eventually("the wire is gone", () => guest.closes === 1);
	});

	it("tells that a client sends no more, and then that it is gone", async () => {
		await using world = await DoorWorld.open();
		const caller = await world.call(OPTIONS);
		const guest = await world.guest();
		caller.socket.end();
		await eventually("the wire is gone", () => guest.closes === 1);
		expect(guest.ended).toBe(true);
		expect(guest.received.toString()).toBe(OPTIONS);
	});

	it.each(["", "GE", "POST", "GET / HTTP/1.1\r\nHost: h\r\n", "PROX", "\r\n\r\n\0"])(
		"closes a connection that sends %j and no more, after its time",
		async (text) => {
			await using world = await DoorWorld.open();
			const caller = await world.call(text);
			await eventually("the connection came", () => world.door.waiting === 1, { everyMs: 1 });
			await world.clock.advance(FIRST_BYTES_MS - 1);
			expect(caller.closed).toBe(false);
			await world.clock.advance(1);
			await closed(caller);
			expect(world.lines).toEqual([expect.stringContaining("did not begin a session within 10 s")]);
			expect(world.guests).toHaveLength(0);
			await eventually("nothing is left", () => world.door.waiting === 0);
			expect(world.clock.pending).toBe(0);
		},
	);

	it("closes a connection that goes on one byte at a time without ever getting anywhere", async () => {
		await using world = await DoorWorld.open();
		const caller = await world.call("GET /");
		await eventually("the connection came", () => world.door.waiting === 1, { everyMs: 1 });
		for (let second = 1; second < FIRST_BYTES_MS / 1000; second++) {
			caller.socket.write("x");
			await world.clock.advance(1000);
		}
		expect(caller.closed).toBe(false);
		await world.clock.advance(1000);
		await closed(caller);
	});

	it("destroys what is no wire yet when it is disposed, and nothing else", async () => {
		await using world = await DoorWorld.open();
		const silent = await world.call("GET / HT");
		const speaking = await world.call(OPTIONS);
		await world.guest();
		await eventually("both came", () => world.door.waiting === 1);
		await world.door[Symbol.asyncDispose]();
		await closed(silent);
		expect(speaking.closed).toBe(false);
		await closed(await world.call(OPTIONS));
		expect(world.guests).toHaveLength(1);
		expect(world.clock.pending).toBe(0);
	});

	it.each([
		["GET / HTTP/1.1\r\nHost: h\r\n\r\n", 404, "rtsp://"],
		["POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 404, "rtsp://"],
		["GET /x HTTP/1.0\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n", 400, "x-sessioncookie"],
		["GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n", 426, "Upgrade"],
		["GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 404, "rtsp://"],
		["GET / HTTP/3.7\r\n\r\n", 400, "malformed"],
		["GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed"],
		["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400, "HTTP"],
		[`GET /${"x".repeat(MAX_HTTP_HEAD_BYTES)}`, 400, `${MAX_HTTP_HEAD_BYTES} bytes`],
	])("answers %j with %i and one sentence, and closes", async (request, status, word) => {
		await using world = await DoorWorld.open();
		const caller = await world.call(request);
		await closed(caller);
		const [head = "", body = ""] = caller.received.toString().split("\r\n\r\n");
		expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
		expect(body).toMatch(/^[A-Z].*\.\n$/);
		expect(body).toContain(word);
		await eventually("nothing is left", () => world.accepted === 0);
		expect(world.clock.pending).toBe(0);
	});

	it("refuses a list of trusted proxies with something else in it", () => {
		const options = { clock: { after: () => {} } as never, log: {} as never, onWire: () => {} };
		expect(() => new FrontDoor({ ...options, trustedProxies: ["10.0.0.0/8", "proxy.example"] })).toThrow(
			"proxy.example",
		);
	});
});

describe("the front door behind a proxy that is trusted", () => {
	it.each([
		["version 1", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 56324 8554\r\n")],
		["version 2", V2],
	])("takes the client's address from a header of %s, cut at every place and byte by byte", async (_, header) => {
		await using world = await DoorWorld.open(["127.0.0.0/8"]);
		const all = Buffer.concat([header, Buffer.from(OPTIONS)]);
		for (let cut = 0; cut <= header.length + 1; cut++) {
			const caller = await world.call(all.subarray(0, cut));
			await new Promise((resolve) => setImmediate(resolve));
			caller.socket.write(all.subarray(cut));
		}
		const slow = await world.call();
		for (const byte of all) {
			slow.socket.write(Buffer.of(byte));
			await new Promise((resolve) => setImmediate(resolve));
		}
		await world.guest(header.length + 2);
		await eventually("all bytes", () => world.guests.every(({ received }) => received.length === OPTIONS.length));
		for (const { wire, received } of world.guests) {
			expect(wire).toMatchObject({ address: "192.0.2.7", port: 56324, localAddress: "127.0.0.1" });
			expect(received.toString()).toBe(OPTIONS);
		}
		expect(world.clock.pending).toBe(0);
	});

	it.each([
		[
			"that speaks for itself",
			Buffer.concat([Buffer.from(`${V2_SIGNATURE}\x20\0\0\0`, "latin1"), Buffer.from(OPTIONS)]),
		],
		["that does not know the client", Buffer.from(`PROXY UNKNOWN\r\n${OPTIONS}`)],
		["without a header", Buffer.from(OPTIONS)],
	])("keeps the socket's own address for a proxy %s", async (_, bytes) => {
		await using world = await DoorWorld.open(["127.0.0.1"]);
		const caller = await world.call(bytes);
		const guest = await world.guest();
		await eventually("all bytes", () => guest.received.toString() === OPTIONS);
		expect(guest.wire).toMatchObject({ address: "127.0.0.1", port: caller.socket.localPort });
	});

	it.each([
		["malformed", "PROXY TCP4 x y 1 2\r\n"],
		["too long", `PROXY UNKNOWN ${"x".repeat(100)}`],
	])("closes a connection whose header is %s, and logs it", async (_, header) => {
		await using world = await DoorWorld.open(["127.0.0.1"]);
		await closed(await world.call(header));
		expect(world.lines).toEqual([expect.stringContaining("The PROXY header")]);
		expect(world.guests).toHaveLength(0);
	});

	it("believes one header only", async () => {
		await using world = await DoorWorld.open(["127.0.0.1"]);
		await world.call(Buffer.concat([V2, Buffer.from(`PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n`)]));
		const guest = await world.guest();
		expect(guest.wire.address).toBe("192.0.2.7");
		await eventually("the rest", () => guest.received.toString().startsWith("PROXY TCP4 1.1.1.1"));
	});

	it.each([
		["version 1", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 56324 8554\r\n")],
		["version 2", V2],
	])("closes a connection with a header of %s that comes from elsewhere, and logs what to do", async (_, header) => {
		await using world = await DoorWorld.open(["192.0.2.0/24"]);
		await closed(await world.call(Buffer.concat([header, Buffer.from(OPTIONS)])));
		expect(world.lines).toEqual([expect.stringMatching(/127\.0\.0\.1 .*not trusted.*rtspTrustedProxies/)]);
		expect(world.guests).toHaveLength(0);
		expect(world.clock.pending).toBe(0);
	});
});

import { describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { type Caller, DoorWorld } from "../../test/support/front-door.ts";
import { FIRST_BYTES_MS } from "./front-door.ts";
import { MAX_COOKIE_CHARS, MAX_WAITING_TUNNELS } from "./http-tunnels.ts";
import { LINGER_MS } from "./wire.ts";

/** As Apple's "Tunnelling QuickTime RTSP and RTP over HTTP" shows them. */
const get = (cookie: string) =>
	`GET /sw.mov HTTP/1.0\r\nx-sessioncookie: ${cookie}\r\nAccept: application/x-rtsp-tunnelled\r\nPragma: no-cache\r\n\r\n`;
const post = (cookie: string, ...headers: string[]) =>
	[
		"POST /sw.mov HTTP/1.0",
		`X-SessionCookie: ${cookie}`,
		"Content-Type: application/x-rtsp-tunnelled",
		...headers,
		"\r\n",
	].join("\r\n");
const base64 = (text: string) => Buffer.from(text, "latin1").toString("base64");
const DESCRIBE = "DESCRIBE rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n";
const REPORT = "$\x01\0\x04abcd";

const answered = (caller: Caller) =>
	eventually("an answer", () => caller.received.includes("\r\n\r\n") && caller.received.toString(), { everyMs: 1 });
const closed = (caller: Caller) => eventually("the connection is closed", () => caller.closed, { everyMs: 1 });

/** A tunnel whose GET and POST are open. */
async function tunnel(world: DoorWorld, cookie = "c00kie", ...headers: string[]) {
	const down = await world.call(get(cookie));
	const head = await answered(down);
	const up = await world.call(post(cookie, ...headers));
	return { down, up, head, guest: await world.guest() };
}

describe("a tunnel over HTTP", () => {
	it("answers the GET at once, and carries what is sent in the body of that answer as it is", async () => {
		await using world = await DoorWorld.open();
		const { down, up, head, guest } = await tunnel(world);
		expect(head).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
		expect(head).toContain("Content-Type: application/x-rtsp-tunnelled\r\n");
		expect(await answered(up)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
		expect(guest.wire).toMatchObject({ tunnel: "http", address: "127.0.0.1", port: down.socket.localPort });
		const batch = Buffer.from("$\0\0\x02ab", "latin1");
		guest.wire.send(batch);
		guest.wire.close();
		await closed(down);
		expect(down.received.subarray(head.length)).toEqual(batch);
		await closed(up);
		await eventually("the wire is gone", () => guest.closes === 1);
		expect(guest.wire.sentBytes).toBe(down.received.length);
		expect(world.clock.pending).toBe(0);
	});

	it("takes what the client sends, cut at every position", async () => {
		await using world = await DoorWorld.open();
		const whole = Buffer.from(`${post("x", "Content-Length: 32767")}${base64(DESCRIBE)}${base64(REPORT)}`);
		for (let cut = 0; cut <= whole.length; cut++) {
			const cookie = String.fromCharCode(97 + (cut % 26));
			const down = await world.call(get(cookie));
			await answered(down);
			const bytes = Buffer.from(whole.toString("latin1").replace("X-SessionCookie: x", `X-SessionCookie: ${cookie}`));
			const up = await world.call(bytes.subarray(0, cut));
			await new Promise((resolve) => setImmediate(resolve));
			up.socket.write(bytes.subarray(cut));
			const guest = await world.guest(cut);
			await eventually(`the bytes cut at ${cut}`, () => guest.received.toString("latin1") === DESCRIBE + REPORT, {
				everyMs: 1,
			});
			down.socket.destroy();
			await eventually("the tunnel is gone", () => guest.closes === 1, { everyMs: 1 });
		}
		expect(world.clock.pending).toBe(0);
	});

	it("goes on behind the Content-Length, which clients make up", async () => {
		await using world = await DoorWorld.open();
		const text = base64(DESCRIBE.repeat(10));
		const { up, guest } = await tunnel(world, "c", "Content-Length: 9");
		for (let at = 0; at < text.length; at += 7) {
			up.socket.write(text.slice(at, at + 7));
			await new Promise((resolve) => setImmediate(resolve));
		}
		await eventually("all bytes", () => guest.received.toString() === DESCRIBE.repeat(10));
	});

	it("takes one POST after the other, on the same connection and on new ones, within a group of characters", async () => {
		await using world = await DoorWorld.open();
		const text = base64(DESCRIBE);
		const down = await world.call(get("c"));
		await answered(down);
		const piece = (from: number, to: number) => post("c", `Content-Length: ${to - from}`) + text.slice(from, to);
		await world.call(piece(0, 5) + piece(5, 6) + piece(6, 6) + piece(6, 21));
		const guest = await world.guest();
		await eventually("the first pieces", () => guest.received.length === 15);
		await world.call(piece(21, text.length - 1));
		await world.call(piece(text.length - 1, text.length));
		await eventually("all bytes", () => guest.received.toString() === DESCRIBE);
	});

	it("reads a POST to its end before the next one", async () => {
		await using world = await DoorWorld.open();
		const { up, guest } = await tunnel(world);
		const second = await world.call(post("c00kie") + base64("second"));
		await answered(second);
		up.socket.end(base64("first "));
		await eventually("both", () => guest.received.length === 12);
		expect(guest.received.toString()).toBe("first second");
		expect(guest.closes).toBe(0);
		expect(world.clock.pending).toBe(0);
	});

	it("gives a POST up that does not end while another waits, and lets no third one wait", async () => {
		await using world = await DoorWorld.open();
		const { up, guest } = await tunnel(world);
		await answered(await world.call(post("c00kie") + base64("second")));
		expect(await answered(await world.call(post("c00kie")))).toMatch(/^HTTP\/1\.1 503 /);
		expect(guest.received.length).toBe(0);
		await world.clock.advance(LINGER_MS);
		await closed(up);
		await eventually("the second", () => guest.received.toString() === "second");
	});

	it("ends with its GET, and its POST with it", async () => {
		await using world = await DoorWorld.open();
		const { down, up, guest } = await tunnel(world);
		await answered(await world.call(post("c00kie")));
		down.socket.end();
		await closed(up);
		await eventually("the wire is gone", () => guest.closes === 1);
		expect(guest.ended).toBe(true);
		await eventually("no socket is left", () => world.accepted === 0);
		expect(world.clock.pending).toBe(0);
		// The cookie is free again.
		expect(await answered(await world.call(get("c00kie")))).toContain(" 200 ");
	});

	it("ends when the client sends what is not base64", async () => {
		await using world = await DoorWorld.open();
		const { down, up, guest } = await tunnel(world);
		up.socket.write(DESCRIBE);
		await closed(down);
		await closed(up);
		expect(guest.closes).toBe(1);
		expect(world.lines).toEqual([expect.stringContaining("tunnel over HTTP")]);
	});

	it("belongs to the client that a trusted proxy names", async () => {
		await using world = await DoorWorld.open(["127.0.0.1"]);
		const down = await world.call(`PROXY TCP4 192.0.2.7 198.51.100.1 56324 80\r\n${get("c")}`);
		await answered(down);
		await world.call(`PROXY TCP4 192.0.2.7 198.51.100.1 56325 80\r\n${post("c")}${base64(DESCRIBE)}`);
		const guest = await world.guest();
		expect(guest.wire).toMatchObject({ address: "192.0.2.7", port: 56324 });
	});

	it("is given up when its POST does not come", async () => {
		await using world = await DoorWorld.open();
		const down = await world.call(get("c"));
		await answered(down);
		await world.clock.advance(FIRST_BYTES_MS - 1);
		expect(down.closed).toBe(false);
		await world.clock.advance(1);
		await closed(down);
		expect(await answered(await world.call(post("c")))).toMatch(/^HTTP\/1\.1 400 .*No GET/s);
		expect(world.guests).toHaveLength(0);
	});

	it("is forgotten when its GET leaves before the POST comes", async () => {
		await using world = await DoorWorld.open();
		const down = await world.call(get("c"));
		await answered(down);
		down.socket.destroy();
		await eventually("nothing is left", () => world.accepted === 0);
		expect(await answered(await world.call(get("c")))).toContain(" 200 ");
	});

	it.each([
		["an empty cookie", get(""), "characters"],
		["a cookie that is too long", get("x".repeat(MAX_COOKIE_CHARS + 1)), `${MAX_COOKIE_CHARS} characters`],
		["a cookie that is in use", get("used"), "Another tunnel"],
		["a POST without a GET", post("other"), "No GET"],
		["a POST in chunks", post("used", "Transfer-Encoding: chunked"), "Transfer-Encoding"],
		["a Content-Length that is no number", post("used", "Content-Length: -1"), "Content-Length"],
	])("refuses %s", async (_, request, word) => {
		await using world = await DoorWorld.open();
		await answered(await world.call(get("used")));
		const caller = await world.call(request);
		await closed(caller);
		expect(caller.received.toString()).toMatch(/^HTTP\/1\.1 400 /);
		expect(caller.received.toString()).toContain(word);
		expect(world.guests).toHaveLength(0);
	});

	it("refuses more tunnels than may wait, until one of them got its POST", async () => {
		await using world = await DoorWorld.open();
		const callers: Caller[] = [];
		for (let n = 0; n < MAX_WAITING_TUNNELS; n++) callers.push(await world.call(get(`c${n}`)));
		for (const caller of callers) await answered(caller);
		expect(await answered(await world.call(get("one-more")))).toMatch(/^HTTP\/1\.1 503 /);
		await world.call(post("c5"));
		await world.guest();
		expect(await answered(await world.call(get("one-more")))).toContain(" 200 ");
	});
});

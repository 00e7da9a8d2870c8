import { describe, expect, it } from "vitest";
import { HandshakeInbox, type HandshakeMessage, readHandshake, writeHandshake } from "./dtls-handshake-inbox.ts";

function message(number: number, length: number, type = 11): HandshakeMessage {
	return { type, number, body: Uint8Array.from({ length }, (_, at) => (at + number) & 0xff) };
}

/** A fragment of a message: bytes `from` to `to`. */
function fragment({ type, number, body }: HandshakeMessage, from: number, to: number): Uint8Array {
	const bytes = writeHandshake({ type, number, body: body.slice(from, to) });
	bytes.set([body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff], 1);
	bytes.set([from >> 16, (from >> 8) & 0xff, from & 0xff], 6);
	return bytes;
}

describe("HandshakeInbox", () => {
	it("gives messages in their order, whatever order they come in", () => {
		const inbox = new HandshakeInbox();
		const [first, second, third] = [message(0, 5), message(1, 0, 14), message(2, 300)];
		expect(inbox.push(writeHandshake(third))).toEqual([]);
		expect(inbox.push(writeHandshake(second))).toEqual([]);
		expect(inbox.push(writeHandshake(first))).toEqual([first, second, third]);
		expect(inbox.next).toBe(3);
	});

	it("puts fragments together that come in any order, twice, and overlap", () => {
		const inbox = new HandshakeInbox();
		const whole = message(0, 1000);
		for (const [from, to] of [
			[600, 1000],
			[0, 10],
			[0, 10],
			[5, 500],
			[400, 550],
		] as const) {
			expect(inbox.push(fragment(whole, from, to))).toEqual([]);
		}
		expect(inbox.push(fragment(whole, 540, 601))).toEqual([whole]);
	});

	it("reads several messages of one record", () => {
		const record = Buffer.concat([message(0, 3), message(1, 4)].map(writeHandshake));
		expect(new HandshakeInbox().push(record)).toEqual([message(0, 3), message(1, 4)]);
	});

	it("tells of what comes again, for an answer that was lost", () => {
		const inbox = new HandshakeInbox();
		const hello = writeHandshake(message(0, 50, 1));
		expect(inbox.push(hello)).toHaveLength(1);
		expect(inbox.push(hello)).toEqual([message(0, 50, 1)]);
		expect(inbox.next).toBe(1);
	});

	it("keeps no message that is too long, too far ahead, or not what its first fragment said", () => {
		const inbox = new HandshakeInbox();
		expect(inbox.push(fragment({ ...message(0, 17_000) }, 0, 100))).toEqual([]);
		expect(inbox.push(writeHandshake(message(8, 10)))).toEqual([]);
		inbox.push(fragment(message(0, 20), 0, 10));
		expect(inbox.push(fragment(message(0, 21), 10, 21))).toEqual([]);
		expect(inbox.push(fragment(message(0, 20, 12), 10, 20))).toEqual([]);
		expect(inbox.push(fragment(message(0, 20), 10, 20))).toEqual([message(0, 20)]);
	});

	it("takes no more than half a megabyte in all", () => {
		const inbox = new HandshakeInbox();
		const again = writeHandshake(message(5, 16_000));
		for (let count = 0; count < 33; count++) inbox.push(again);
		expect(inbox.push(writeHandshake(message(0, 1)))).toEqual([]);
	});

	it("does not fail on any truncation", () => {
		const record = Buffer.concat([writeHandshake(message(0, 30)), fragment(message(1, 30), 5, 20)]);
		for (let length = 0; length < record.length; length++) {
			const found = new HandshakeInbox().push(record.subarray(0, length));
			expect(found).toHaveLength(length < 42 ? 0 : 1);
		}
	});
});

describe("readHandshake", () => {
	it("reads what was written, and nothing shorter, longer or in parts", () => {
		const bytes = writeHandshake(message(3, 12, 20));
		expect(readHandshake(bytes)).toEqual(message(3, 12, 20));
		for (let length = 0; length < bytes.length; length++) expect(readHandshake(bytes.subarray(0, length))).toBeNull();
		expect(readHandshake(Uint8Array.of(...bytes, 0))).toBeNull();
		expect(readHandshake(fragment(message(3, 24, 20), 0, 12))).toBeNull();
		expect(readHandshake(null)).toBeNull();
	});
});

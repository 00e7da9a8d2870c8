import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { randomOf } from "../../../test/support/lossy-udp.ts";
import { SctpAssociation } from "./sctp-association.ts";
import { plainChunk, writeData, writeInit } from "./sctp-chunk.ts";
import { INBOUND_WINDOW_BYTES, type SctpMessage } from "./sctp-inbound.ts";
import { OUTBOUND_BUFFER_BYTES } from "./sctp-outbound.ts";
import { parseSctp, type SctpChunk, SctpChunkType, writeSctp } from "./sctp-packet.ts";

const DELAY_MS = 20;

class End {
	readonly messages: SctpMessage[] = [];
	readonly sent: Uint8Array[] = [];
	readonly resets: (readonly number[])[] = [];
	ended: string | null | undefined;
	established = 0;
	association: SctpAssociation;
	/** Where its packets go. */
	carry: (packet: Uint8Array) => void = () => {};

	constructor(clock: FakeClock) {
		this.association = new SctpAssociation({
			...{ localPort: 5000, remotePort: 5000, clock },
			send: (packet) => {
				this.sent.push(packet);
				this.carry(packet);
			},
			onEstablished: () => void this.established++,
			onMessage: (message) => void this.messages.push(message),
			onReset: (streams) => void this.resets.push(streams),
			onEnded: (failure) => {
				this.ended = failure;
			},
		});
	}

	send(text: string, more: { readonly stream?: number; readonly unordered?: boolean } = {}): boolean {
		return this.association.send({ stream: 1, ppid: 53, unordered: false, bytes: bytesOf(text), ...more });
	}

	get texts(): string[] {
		return this.messages.map(({ bytes }) => new TextDecoder().decode(bytes));
	}
}

function bytesOf(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

let clock: FakeClock;
let a: End;
let b: End;

beforeEach(() => {
	clock = new FakeClock();
	[a, b] = [new End(clock), new End(clock)];
	link({});
});

afterEach(async () => {
	link({ loss: 1 });
	a.association.close();
	b.association.close();
	// What is on the link already arrives.
	await clock.advance(1_000);
	expect(clock.pending, "timers after close").toBe(0);
});

/** Joins the ends by a link that loses, doubles and delays as it is told. */
function link({ loss = 0, doubling = 0, jitterMs = 0, seed = 1 }): void {
	const random = randomOf(seed);
	const carrier = (to: () => End) => (packet: Uint8Array) => {
		for (let copies = random() < doubling ? 2 : 1; copies > 0; copies--) {
			if (random() < loss) continue;
			const copy = packet.slice();
			clock.after(DELAY_MS + random() * jitterMs, () => to().association.receive(copy));
		}
	};
	a.carry = carrier(() => b);
	b.carry = carrier(() => a);
}

async function connect(): Promise<void> {
	a.association.start();
	await clock.advance(10_000);
	expect([a.established, b.established]).toEqual([1, 1]);
}

/** What a stranger inside of DTLS would send: a packet with a tag of its choice. */
function forged(tag: number, ...chunks: SctpChunk[]): Uint8Array {
	return writeSctp({ sourcePort: 5000, destinationPort: 5000, tag, chunks });
}

describe("an association", () => {
	it("is there when one end says hello, and nothing is left to do then", async () => {
		a.association.start();
		await clock.advance(4 * DELAY_MS);
		expect([a.association.isEstablished, b.association.isEstablished, clock.pending]).toEqual([true, true, 0]);
	});

	it("is there when both say hello at once", async () => {
		a.association.start();
		b.association.start();
		await clock.advance(10 * DELAY_MS);
		expect([a.established, b.established, clock.pending]).toEqual([1, 1, 0]);
		a.send("one");
		b.send("two");
		await clock.advance(1_000);
		expect([a.texts, b.texts]).toEqual([["two"], ["one"]]);
	});

	it.each([1, 2, 3, 4, 5, 6, 7, 8])("is there although packets are lost, doubled and late (%i)", async (seed) => {
		link({ loss: 0.3, doubling: 0.2, jitterMs: 200, seed });
		a.association.start();
		b.association.start();
		await clock.advance(60_000);
		expect([a.established, b.established, clock.pending]).toEqual([1, 1, 0]);
	});

	it("gives up where nobody answers", async () => {
		link({ loss: 1 });
		a.association.start();
		await clock.advance(120_000);
		expect(a.ended).toBe("the peer does not answer");
		expect([a.sent.length, clock.pending]).toEqual([8, 0]);
	});

	it("carries messages of every size in the order of each stream", async () => {
		await connect();
		const sizes = [1, 3, 1119, 1120, 1121, 5000, 65_535, 65_536];
		const messages = sizes.map((size) => new Uint8Array(randomBytes(size)));
		for (const bytes of messages) a.association.send({ stream: 4, ppid: 51, unordered: false, bytes });
		await clock.advance(10_000);
		expect(b.messages.map(({ bytes }) => Buffer.compare(bytes, messages.shift() ?? bytes))).toEqual(sizes.map(() => 0));
		expect(b.messages[0]).toMatchObject({ stream: 4, ppid: 51 });
		expect([a.association.bufferedBytes, b.association.heldBytes, clock.pending]).toEqual([0, 0, 0]);
	});

	it.each([1, 2, 3, 4, 5, 6])(
		"loses and doubles nothing on a link that does (%i)",
		{ timeout: 20_000 },
		async (seed) => {
			await connect();
			link({ loss: 0.2, doubling: 0.1, jitterMs: 100, seed });
			const random = randomOf(seed);
			const texts = Array.from({ length: 60 }, (_, at) => `${at}:`.padEnd(Math.ceil(random() * 6_000), "x"));
			for (const [at, text] of texts.entries()) {
				expect(a.send(text, { stream: at % 3, unordered: at % 3 === 2 })).toBe(true);
				expect(b.send(text)).toBe(true);
				await clock.advance(50);
			}
			await clock.advance(120_000);
			expect(a.texts).toEqual(texts);
			for (const stream of [0, 1]) {
				const arrived = b.messages.filter((message) => message.stream === stream);
				expect(arrived.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(
					texts.filter((_, at) => at % 3 === stream),
				);
			}
			expect(b.texts.toSorted()).toEqual(texts.toSorted());
			expect([a.association.bufferedBytes, a.association.heldBytes, b.association.heldBytes]).toEqual([0, 0, 0]);
			expect([a.ended, b.ended, clock.pending]).toEqual([undefined, undefined, 0]);
		},
	);

	it("gives an unordered message on before one that was lost", async () => {
		await connect();
		const { carry } = a;
		a.carry = () => {};
		a.send("lost", { unordered: true });
		a.carry = carry;
		a.send("late", { unordered: true });
		await clock.advance(2 * DELAY_MS);
		expect(b.texts).toEqual(["late"]);
		await clock.advance(2_000);
		expect(b.texts).toEqual(["late", "lost"]);
	});

	it("keeps no more than it has room for, of a peer that does not answer any more", async () => {
		await connect();
		link({ loss: 1 });
		let taken = 0;
		while (a.send("x".repeat(1000))) taken++;
		expect(taken).toBeGreaterThan(100);
		expect(a.association.bufferedBytes).toBeLessThanOrEqual(OUTBOUND_BUFFER_BYTES);
		await clock.advance(300_000);
		expect(a.ended).toBe("the peer does not acknowledge what it gets");
		expect([a.association.bufferedBytes, clock.pending, a.send("more")]).toEqual([0, 0, false]);
	});

	it("sends again after 3 acknowledgements of later ones, and does not wait for a time-out", async () => {
		await connect();
		for (let at = 0; at < 5; at++) {
			a.send("x".repeat(1120));
			await clock.advance(100);
		}
		const { carry } = a;
		let count = 0;
		a.carry = (packet) => (count++ === 0 ? undefined : carry(packet));
		for (let at = 0; at < 6; at++) a.send(`${at}`.padEnd(1120));
		await clock.advance(6 * DELAY_MS);
		expect(b.messages).toHaveLength(11);
	});

	it("answers a heartbeat with its own bytes", async () => {
		await connect();
		a.association.receive(forged(tagOf(a), plainChunk(SctpChunkType.heartbeat, Uint8Array.of(0, 1, 0, 5, 7))));
		expect(parseSctp(a.sent.at(-1) as Uint8Array)).toMatchObject({
			tag: tagOf(b),
			chunks: [{ type: SctpChunkType.heartbeatAck, body: Uint8Array.of(0, 1, 0, 5, 7) }],
		});
	});

	it("ends when the peer shuts it down, and with it the peer", async () => {
		await connect();
		a.association.receive(forged(tagOf(a), plainChunk(SctpChunkType.shutdown, new Uint8Array(4))));
		expect(a.ended).toBeNull();
		expect(parseSctp(a.sent.at(-1) as Uint8Array)?.chunks[0]?.type).toBe(SctpChunkType.shutdownAck);
	});

	it("tells the peer when it is closed, and says nothing after", async () => {
		await connect();
		a.association.close();
		a.association.close();
		await clock.advance(100);
		expect([a.ended, b.ended]).toEqual([undefined, null]);
		const count = a.sent.length;
		a.association.receive(b.sent[0] as Uint8Array);
		expect([a.sent.length, clock.pending, a.send("x")]).toEqual([count, 0, false]);
	});

	it("begins a stream anew when the peer asks, once for each request", async () => {
		await connect();
		b.send("first");
		await clock.advance(1_000);
		// RFC 6525 §4.1: outgoing reset of stream 1, request 9.
		const last = lastTsnOf(b);
		const request = Uint8Array.of(0, 13, 0, 18, 0, 0, 0, 9, 0, 0, 0, 0, ...u32Of(last), 0, 1);
		const reconfig = forged(tagOf(a), plainChunk(SctpChunkType.reconfig, request));
		a.association.receive(reconfig);
		a.association.receive(reconfig);
		expect(a.resets).toEqual([[1]]);
		// It has sent nothing on that stream that would have to begin anew.
		const answers = a.sent.slice(-2).map((packet) => parseSctp(packet)?.chunks[0]?.body);
		expect(answers).toEqual([0, 0].map(() => Uint8Array.of(0, 16, 0, 12, 0, 0, 0, 9, 0, 0, 0, 1)));
	});

	it("closes its own half of a stream that the peer closes, RFC 8831 §6.7, and that is the end of it", async () => {
		await connect();
		a.send("on one");
		a.send("on two", { stream: 2 });
		await clock.advance(1_000);
		const request = Uint8Array.of(0, 13, 0, 18, 0, 0, 0, 9, 0, 0, 0, 0, ...u32Of(lastTsnOf(b)), 0, 1);
		a.association.receive(forged(tagOf(a), plainChunk(SctpChunkType.reconfig, request)));
		await clock.advance(1_000);
		expect([a.resets, b.resets]).toEqual([[[1]], [[1]]]);
		a.send("anew");
		b.send("anew");
		await clock.advance(1_000);
		expect([a.texts, b.texts]).toEqual([["anew"], ["on one", "on two", "anew"]]);
	});

	it("goes on without messages that the peer gives up", async () => {
		await connect();
		const next = (lastTsnOf(b) + 1) >>> 0;
		const part = { stream: 1, ppid: 53, unordered: false, begins: true, ends: true };
		const second = { ...part, tsn: (next + 1) >>> 0, ssn: 1, payload: bytesOf("second") };
		a.association.receive(forged(tagOf(a), writeData(second)));
		expect(a.texts).toEqual([]);
		const skip = Uint8Array.of(...u32Of(next), 0, 1, 0, 0);
		a.association.receive(forged(tagOf(a), plainChunk(SctpChunkType.forwardTsn, skip)));
		expect([a.texts, a.association.heldBytes]).toEqual([["second"], 0]);
	});
});

describe("what is not of the peer", () => {
	it("changes nothing, for it does not know the tag", async () => {
		await connect();
		const before = a.sent.length;
		const wrong = (tagOf(a) ^ 1) >>> 0;
		const abort = plainChunk(SctpChunkType.abort);
		const data = writeData({
			...{ tsn: (lastTsnOf(b) + 1) >>> 0, stream: 1, ssn: 0, ppid: 53, unordered: false, begins: true, ends: true },
			payload: bytesOf("forged"),
		});
		for (const tag of [wrong, 0, tagOf(b)]) {
			a.association.receive(forged(tag, abort));
			a.association.receive(forged(tag, plainChunk(SctpChunkType.shutdown, new Uint8Array(4))));
			a.association.receive(forged(tag, data));
		}
		// With the flag of a reflected tag, but a wrong one.
		a.association.receive(forged(wrong, { ...abort, flags: 1 }));
		a.association.receive(forged(tagOf(a), abort).fill(0, 8, 12));
		const otherPort = { sourcePort: 5001, destinationPort: 5000, tag: tagOf(a), chunks: [abort] };
		a.association.receive(writeSctp(otherPort));
		expect([a.ended, a.texts, a.sent.length]).toEqual([undefined, [], before]);
		a.association.receive(forged(tagOf(b), { ...abort, flags: 1 }));
		expect(a.ended).toBeNull();
	});

	it("does not begin an association anew", async () => {
		await connect();
		const hello = { tag: 9, window: 5000, firstTsn: 1, outboundStreams: 1, inboundStreams: 1, cookie: null };
		a.association.receive(forged(0, writeInit({ ...hello, hasForwardTsn: false, hasReconfig: false })));
		b.send("still here");
		await clock.advance(1_000);
		expect(a.texts).toEqual(["still here"]);
	});
});

describe("a peer that does not keep to the limits", () => {
	it.each([
		["messages without an end", { begins: true, ends: false }],
		["messages without a beginning", { begins: false, ends: true }],
		["messages out of their order", { begins: true, ends: true }],
	])("is aborted before %s fill the memory", async (_, flags) => {
		await connect();
		let tsn = lastTsnOf(b);
		let most = 0;
		for (let at = 0; at < 2_000 && a.ended === undefined; at++) {
			tsn = (tsn + 1) >>> 0;
			const part = { tsn, stream: at % 1024, ssn: 7, ppid: 53, unordered: false, ...flags };
			a.association.receive(forged(tagOf(a), writeData({ ...part, payload: new Uint8Array(1000) })));
			most = Math.max(most, a.association.heldBytes);
		}
		expect(most).toBeLessThanOrEqual(2 * INBOUND_WINDOW_BYTES);
		expect(a.ended).toBe("the peer sends messages that are too long, or none");
		expect(parseSctp(a.sent.at(-1) as Uint8Array)?.chunks[0]?.type).toBe(SctpChunkType.abort);
		expect(a.association.heldBytes).toBe(0);
	});

	it("is not heard beyond the window", async () => {
		await connect();
		const last = lastTsnOf(b);
		const tag = tagOf(a);
		for (let at = 2; at < 3_000; at++) {
			const part = { tsn: (last + at) >>> 0, stream: 1, ssn: at, ppid: 53, unordered: false };
			const payload = new Uint8Array(500);
			a.association.receive(forged(tag, writeData({ ...part, begins: true, ends: true, payload })));
		}
		expect(a.association.heldBytes).toBeLessThanOrEqual(INBOUND_WINDOW_BYTES);
		expect(a.association.heldBytes).toBeGreaterThan(INBOUND_WINDOW_BYTES - 1000);
		expect(a.ended).toBeUndefined();
	});
});

/** The tag that an end gave itself: the one in its INIT or INIT ACK. */
function tagOf(end: End): number {
	return helloOf(end).getUint32(0);
}

/** The last that an end has sent. */
function lastTsnOf(end: End): number {
	let last = (helloOf(end).getUint32(12) - 1) >>> 0;
	for (const packet of end.sent) {
		for (const { type, body } of parseSctp(packet)?.chunks ?? []) {
			if (type === SctpChunkType.data) last = new DataView(body.buffer, body.byteOffset).getUint32(0);
		}
	}
	return last;
}

function helloOf(end: End): DataView {
	const chunks = end.sent.flatMap((packet) => parseSctp(packet)?.chunks ?? []);
	const hello = chunks.find(({ type }) => type === SctpChunkType.init || type === SctpChunkType.initAck);
	if (hello === undefined) throw new Error("The end has not said hello");
	return new DataView(hello.body.buffer, hello.body.byteOffset);
}

function u32Of(value: number): number[] {
	return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

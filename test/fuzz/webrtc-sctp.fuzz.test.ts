import fc from "fast-check";
import { expect, test } from "vitest";
import { DataChannels } from "../../media-node/webrtc/data/data-channels.ts";
import { SctpAssociation } from "../../media-node/webrtc/data/sctp-association.ts";
import { parseInit, plainChunk, writeData, writeInit, writeSack } from "../../media-node/webrtc/data/sctp-chunk.ts";
import { INBOUND_WINDOW_BYTES } from "../../media-node/webrtc/data/sctp-inbound.ts";
import { OUTBOUND_BUFFER_BYTES } from "../../media-node/webrtc/data/sctp-outbound.ts";
import { parseSctp, type SctpChunk, sctpChecksum, writeSctp } from "../../media-node/webrtc/data/sctp-packet.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { mutated } from "../support/mutate.ts";

const PORTS = { sourcePort: 5000, destinationPort: 5000 };
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

/** Two ends that have said hello, and what the far one has sent to the near one. */
function world() {
	const clock = new FakeClock();
	const toNear: Uint8Array[] = [];
	const toFar: Uint8Array[] = [];
	const ends: (string | null)[] = [];
	const near = new DataChannels({
		...{ role: "server", localPort: 5000, remotePort: 5000, maxMessageBytes: 65_536, clock },
		send: (packet) => void toFar.push(packet),
		onEnded: (failure) => void ends.push(failure),
	});
	const far = new SctpAssociation({
		...{ localPort: 5000, remotePort: 5000, clock },
		send: (packet) => void toNear.push(packet),
		onEstablished: () => {},
		onMessage: () => {},
		onReset: () => {},
		onEnded: () => {},
	});
	const channel = near.open("KLV", { isOrdered: false });
	const recorded: Uint8Array[] = [];
	const exchange = () => {
		for (let rounds = 0; rounds < 20 && toNear.length + toFar.length > 0; rounds++) {
			for (const packet of toNear.splice(0)) {
				recorded.push(packet);
				near.receive(packet);
			}
			for (const packet of toFar.splice(0)) far.receive(packet);
		}
	};
	far.start();
	exchange();
	return { clock, near, far, channel, ends, recorded, toFar, exchange };
}

/** The tag of the near end: what the far one sends it bears it. */
function tagOf(recorded: readonly Uint8Array[]): number {
	return parseSctp(recorded.at(-1) ?? new Uint8Array(0))?.tag ?? 0;
}

function withTag(bytes: Uint8Array, tag: number): Uint8Array {
	const packet = bytes.slice();
	if (packet.length >= 12) new DataView(packet.buffer).setUint32(4, tag);
	return packet;
}

/** Makes an end that begins at number 1 known to another, which then has an association; the tag of that one. */
function greet(near: SctpAssociation, sent: Uint8Array[]): number {
	const own = { tag: 9, window: 100_000, firstTsn: 1, outboundStreams: 9, inboundStreams: 9, cookie: null };
	const init = writeInit({ ...own, hasForwardTsn: true, hasReconfig: true });
	near.receive(writeSctp({ ...PORTS, tag: 0, chunks: [init] }));
	const answer = parseInit(parseSctp(sent[0] ?? new Uint8Array(0))?.chunks[0]?.body ?? new Uint8Array(0));
	const tag = answer?.tag ?? 0;
	near.receive(writeSctp({ ...PORTS, tag, chunks: [plainChunk(10, answer?.cookie ?? new Uint8Array(0))] }));
	return tag;
}

/** A packet as it is, but with the right checksum, so that what is in it is looked at. */
function sealed(bytes: Uint8Array): Uint8Array {
	const packet = bytes.slice();
	if (packet.length >= 12) new DataView(packet.buffer).setUint32(8, sctpChecksum(packet));
	return packet;
}

function recordedPackets(): Uint8Array[] {
	const { far, near, channel, recorded, exchange } = world();
	far.send({ stream: 0, ppid: 50, unordered: false, bytes: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 65) });
	far.send({ stream: 1, ppid: 50, unordered: false, bytes: Uint8Array.of(2) });
	far.send({ stream: 0, ppid: 53, unordered: true, bytes: new Uint8Array(3_000) });
	exchange();
	channel.send(new Uint8Array(5_000));
	exchange();
	far.close();
	exchange();
	near.close();
	return recorded.map((packet) => packet.slice());
}

const chunks: fc.Arbitrary<SctpChunk> = fc.oneof(
	fc.record({
		type: fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 7, 10, 11, 130, 192), fc.nat(255)),
		flags: fc.nat(255),
		body: fc.uint8Array({ maxLength: 60 }),
	}),
	fc
		.record({
			...{ ahead: fc.nat(40), stream: fc.nat(1030), ssn: fc.nat(5), ppid: fc.constantFrom(50, 53) },
			...{ unordered: fc.boolean(), begins: fc.boolean(), ends: fc.boolean() },
			payload: fc.uint8Array({ minLength: 1, maxLength: 40 }),
		})
		.map(({ ahead, ...part }) => writeData({ ...part, tsn: ahead })),
	fc
		.record({
			...{ cumulativeTsn: fc.nat(40), window: fc.nat(3000) },
			gaps: fc.array(fc.record({ first: fc.nat(40), last: fc.nat(40) }), { maxLength: 5 }),
		})
		.map(writeSack),
);

test("damaged packets throw nothing, leave nothing behind, and take no more memory than they may", async () => {
	const originals = recordedPackets();
	expect(originals.length).toBeGreaterThan(5);
	await fc.assert(
		fc.asyncProperty(fc.array(fc.tuple(mutated(originals, 3), fc.boolean()), { maxLength: 12 }), async (packets) => {
			const { clock, near, far, channel, recorded } = world();
			const tag = tagOf(recorded);
			for (const [bytes, isSealed] of packets) {
				// What was recorded is of another association.
				near.receive(isSealed ? sealed(withTag(bytes, tag)) : bytes);
				channel.send(Uint8Array.of(1));
			}
			expect(clock.pending).toBeLessThanOrEqual(2);
			near.close();
			far.close();
			expect(clock.pending).toBe(0);
		}),
		{ numRuns: 400, seed },
	);
});

test("any chunks of the peer throw nothing and take no more memory than they may", () => {
	let established = 0;
	let ended = 0;
	fc.assert(
		fc.property(fc.array(fc.array(chunks, { minLength: 1, maxLength: 6 }), { maxLength: 25 }), (packets) => {
			const clock = new FakeClock();
			let failure: string | null | undefined;
			const near: SctpAssociation = new SctpAssociation({
				...{ localPort: 5000, remotePort: 5000, clock },
				send: (packet) => void sent.push(packet),
				onEstablished: () => void established++,
				onMessage: () => {},
				onReset: () => {},
				onEnded: (why) => {
					failure = why;
				},
			});
			const sent: Uint8Array[] = [];
			const tag = greet(near, sent);
			for (const packet of packets) {
				near.receive(writeSctp({ ...PORTS, tag, chunks: packet }));
				near.send({ stream: 0, ppid: 53, unordered: false, bytes: new Uint8Array(2_000) });
				expect(near.heldBytes).toBeLessThanOrEqual(2 * INBOUND_WINDOW_BYTES);
				expect(near.bufferedBytes).toBeLessThanOrEqual(OUTBOUND_BUFFER_BYTES);
			}
			if (failure !== undefined) ended++;
			near.close();
			expect([clock.pending, near.heldBytes, near.bufferedBytes]).toEqual([0, 0, 0]);
		}),
		{ numRuns: 2_000, seed },
	);
	expect(established).toBe(2_000);
	expect(ended).toBeGreaterThan(0);
});

test("who does not know the tag changes nothing, whatever it sends", () => {
	const { near, far, channel, ends, toFar, exchange, recorded } = world();
	const reflected = { type: 6, flags: 1, body: new Uint8Array(0) };
	const originals = [...recordedPackets(), writeSctp({ ...PORTS, tag: 5, chunks: [reflected] })];
	const tag = tagOf(recorded);
	fc.assert(
		fc.property(mutated(originals, 2), (bytes) => {
			const packet = sealed(bytes);
			if (parseSctp(packet)?.tag !== tag) near.receive(packet);
		}),
		{ numRuns: 20_000, seed },
	);
	expect(ends).toEqual([]);
	toFar.length = 0;
	expect(channel.send(Uint8Array.of(7))).toBe(true);
	expect(toFar).toHaveLength(1);
	exchange();
	near.close();
	far.close();
});

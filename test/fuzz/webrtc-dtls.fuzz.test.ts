import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
	createCertificate,
	type DtlsCertificate,
	DtlsConnection,
	type DtlsLibrary,
	loadDtls,
} from "../../media-node/webrtc/transport/dtls-adapter.ts";
import { DtlsContent, readRecords, writeRecord } from "../../media-node/webrtc/transport/dtls-record.ts";
import { eventually } from "../support/eventually.ts";
import { randomOf } from "../support/lossy-udp.ts";
import { mutated } from "../support/mutate.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const HEADER_BYTES = 12;

let library: DtlsLibrary;
let ours: DtlsCertificate;
let theirs: DtlsCertificate;

beforeAll(async () => {
	library = await loadDtls();
	[ours, theirs] = await Promise.all([createCertificate(library), createCertificate(library)]);
});

type Side = { readonly dtls: DtlsConnection; readonly sent: Uint8Array[]; isConnected: boolean };

/** Two ends; `network` gives what arrives instead of a datagram. */
function pair(network: (datagram: Uint8Array) => readonly Uint8Array[]) {
	const ends: (string | null)[] = [];
	const data: number[] = [];
	const make = (role: "server" | "client", peer: () => DtlsConnection): Side => {
		const [certificate, other] = role === "server" ? [ours, theirs] : [theirs, ours];
		const sent: Uint8Array[] = [];
		const state = { isConnected: false };
		const dtls = new DtlsConnection({
			...{ library, role, certificate, fingerprint: other.fingerprint, profiles: ["AEAD_AES_128_GCM"] },
			send: (datagram) => {
				sent.push(datagram.slice());
				for (const one of network(datagram)) queueMicrotask(() => peer().receive(one));
			},
			onConnected: () => {
				state.isConnected = true;
			},
			onData: (bytes) => void data.push(bytes[0] ?? -1),
			onEnded: (failure) => void ends.push(failure),
		});
		return Object.assign(state, { dtls, sent });
	};
	const server: Side = make("server", () => client.dtls);
	const client: Side = make("client", () => server.dtls);
	return { server, client, ends, data };
}

async function connect({ server, client }: { readonly server: Side; readonly client: Side }): Promise<void> {
	client.dtls.start();
	await eventually("a connection", () => server.isConnected && client.isConnected, { timeoutMs: 20_000, everyMs: 5 });
}

/** The messages of a datagram in fragments, out of order, some of them twice, and cut off ones between them. */
function disordered(datagram: Uint8Array, random: () => number): Uint8Array[] {
	const out: Uint8Array[] = [];
	const rest: Uint8Array[] = [];
	for (const { type, epoch, sequence, fragment, bytes } of readRecords(datagram)) {
		if (type !== DtlsContent.handshake || epoch !== 0) {
			rest.push(bytes.slice());
			continue;
		}
		for (const part of fragmentsOf(fragment, random)) {
			const record = writeRecord(type, 0, sequence, part);
			out.push(record);
			if (random() < 0.3) out.push(record.slice());
			if (random() < 0.3) out.push(record.slice(0, Math.floor(random() * record.length)));
		}
	}
	// An alert that anybody can have sent.
	if (random() < 0.5) out.push(writeRecord(DtlsContent.alert, 0, 0, Uint8Array.of(2, 40)));
	const keyed = out.map((record) => ({ record, key: random() }));
	return [...keyed.sort((a, b) => a.key - b.key).map(({ record }) => record), ...rest];
}

/** RFC 6347 §4.2.3: a message as fragments of random lengths, some of which overlap. */
function fragmentsOf(messages: Uint8Array, random: () => number): Uint8Array[] {
	const fragments: Uint8Array[] = [];
	for (let at = 0; at + HEADER_BYTES <= messages.length; ) {
		const view = new DataView(messages.buffer, messages.byteOffset + at);
		const length = view.getUint32(0) & 0xffffff;
		const body = messages.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
		for (let from = 0; from < length || from === 0; ) {
			const to = Math.min(length, from + 1 + Math.floor(random() * 400));
			const begin = Math.max(0, from - (random() < 0.3 ? 7 : 0));
			const fragment = new Uint8Array(HEADER_BYTES + to - begin);
			// Type, length and number are those of the message; offset and length of the fragment follow.
			fragment.set(messages.subarray(at, at + 6));
			fragment.set([begin >>> 16, begin >>> 8, begin, (to - begin) >>> 16, (to - begin) >>> 8, to - begin], 6);
			fragment.set(body.subarray(begin, to), HEADER_BYTES);
			fragments.push(fragment);
			from = Math.max(to, 1);
		}
		at += HEADER_BYTES + length;
	}
	return fragments;
}

test("a handshake ends well whatever order, number and size its fragments have", { timeout: 60_000 }, async () => {
	for (let run = 0; run < 30; run++) {
		const random = randomOf(seed + run);
		const sides = pair((datagram) => disordered(datagram, random));
		await connect(sides);
		expect(sides.ends).toEqual([]);
		sides.client.dtls.send(Uint8Array.of(run));
		await eventually("what was sent", () => sides.data.includes(run), { everyMs: 2 });
		sides.client.dtls.close();
		sides.server.dtls.close();
	}
});

test("a connection of either role goes on whatever anybody sends in clear or makes up", {
	timeout: 60_000,
}, async () => {
	const { server, client, ends, data } = pair((datagram) => [datagram.slice()]);
	await connect({ server, client });
	const handshake = [...server.sent, ...client.sent];
	// RFC 5246 §7.4.1.1: a HelloRequest asks for a handshake; and what ends a connection, when it is believed.
	const helloRequest = writeRecord(DtlsContent.handshake, 0, 9, new Uint8Array(HEADER_BYTES));
	const alerts = [0, 10, 40].map((alert) => writeRecord(DtlsContent.alert, 0, 9, Uint8Array.of(2, alert)));
	const sealed = [21, 22, 23].map((type) => writeRecord(type, 1, 2 ** 40, new Uint8Array(40)));
	const others = [
		writeRecord(DtlsContent.changeCipherSpec, 0, 9, Uint8Array.of(1)),
		helloRequest,
		...alerts,
		...sealed,
	];
	const before = client.sent.length + server.sent.length;
	fc.assert(
		fc.property(mutated([...handshake, ...others], 4), (bytes) => {
			server.dtls.receive(bytes);
			client.dtls.receive(bytes);
		}),
		{ numRuns: 10_000, seed },
	);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 20, max: 63 }), (bytes, first) => {
			server.dtls.receive(Uint8Array.of(first, ...bytes));
			client.dtls.receive(Uint8Array.of(first, ...bytes));
		}),
		{ numRuns: 5_000, seed },
	);
	expect([ends, data]).toEqual([[], []]);
	// Nobody is made to answer much: only a Finished of the peer asks for ours again.
	expect(client.sent.length + server.sent.length - before).toBeLessThan(10_000);
	client.dtls.send(Uint8Array.of(1));
	server.dtls.send(Uint8Array.of(2));
	await eventually("both are heard", () => data.length === 2);
	client.dtls.close();
	server.dtls.close();
});

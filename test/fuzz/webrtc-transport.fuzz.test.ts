import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SrtcpContext } from "../../media-node/srtp/srtcp-context.ts";
import { SrtpContext } from "../../media-node/srtp/srtp-context.ts";
import { packetKind } from "../../media-node/webrtc/transport/demultiplex.ts";
import {
	createCertificate,
	DtlsConnection,
	loadDtls,
	type SrtpKeys,
} from "../../media-node/webrtc/transport/dtls-adapter.ts";
import type { Route } from "../../media-node/webrtc/transport/route.ts";
import { SessionTable } from "../../media-node/webrtc/transport/session-table.ts";
import { hasIntegrity, parseStun } from "../../media-node/webrtc/transport/stun.ts";
import {
	writeBindingError,
	writeBindingRequest,
	writeBindingSuccess,
} from "../../media-node/webrtc/transport/stun-writer.ts";
import { WebRtcTransport } from "../../media-node/webrtc/transport/transport.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { mutated } from "../support/mutate.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const key = createSecretKey("a password of 24 letters", "latin1");
const transactionId = Uint8Array.from({ length: 12 }, (_, at) => at);

function request(username: string, useCandidate: boolean, secret = key): Uint8Array {
	const tieBreaker = 77n;
	const role = "controlling" as const;
	return writeBindingRequest({ transactionId, username, priority: 5, role, tieBreaker, useCandidate }, secret);
}

test("damaged STUN throws nothing, and has integrity only where what it says is unchanged", () => {
	const originals = [
		request("us:them", true),
		request("us:them", false),
		writeBindingSuccess(transactionId, { address: "192.0.2.1", port: 9 }, key),
		writeBindingSuccess(transactionId, { address: "2001:db8::1", port: 9 }, key),
		writeBindingError(transactionId, 420, key, [1, 2, 3]),
	];
	const said = new Set(originals.map((bytes) => essence(bytes)));
	let read = 0;
	fc.assert(
		fc.property(mutated(originals, 3), (bytes) => {
			const message = parseStun(bytes);
			if (message === null) return;
			read++;
			if (hasIntegrity(message, key)) expect(said).toContain(essence(bytes));
		}),
		{ numRuns: 20_000, seed },
	);
	expect(read).toBeGreaterThan(1000);
});

/** What a message says, as far as its integrity holds. */
function essence(bytes: Uint8Array): string {
	const { kind, username, priority, useCandidate, role, mappedAddress, errorCode } = parseStun(bytes) ?? {};
	return JSON.stringify([kind, username, priority, useCandidate, role, mappedAddress, errorCode]);
}

/** A session and its peer, without a network between them. */
async function session() {
	const library = await loadDtls();
	const [ours, theirs] = await Promise.all([createCertificate(library), createCertificate(library)]);
	const sessions = new SessionTable();
	const clock = new FakeClock();
	const candidates: string[] = [];
	const profiles = ["AEAD_AES_128_GCM" as const];
	const transport = new WebRtcTransport(
		{ sessions, library, certificate: ours, candidates, profiles, handshakeTimeoutMs: 60_000, clock, log: silent },
		() => {},
	);
	const toPeer: Uint8Array[] = [];
	const deliver = (name: string, bytes: Uint8Array) => {
		const way = sessions.routeOf(name) ?? route(name, name === "peer" ? toPeer : []);
		if (packetKind(bytes) === "stun") sessions.receiveStun(bytes, way);
		else sessions.receive(bytes, name);
	};
	let keys: SrtpKeys | null = null;
	const fromPeer: Uint8Array[] = [];
	const peer = new DtlsConnection({
		...{ library, role: "client", certificate: theirs, fingerprint: ours.fingerprint, profiles },
		send: (datagram) => {
			fromPeer.push(datagram);
			deliver("peer", datagram.slice());
		},
		onConnected: (made) => {
			keys = made;
		},
		onData: () => {},
		onEnded: () => {},
	});
	const { ufrag, pwd } = transport.local;
	const password = createSecretKey(pwd, "latin1");
	transport.setRemote({ ufrag: "them", pwd: "", fingerprint: theirs.fingerprint, setup: "active" });
	deliver("peer", request(`${ufrag}:them`, true, password));
	return {
		...{ transport, sessions, clock, deliver, toPeer, peer, fromPeer, ufrag, password },
		connect: async (): Promise<SrtpKeys> => {
			peer.start();
			await eventually("a connection", () => {
				for (const bytes of toPeer.splice(0)) if (packetKind(bytes) === "dtls") peer.receive(bytes);
				return keys !== null && transport.state === "connected";
			});
			if (keys === null) throw new Error("The peer has no keys");
			return keys;
		},
	};
}

function route(name: string, sent: Uint8Array[]): Route {
	const out = new Uint8Array(4096);
	return {
		...{ transport: "udp", remote: { address: "192.0.2.1", port: 9 }, name, outgoing: () => out },
		sendOutgoing: (length) => sent.push(out.slice(0, length)) > 0,
		send: (bytes) => sent.push(bytes.slice()) > 0,
	};
}

test("a session goes on whatever comes from its peer's address and from others", { timeout: 60_000 }, async () => {
	const { transport, clock, sessions, deliver, peer, fromPeer, toPeer, ufrag, password, connect } = await session();
	const keys = await connect();
	const ends: unknown[] = [];
	transport.onClosed = (reason) => ends.push(reason);
	let packets = 0;
	transport.onRtp = () => void packets++;
	let data = 0;
	transport.onData = () => void data++;

	const [rtp, rtcp] = [new SrtpContext(keys.local), new SrtcpContext(keys.local)];
	const sealed = (context: SrtpContext | SrtcpContext, packet: Uint8Array) => {
		const out = new Uint8Array(packet.length + context.overheadBytes);
		context.protect(packet, 0, packet.length, out, 0);
		return out;
	};
	const media = (sequence: number) => Uint8Array.of(0x80, 96, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 7, ...randomBytes(30));
	const report = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7);
	// A record that the peer sealed, and did not send.
	const sentBefore = fromPeer.length;
	peer.send(Uint8Array.of(1, 2, 3));
	const seeds = [
		...fromPeer.slice(0, sentBefore),
		...[Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40), fromPeer[sentBefore] ?? new Uint8Array(0)],
		...[
			sealed(rtp, media(1)),
			sealed(rtcp, report),
			request(`${ufrag}:them`, true),
			request(`${ufrag}:x`, true, password),
		],
		writeBindingSuccess(transactionId, { address: "192.0.2.1", port: 9 }, password),
	];
	const selected = transport.stats.selected;
	data = 0;
	fc.assert(
		fc.property(mutated(seeds), fc.constantFrom("peer", "stranger"), (bytes, name) => {
			deliver(name, bytes);
		}),
		{ numRuns: 20_000, seed },
	);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(255), (bytes, first) => {
			deliver("peer", Uint8Array.of(first, ...bytes));
			deliver("stranger", Uint8Array.of(first, ...bytes));
		}),
		{ numRuns: 5_000, seed },
	);
	expect([ends, transport.state, transport.stats.selected, sessions.routeCount]).toEqual([
		[],
		"connected",
		selected,
		1,
	]);

	// What the peer says still gets through, and what is said to it goes to it alone.
	const before = packets;
	deliver("peer", sealed(rtp, media(2)));
	expect(packets).toBe(before + 1);
	peer.send(Uint8Array.of(4));
	expect(data).toBeGreaterThanOrEqual(1);
	toPeer.length = 0;
	expect(transport.sendRtp(media(9))).toBe(true);
	expect(toPeer).toHaveLength(1);
	await transport.close();
	peer.close();
	expect([clock.pending, sessions.size, sessions.routeCount]).toEqual([0, 0, 0]);
});

test("damaged handshakes throw nothing and prove nothing", { timeout: 60_000 }, async () => {
	const recorded = await session();
	await recorded.connect();
	const theirs = recorded.fromPeer.map((datagram) => datagram.slice());
	await recorded.transport.close();
	recorded.peer.close();

	const rejections: unknown[] = [];
	const note = (reason: unknown) => rejections.push(reason);
	process.on("unhandledRejection", note);
	await fc.assert(
		fc.asyncProperty(fc.array(mutated(theirs, 2), { minLength: 1, maxLength: 8 }), async (datagrams) => {
			const { transport, peer, deliver } = await session();
			for (const bytes of datagrams) deliver("peer", bytes);
			await Promise.resolve();
			expect(transport.stats.profile).toBeNull();
			await transport.close();
			peer.close();
		}),
		{ numRuns: 300, seed },
	);
	await new Promise((resolve) => setImmediate(resolve));
	process.off("unhandledRejection", note);
	expect(rejections).toEqual([]);
});

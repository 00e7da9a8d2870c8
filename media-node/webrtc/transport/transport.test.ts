import { createSecretKey, randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { describe, expect, it } from "vitest";
import { RtpHeader, type RtpPacket } from "werift";
import { type Clock, systemClock } from "#shared/clock.ts";
import type { SluiceError } from "#shared/problem.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { connectPeer, OUR_SSRC, PAYLOAD_TYPE, type ProfileNumber } from "../../../test/support/webrtc-peer.ts";
import { WebRtcEndpoint } from "./endpoint.ts";
import { writeBindingRequest } from "./stun-writer.ts";
import type { WebRtcTransport } from "./transport.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

function open({ clock = systemClock, tcp = false }: { clock?: Clock; tcp?: boolean } = {}): Promise<WebRtcEndpoint> {
	return WebRtcEndpoint.open({
		udp: tcp ? null : { host: "127.0.0.1", port: 0, key: "webrtcLocalUDPAddress" },
		tcp: tcp ? { host: "127.0.0.1", port: 0, key: "webrtcLocalTCPAddress" } : null,
		readBufferBytes: 0,
		hosts: { fromInterfaces: true, interfaces: [], additionalHosts: [] },
		handshakeTimeoutMs: 10_000,
		clock,
		log: silent,
	});
}

/** Packets of RTP from us, numbered from `first`. */
function rtp(sequence: number, bytes = 1200): Uint8Array {
	const packet = new Uint8Array(bytes).fill(sequence & 0xff);
	packet.set([0x80, PAYLOAD_TYPE, sequence >> 8, sequence & 0xff, 0, 0, 0, 0, 0, 0, OUR_SSRC >> 8, OUR_SSRC & 0xff]);
	return packet;
}

/** A receiver report without blocks. */
const REPORT = Uint8Array.of(0x80, 201, 0, 1, 0, 0, OUR_SSRC >> 8, OUR_SSRC & 0xff);

function closedReasons(transport: WebRtcTransport): readonly SluiceError[] {
	const reasons: SluiceError[] = [];
	transport.onClosed = (reason) => void reasons.push(reason);
	return reasons;
}

/** A check with USE-CANDIDATE, whose password is right or not. */
function check({ ufrag, pwd }: { ufrag: string; pwd: string }, theirs: string): Uint8Array {
	return writeBindingRequest(
		{
			...{ transactionId: randomBytes(12), username: `${ufrag}:${theirs}`, priority: 0x7effffff },
			...{ role: "controlling" as const, tieBreaker: 2n ** 63n, useCandidate: true },
		},
		createSecretKey(pwd, "latin1"),
	);
}

async function stranger(port: number) {
	const socket = dgram.createSocket("udp4");
	const received: Uint8Array[] = [];
	socket.on("message", (bytes) => received.push(bytes));
	await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
	return {
		received,
		port: socket.address().port,
		send: (bytes: Uint8Array) => new Promise<void>((resolve) => socket.send(bytes, port, "127.0.0.1", () => resolve())),
		[Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
	};
}

describe("WebRtcTransport", () => {
	it.each<[string, "active" | "passive", ProfileNumber[], string]>([
		["as DTLS server with AES-GCM", "active", [1, 7], "AEAD_AES_128_GCM"],
		["as DTLS server with AES-CM for a peer without AES-GCM", "active", [1], "AES_CM_128_HMAC_SHA1_80"],
		["as DTLS client with AES-GCM", "passive", [7, 1], "AEAD_AES_128_GCM"],
		["as DTLS client with AES-CM for a peer without AES-GCM", "passive", [1], "AES_CM_128_HMAC_SHA1_80"],
	])("carries media, reports and data both ways %s", async (_name, setup, profiles, profile) => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		const received: number[] = [];
		const data: Uint8Array[] = [];
		let reports = 0;
		transport.onRtp = (packet) => void received.push(((packet[2] ?? 0) << 8) | (packet[3] ?? 0));
		transport.onRtcp = () => void reports++;
		transport.onData = (bytes) => void data.push(bytes.slice());
		await using peer = await connectPeer(transport, { setup, profiles });
		const atPeer: RtpPacket[] = [];
		peer.connection.dtlsTransports[0]?.onRtp.subscribe((packet) => void atPeer.push(packet));
		let reportsAtPeer = 0;
		peer.connection.dtlsTransports[0]?.onRtcp.subscribe(() => void reportsAtPeer++);
		await Promise.all([transport.connected, peer.connected]);

		expect(transport.local.setup).toBe(setup === "active" ? "passive" : "active");
		expect(transport.state).toBe("connected");
		for (let sequence = 65_400; sequence < 65_700; sequence++) {
			expect(transport.sendRtp(rtp(sequence & 0xffff))).toBe(true);
			const header = new RtpHeader({ ssrc: 7, sequenceNumber: sequence & 0xffff, payloadType: PAYLOAD_TYPE });
			await peer.connection.dtlsTransports[0]?.sendRtp(Buffer.alloc(1000), header);
			// The socket of the peer holds few packets.
			const count = sequence - 65_400 + 1;
			if (count % 20 === 0) {
				await eventually(`${count} packets`, () => received.length === count && atPeer.length === count, {
					everyMs: 1,
				});
			}
		}
		expect(transport.sendRtcp(REPORT)).toBe(true);
		expect(transport.sendData(Uint8Array.of(1, 2, 3))).toBe(true);
		await peer.sendData(Uint8Array.of(4, 5, 6));

		expect(received).toEqual(Array.from({ length: 300 }, (_, at) => (65_400 + at) & 0xffff));
		expect(atPeer.map((packet) => packet.header.sequenceNumber)).toEqual(received);
		expect(
			Buffer.from(rtp(65_400))
				.subarray(12)
				.equals(atPeer[0]?.payload ?? Buffer.alloc(0)),
		).toBe(true);
		await eventually("reports both ways", () => reports > 0 && reportsAtPeer > 0);
		await eventually("data both ways", () => data.length > 0 && peer.data.length > 0);
		expect(new Uint8Array(data[0] ?? [])).toEqual(Uint8Array.of(4, 5, 6));
		expect(new Uint8Array(peer.data[0] ?? [])).toEqual(Uint8Array.of(1, 2, 3));
		expect(transport.stats).toMatchObject({
			profile,
			packetsSent: 300,
			rtcpPacketsSent: 1,
			packetsRefused: 0,
			packetsUnsent: 0,
		});
		expect(transport.stats.selected?.transport).toBe("udp");
	});

	it("refuses a packet that it sent before, because two with one keystream would betray each other", async () => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		expect(transport.sendRtp(rtp(1))).toBe(false);
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		expect([transport.sendRtp(rtp(1)), transport.sendRtp(rtp(1)), transport.sendRtp(rtp(2))]).toEqual([
			true,
			false,
			true,
		]);
		expect(transport.sendRtp(rtp(3, 2040))).toBe(false);
	});

	it("is not moved by a check of a stranger who does not know the password", async () => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		const reasons = closedReasons(transport);
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		const before = transport.stats.selected;
		await using forger = await stranger(endpoint.udpPort ?? 0);

		await forger.send(check({ ufrag: transport.local.ufrag, pwd: "a guess that is wrong....." }, "x"));
		const bare = check({ ufrag: transport.local.ufrag, pwd: "none" }, "x").slice(0, -32);
		bare[3] = bare.length - 20;
		await forger.send(bare);
		await eventually("two refusals", () => endpoint.stats.refusedChecks >= 2);
		await eventually("two answers of error", () => forger.received.length >= 2);
		expect(forger.received.map((bytes) => (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0))).toEqual([0x0111, 0x0111]);
		expect(transport.stats.selected).toEqual(before);
		// Nor does it get what the session sends, or speak for it.
		transport.sendRtp(rtp(1));
		await forger.send(rtp(2));
		await eventually("a stranger", () => endpoint.stats.strangers >= 1);
		expect(forger.received).toHaveLength(2);
		expect(reasons).toEqual([]);
	});

	it("moves to where the peer says with its password", async () => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		await using elsewhere = await stranger(endpoint.udpPort ?? 0);
		const theirs = /a=ice-ufrag:(.*)/.exec(peer.connection.localDescription?.sdp ?? "")?.[1]?.trim() ?? "";

		await elsewhere.send(check(transport.local, theirs));
		await eventually("the new address", () => transport.stats.selected?.port === elsewhere.port);
		transport.sendRtp(rtp(1));
		await eventually("the packet there", () => elsewhere.received.some((bytes) => bytes[0] === 0x80));
	});

	it("survives garbage from its own peer's address: media goes on", async () => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		const reasons = closedReasons(transport);
		let received = 0;
		transport.onRtp = () => void received++;
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		const pair = peer.connection.iceTransports[0]?.connection.nominated;
		const send = (bytes: Uint8Array) => pair?.protocol.sendData(Buffer.from(bytes), pair.remoteAddr);
		const garbage = [
			Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40),
			Uint8Array.of(21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0),
			// A ClientHello in clear, which would begin a renegotiation.
			Uint8Array.of(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			Uint8Array.of(22, 0xfe, 0xfd, 0, 0),
			Uint8Array.of(0x80, PAYLOAD_TYPE, 1, 2, 3),
			rtp(77),
			Uint8Array.of(0x80, 200, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1),
			new Uint8Array(0),
		];
		for (let round = 0; round < 40; round++) {
			for (const bytes of garbage) await send(bytes);
			await send(Uint8Array.of(20 + (round % 4), 0xfe, 0xfd, 0, 1, ...randomBytes(30 + round)));
		}
		const header = new RtpHeader({ ssrc: 7, sequenceNumber: 1, payloadType: PAYLOAD_TYPE });
		await peer.connection.dtlsTransports[0]?.sendRtp(Buffer.alloc(100), header);
		await eventually("a packet of the peer", () => received === 1);
		expect(transport.stats.packetsRefused).toBeGreaterThanOrEqual(120);
		expect(transport.sendData(Uint8Array.of(9))).toBe(true);
		await eventually("data at the peer", () => peer.data.length === 1);
		expect(reasons).toEqual([]);
	});

	it("notices a peer that vanished: in trouble after 5 s, gone after 30 s", async () => {
		const clock = new FakeClock();
		await using endpoint = await open({ clock });
		const transport = endpoint.createTransport();
		const reasons = closedReasons(transport);
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		expect(transport.state).toBe("connected");
		// No goodbye: the sockets of the peer are just no more.
		await Promise.all(peer.connection.iceTransports.map((ice) => ice.connection.close()));
		await clock.advance(6_000);
		expect(transport.state).toBe("disconnected");
		await clock.advance(23_000);
		expect(reasons).toEqual([]);
		await clock.advance(2_000);
		expect(reasons.map(({ code }) => code)).toEqual(["webrtc.failed"]);
		expect([transport.state, transport.sendRtp(rtp(1)), endpoint.size]).toEqual(["closed", false, 0]);
		expect([clock.pending, endpoint.stats.routes]).toEqual([0, 0]);
	});

	it("gives up on a peer that never comes", async () => {
		const clock = new FakeClock();
		await using endpoint = await open({ clock });
		const transport = endpoint.createTransport();
		const reasons = closedReasons(transport);
		// Nobody is waited for before it is known who comes.
		await clock.advance(20_000);
		expect(transport.state).toBe("new");
		transport.setRemote({ ...transport.local, setup: "active" });
		await clock.advance(10_000);
		await expect(transport.connected).rejects.toMatchObject({ code: "webrtc.failed" });
		expect(reasons.map(({ message }) => message)).toEqual([
			"The peer did not connect within 10000 ms: no check of the peer came through",
		]);
		expect([clock.pending, endpoint.size]).toEqual([0, 0]);
	});

	it.each(["active", "passive"] as const)("takes no media from an %s peer with another certificate", async (setup) => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		const reasons = closedReasons(transport);
		const setRemote = transport.setRemote.bind(transport);
		transport.setRemote = (remote) => {
			const { algorithm, value } = remote.fingerprint;
			const last = value.endsWith("0") ? "1" : "0";
			setRemote({ ...remote, fingerprint: { algorithm, value: `${value.slice(0, -1)}${last}` } });
		};
		await using _peer = await connectPeer(transport, { setup });
		await expect(transport.connected).rejects.toThrow("is not the one of its fingerprint");
		expect(reasons.map(({ code }) => code)).toEqual(["webrtc.failed"]);
	});

	it("hears the goodbye of its peer, and says its own", async () => {
		await using endpoint = await open();
		const [first, second] = [endpoint.createTransport(), endpoint.createTransport()];
		const reasons = closedReasons(first);
		await using one = await connectPeer(first, { setup: "active" });
		await using two = await connectPeer(second, { setup: "passive" });
		await Promise.all([first.connected, second.connected, one.connected, two.connected]);

		const dtls = two.connection.dtlsTransports[0]?.dtls;
		const goodbye = new Promise<void>((resolve) => dtls?.onClose.subscribe(() => resolve()));
		await second.close();
		await goodbye;

		const theirs = one.connection.dtlsTransports[0]?.dtls;
		const header = { type: 21, version: 0xfefd, epoch: 1, sequenceNumber: 500 };
		const sealed = theirs?.cipher.cipher.encrypt(theirs.sessionType, Buffer.of(1, 0), header) ?? Buffer.alloc(0);
		const record = Buffer.concat([Buffer.of(21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 0xf4, 0, sealed.length), sealed]);
		await theirs?.transport.send(record);
		await eventually("the end", () => reasons.length === 1);
		expect(reasons[0]?.code).toBe("session.closed");
		expect(endpoint.size).toBe(0);
	});

	it("keeps its old credentials after a restart until the peer uses the new ones", async () => {
		await using endpoint = await open();
		const transport = endpoint.createTransport();
		const reasons = closedReasons(transport);
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		const old = transport.local;
		const theirs = /a=ice-ufrag:(.*)/.exec(peer.connection.localDescription?.sdp ?? "")?.[1]?.trim() ?? "";
		await using elsewhere = await stranger(endpoint.udpPort ?? 0);

		transport.restart();
		expect(transport.local.ufrag).not.toBe(old.ufrag);
		await elsewhere.send(check(old, theirs));
		await eventually("an answer to the old", () => elsewhere.received.length === 1);
		await elsewhere.send(check(transport.local, "theirnew"));
		await eventually("an answer to the new", () => elsewhere.received.length === 2);
		expect(elsewhere.received.map((bytes) => bytes[0])).toEqual([1, 1]);
		const before = endpoint.stats.strangers;
		await elsewhere.send(check(old, theirs));
		await eventually("silence for the old", () => endpoint.stats.strangers > before);
		expect([transport.state, reasons.length]).toEqual(["connected", 0]);
	});

	it("serves 50 sessions on one port, and leaves nothing behind", { timeout: 60_000 }, async () => {
		const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith("UDP")).length;
		const before = sockets();
		{
			await using endpoint = await open();
			const counts = new Array<number>(50).fill(0);
			const pairs = [];
			for (const at of counts.keys()) {
				const transport = endpoint.createTransport();
				transport.onRtp = () => void counts.splice(at, 1, (counts[at] ?? 0) + 1);
				const peer = await connectPeer(transport, { setup: at % 2 === 0 ? "active" : "passive" });
				pairs.push({ transport, peer });
			}
			await Promise.all(pairs.flatMap(({ transport, peer }) => [transport.connected, peer.connected]));
			expect(endpoint.size).toBe(50);
			for (const [at, { peer }] of pairs.entries()) {
				const header = new RtpHeader({ ssrc: 7, sequenceNumber: 1, payloadType: PAYLOAD_TYPE });
				for (let count = 0; count <= at % 5; count++) {
					header.sequenceNumber = count;
					await peer.connection.dtlsTransports[0]?.sendRtp(Buffer.alloc(100), header);
				}
			}
			await eventually("the packets of each", () => counts.every((count, at) => count === (at % 5) + 1));
			await Promise.all(pairs.map(({ peer }) => peer[Symbol.asyncDispose]()));
			await endpoint[Symbol.asyncDispose]();
			expect([endpoint.size, endpoint.stats.routes]).toEqual([0, 0]);
		}
		await eventually("no sockets", () => sockets() <= before);
	});
});

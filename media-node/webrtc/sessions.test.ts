import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { DeniedError, StoreError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { recordingLogger, rtpPacket } from "../../test/support/rtp-stream.ts";
import { answeringPeer, type OfferingPeer, offeringPeer } from "../../test/support/webrtc-peer.ts";
import type { AccessRequest, Authenticator, Grant } from "../access/access.ts";
import { PathConfigs } from "../paths/path-configs.ts";
import { PathTable, type PathTableOptions } from "../paths/path-table.ts";
import { parseSdp } from "./sdp/sdp-parse.ts";
import { writeSdp } from "./sdp/sdp-write.ts";
import { Sessions } from "./sessions.ts";
import { WebRtcEndpoint } from "./transport/endpoint.ts";
import type { SessionRequest } from "./webrtc-sessions.ts";

const CAM = parsePathName("cam01");
const VP8_KEY_FRAME = Uint8Array.from([0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1, 2, 3]);
const code = (expected: string) => expect.objectContaining({ code: expected });

function accessOf(action: "publish" | "read"): AccessRequest {
	const client = { ip: "10.0.0.1", user: "ann", password: "", token: "", query: "a=b", userAgent: "Test/1" };
	return { action, path: CAM, protocol: "webrtc", id: "", ...client };
}

function requestOf(action: "publish" | "read", offer: string): SessionRequest {
	return { path: CAM, access: accessOf(action), offer: parseSdp(offer), signal: new AbortController().signal };
}

type WorldOptions = {
	readonly paths?: Record<string, PathOverrides>;
	readonly onPublish?: NonNullable<PathTableOptions["onPublish"]>;
};

/** Sessions over a table of paths and sockets of the loopback. Time stands still, and one timer is of the sessions. */
async function worldOf({ paths = { all_others: {} }, onPublish }: WorldOptions = {}) {
	await using parts = new AsyncDisposableStack();
	const clock = new FakeClock();
	const log = recordingLogger();
	const configs = new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths });
	const table = parts.use(new PathTable({ clock, log, configs, ...(onPublish === undefined ? {} : { onPublish }) }));
	const endpoint = parts.use(
		await WebRtcEndpoint.open({
			udp: { host: "127.0.0.1", port: 0, key: "webrtcLocalUDPAddress" },
			tcp: null,
			readBufferBytes: 0,
			hosts: { fromInterfaces: true, interfaces: [], additionalHosts: [] },
			handshakeTimeoutMs: 10_000,
			clock,
			log,
		}),
	);
	const door = { grant: { subject: "ann", expiresMs: null } as Grant, refusal: null as Error | null };
	const asked: AccessRequest[] = [];
	const authenticator: Authenticator = {
		authorize: async (request) => {
			asked.push(request);
			if (door.refusal !== null) throw door.refusal;
			return door.grant;
		},
	};
	const sessions = parts.use(new Sessions({ endpoint, table, authenticator, opusOf: () => null, clock, log }));
	const all = parts.move();
	/** Begins a session for a peer of another make, and waits until both ends are connected. */
	const join = async (action: "publish" | "read") => {
		const peer = all.use(await offeringPeer(action === "publish" ? "sendonly" : "recvonly"));
		const session = await sessions[action](requestOf(action, peer.offer));
		await peer.connect(writeSdp(session.answer));
		await eventually("connected", () => sessions.list().find(({ id }) => id === session.id)?.connected);
		return { peer, session };
	};
	/** Somebody who publishes by another door. */
	const publishOtherwise = (wanted: number[] = [], evicted: string[] = []) =>
		table.publish({
			path: CAM,
			tracks: [VIDEO],
			publisher: { id: "other", protocol: "rtsp", remoteAddress: "10.0.0.2:5000" },
			onEvicted: (reason) => evicted.push(reason.code),
			onKeyFrameNeeded: (track) => wanted.push(track),
		});
	return {
		...{ clock, log, table, endpoint, door, asked, sessions, join, publishOtherwise },
		[Symbol.asyncDispose]: () => all.disposeAsync(),
	};
}

const VIDEO = {
	kind: "video",
	codec: { name: "VP8" },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
} as const;

const vp8 = (sequence: number) =>
	rtpPacket({ sequence, timestamp: sequence * 3000, payload: VP8_KEY_FRAME, marker: true });

async function offerOf(action: "publish" | "read"): Promise<string> {
	await using peer = await offeringPeer(action === "publish" ? "sendonly" : "recvonly");
	return peer.offer;
}

/** Of packets of all peers: what one sends has no gaps within a test. */
let nextSequence = 100;

async function sendUntil(peer: OfferingPeer, what: string, isDone: () => boolean): Promise<void> {
	await eventually(what, async () => {
		await peer.send(vp8(nextSequence++));
		return isDone();
	});
}

describe("a session that is refused", () => {
	it.each(["publish", "read"] as const)("for want of the right to %s leaves no transport open", async (action) => {
		await using world = await worldOf();
		world.door.refusal = new DeniedError("access.forbidden", "no");
		const begun = world.sessions[action](requestOf(action, await offerOf(action)));
		await expect(begun).rejects.toBeInstanceOf(DeniedError);
		expect(world.endpoint.size).toBe(0);
		expect(world.asked).toEqual([{ ...accessOf(action), id: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
	});

	it("for a conflict leaves no transport open, and the publisher in peace", async () => {
		await using world = await worldOf({ paths: { cam01: { overridePublisher: false } } });
		const evicted: string[] = [];
		await world.publishOtherwise([], evicted);
		const begun = world.sessions.publish(requestOf("publish", await offerOf("publish")));
		await expect(begun).rejects.toEqual(code("path.conflict"));
		expect([world.endpoint.size, world.sessions.list(), evicted]).toEqual([0, [], []]);
	});

	it.each(["publish", "read"] as const)(
		"for a path that is not configured: %s leaves no transport open",
		async (action) => {
			await using world = await worldOf({ paths: { other: {} } });
			const begun = world.sessions[action](requestOf(action, await offerOf(action)));
			await expect(begun).rejects.toEqual(code("path.not_configured"));
			expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
		},
	);

	it("because nobody publishes leaves no transport open", async () => {
		await using world = await worldOf();
		const begun = world.sessions.read(requestOf("read", await offerOf("read")));
		await expect(begun).rejects.toEqual(code("stream.not_found"));
		expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
	});

	it("because its fingerprint proves nothing leaves no transport open", async () => {
		await using world = await worldOf();
		const offer = (await offerOf("publish")).replace(
			/^a=fingerprint:.*$/gm,
			`a=fingerprint:sha-1 ${"AB:".repeat(19)}AB`,
		);
		await expect(world.sessions.publish(requestOf("publish", offer))).rejects.toEqual(code("webrtc.failed"));
		expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
	});

	it("because the node is stopping leaves no transport open", async () => {
		await using world = await worldOf();
		const request = requestOf("publish", await offerOf("publish"));
		await world.sessions[Symbol.asyncDispose]();
		await expect(world.sessions.publish(request)).rejects.toEqual(code("session.closed"));
		expect(world.endpoint.size).toBe(0);
	});
});

describe("a session that publishes", () => {
	it("publishes the tracks of its offer once it has connected, and ends its publication with itself", async () => {
		await using world = await worldOf();
		await using peer = await offeringPeer("sendonly");
		const session = await world.sessions.publish(requestOf("publish", peer.offer));
		expect(world.table.list()).toEqual([]);
		expect(world.sessions.list()).toMatchObject([{ connected: false, remoteAddress: "10.0.0.1" }]);
		await peer.connect(writeSdp(session.answer));
		const stream = await eventually("published", () => world.table.list()[0]);
		expect(stream.tracks).toMatchObject([{ kind: "video", codec: { name: "VP8" }, clockRate: 90_000 }]);
		expect(stream.publisher).toMatchObject({ id: session.id, protocol: "webrtc", type: "webRTCSession", query: "a=b" });
		await sendUntil(peer, "packets come", () => (world.table.list()[0]?.packetsReceived ?? 0) > 2);
		await session.close();
		expect(world.table.list()).toMatchObject([{ ready: false, publisher: null }]);
		expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
	});

	it("is shown with what it is and what it brought", async () => {
		await using world = await worldOf();
		const { peer, session } = await world.join("publish");
		await sendUntil(peer, "packets come", () => (world.table.list()[0]?.packetsReceived ?? 0) > 2);
		await world.clock.advance(1_000);
		expect(world.sessions.list()).toEqual([
			{
				...{ id: session.id, path: CAM, state: "publish", connected: true, createdMs: world.clock.now() - 1_000 },
				...{ query: "a=b", user: "ann", userAgent: "Test/1", packetsLost: 0, framesDiscarded: 0 },
				...{ packetsRepaired: 0, recoveredByFec: 0, roundTrip: null, bitrateLimit: null, freezes: 0 },
				jitter: expect.any(Number),
				bitrate: expect.any(Number),
				keyFrameRequests: expect.any(Number),
				remoteAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+:\d+$/),
				bytesReceived: expect.toSatisfy((bytes: number) => bytes > 100),
				bytesSent: expect.toSatisfy((bytes: number) => bytes > 0),
				packetsReceived: expect.toSatisfy((packets: number) => packets > 2),
				packetsSent: 0,
				rtcpPacketsSent: expect.toSatisfy((packets: number) => packets > 0),
				rtcpPacketsReceived: expect.any(Number),
				localCandidate: expect.stringMatching(/^host\/udp\/[\d.]+\/\d+$/),
				remoteCandidate: expect.stringMatching(/^(host|prflx|srflx)\/udp\/[\d.]+\/\d+$/),
			},
		]);
	});

	it("ends for the reason for which the stream throws it out", async () => {
		await using world = await worldOf();
		const { session } = await world.join("publish");
		await world.publishOtherwise();
		expect(await session.closed).toEqual(code("path.conflict"));
		expect(world.endpoint.size).toBe(0);
		expect(world.table.list()[0]?.publisher?.id).toBe("other");
	});

	it("asks its peer for a key frame when a reader needs one, and not else", async () => {
		await using world = await worldOf();
		const { peer } = await world.join("publish");
		await sendUntil(peer, "packets come", () => world.table.list()[0]?.packetsReceived === 2);
		await world.clock.advance(600);
		const before = peer.pictureLosses();
		(await world.table.read(CAM)).askKeyFrame(0);
		await eventually("a reader's wish is told", () => peer.pictureLosses() > before);
		const received = world.table.list()[0]?.packetsReceived ?? 0;
		await sendUntil(peer, "it is fulfilled", () => (world.table.list()[0]?.packetsReceived ?? 0) > received);
		await world.clock.advance(5_000);
		expect(world.sessions.list()[0]?.keyFrameRequests).toBe(peer.pictureLosses());
	});

	it.each([
		["the table's", new StoreError("timeline.fenced", "owned by another node"), "timeline.fenced", 0],
		["a fault's", new TypeError("fault"), "session.closed", 1],
	])("ends for %s reason when it cannot begin, and leaks nothing", async (_, error, expected, errors) => {
		await using world = await worldOf({ onPublish: () => Promise.reject(error) });
		await using peer = await offeringPeer("sendonly");
		const session = await world.sessions.publish(requestOf("publish", peer.offer));
		peer.connect(writeSdp(session.answer)).catch(() => "the session may end before the peer sees that it connected");
		expect(await session.closed).toEqual(code(expected));
		expect([world.endpoint.size, world.sessions.list(), world.table.list()]).toEqual([0, [], []]);
		expect(world.log.lines.filter(({ level }) => level === "error")).toHaveLength(errors);
		expect(world.clock.pending).toBe(1);
	});

	it("that ends while its path is being opened publishes nothing", async () => {
		const opening = Promise.withResolvers<void>();
		const reached = Promise.withResolvers<void>();
		const onPublish = () => {
			reached.resolve();
			return opening.promise;
		};
		await using world = await worldOf({ onPublish });
		await using peer = await offeringPeer("sendonly");
		const session = await world.sessions.publish(requestOf("publish", peer.offer));
		await peer.connect(writeSdp(session.answer));
		await reached.promise;
		await session.close();
		opening.resolve();
		await settle();
		expect([world.table.list(), world.endpoint.size, world.clock.pending]).toEqual([[], 0, 1]);
	});
});

describe("a session that reads", () => {
	it("gets the packets of the stream, and gives its seat back when it leaves", async () => {
		await using world = await worldOf();
		const publication = await world.publishOtherwise();
		const { peer, session } = await world.join("read");
		expect(world.table.list()[0]?.readers).toEqual([
			{ id: session.id, type: "webRTCSession", remoteAddress: expect.stringMatching(/^\d.*:\d+$/), query: "a=b" },
		]);
		await eventually("packets come", async () => {
			const packet = vp8(nextSequence++);
			publication.writePacket(0, packet, 0, packet.length);
			publication.flush();
			await world.clock.advance(33);
			return peer.packets.length > 3;
		});
		expect(peer.packets[0]?.payload).toEqual(Buffer.from(VP8_KEY_FRAME));
		expect(world.sessions.list()).toMatchObject([{ state: "read", framesDiscarded: 0, packetsLost: 0 }]);
		await session.close();
		expect(world.table.list()[0]?.readers).toEqual([]);
		expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
	});

	it("asks who publishes for a key frame when its peer wants one", async () => {
		await using world = await worldOf();
		const asked: number[] = [];
		await world.publishOtherwise(asked);
		const { peer, session } = await world.join("read");
		await peer.askKeyFrame(session.answer.sections[0]?.ssrcs[0]?.ssrc ?? 0);
		await eventually("it is asked", () => asked.length > 0);
		expect(asked).toEqual([0]);
	});

	it("ends when the stream ends", async () => {
		await using world = await worldOf();
		await world.publishOtherwise();
		const { session } = await world.join("read");
		world.table.close();
		expect(await session.closed).toEqual(code("stream.ended"));
		expect(world.endpoint.size).toBe(0);
	});

	it("ends when the stream has ended before it connected", async () => {
		await using world = await worldOf();
		await world.publishOtherwise();
		await using peer = await offeringPeer("recvonly");
		const session = await world.sessions.read(requestOf("read", peer.offer));
		world.table.close();
		peer.connect(writeSdp(session.answer)).catch(() => "the session may end before the peer sees that it connected");
		expect(await session.closed).toEqual(code("stream.ended"));
		expect([world.endpoint.size, world.clock.pending]).toEqual([0, 1]);
	});
});

describe("a counter-offer to a viewer that takes nothing of the stream", () => {
	const unmet = async () => requestOf("read", (await offerOf("read")).replaceAll("VP8/90000", "VP9/90000"));

	it("is of what the stream has, and is answered by a peer of another make, which gets it", async () => {
		await using world = await worldOf();
		const publication = await world.publishOtherwise();
		const session = await world.sessions.read(await unmet());
		expect(session.isCounterOffer).toBe(true);
		await using peer = await answeringPeer(writeSdp(session.answer));
		session.accept(parseSdp(peer.answer));
		expect(() => session.accept(parseSdp(peer.answer))).toThrow(expect.objectContaining({ code: "input.invalid" }));
		await eventually("connected", () => world.sessions.list()[0]?.connected);
		await eventually("it comes", () => {
			const packet = vp8(nextSequence++);
			publication.writePacket(0, packet, 0, packet.length);
			publication.flush();
			return peer.packets.length > 0;
		});
		await session.close();
		expect(world.endpoint.size).toBe(0);
	});

	it("ends when nobody answers it within 30 s", async () => {
		await using world = await worldOf();
		await world.publishOtherwise();
		const session = await world.sessions.read(await unmet());
		await world.clock.advance(29_000);
		expect(world.sessions.list()).toHaveLength(1);
		await world.clock.advance(1_000);
		expect(await session.closed).toEqual(code("session.closed"));
		expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
	});

	it("is none for who publishes, and what answers nothing is refused", async () => {
		await using world = await worldOf();
		const { session } = await world.join("publish");
		expect(session.isCounterOffer).toBe(false);
		expect(() => session.accept(session.answer)).toThrow(expect.objectContaining({ code: "input.invalid" }));
	});
});

describe("a session that lives", () => {
	it("is ended by its name", async () => {
		await using world = await worldOf();
		const { session } = await world.join("publish");
		expect(world.sessions.kick("nobody")).toBe(false);
		expect(world.sessions.kick(session.id)).toBe(true);
		expect(await session.closed).toMatchObject({ message: "The session was ended by the administrator" });
		await settle();
		expect(world.sessions.kick(session.id)).toBe(false);
	});

	it("ends when its token has expired, and not before", async () => {
		await using world = await worldOf();
		world.door.grant = { subject: "ann", expiresMs: world.clock.now() + 5_000 };
		const { session } = await world.join("publish");
		await world.clock.advance(4_900);
		expect(world.sessions.list()).toHaveLength(1);
		await world.clock.advance(1_000);
		expect(await session.closed).toMatchObject({ message: expect.stringContaining("has expired") });
	});

	it("lives on while nobody can be asked whether it may, and ends when it may not", async () => {
		await using world = await worldOf();
		const { session } = await world.join("publish");
		world.door.refusal = new StoreError("store.unavailable", "away");
		world.sessions.reauthorize();
		await settle();
		expect(world.asked.map(({ id }) => id)).toEqual([session.id, session.id]);
		expect(world.sessions.list()).toHaveLength(1);
		world.door.refusal = new DeniedError("access.forbidden", "no");
		world.sessions.reauthorize();
		expect(await session.closed).toMatchObject({ code: "session.closed", cause: world.door.refusal });
		expect(world.endpoint.size).toBe(0);
	});

	it("takes over how long it may from the newest answer", async () => {
		await using world = await worldOf();
		const { session } = await world.join("publish");
		world.door.grant = { subject: "ann", expiresMs: world.clock.now() + 2_000 };
		world.sessions.reauthorize();
		await world.clock.advance(3_000);
		expect(await session.closed).toMatchObject({ message: expect.stringContaining("has expired") });
	});

	it("has other credentials after a restart of ICE, and goes on", async () => {
		await using world = await worldOf();
		const { peer, session } = await world.join("publish");
		const { etag, remoteIce } = session;
		const ice = { ufrag: "anew", pwd: "anewanewanewanewanewanew" };
		const fragment = { ice, iceOptions: [], iceLite: false, section: null, candidates: [], endOfCandidates: false };
		const local = await session.iceRestart(fragment);
		expect(session.remoteIce).toEqual(ice);
		expect(remoteIce).not.toEqual(ice);
		expect(session.etag).not.toBe(etag);
		expect(session.etag).toMatch(/^[A-Za-z0-9_-]+$/);
		expect(local.ice?.ufrag).not.toBe(session.answer.sections[0]?.ice?.ufrag);
		expect(local.candidates).toHaveLength(1);
		const before = world.table.list()[0]?.packetsReceived ?? 0;
		await sendUntil(peer, "packets go on", () => (world.table.list()[0]?.packetsReceived ?? 0) > before + 2);
		await session.close();
		await expect(session.iceRestart(fragment)).rejects.toEqual(code("media.unsupported"));
	});

	it("ends with the sessions, all of which settle and give back what they held", async () => {
		await using world = await worldOf();
		const publisher = await world.join("publish");
		const viewer = await world.join("read");
		const waiting = await world.sessions.publish(requestOf("publish", await offerOf("publish")));
		await world.sessions[Symbol.asyncDispose]();
		await world.sessions[Symbol.asyncDispose]();
		const reasons = await Promise.all([publisher.session, viewer.session, waiting].map(({ closed }) => closed));
		expect(reasons).toEqual(Array(3).fill(expect.objectContaining({ message: "The media node is stopping" })));
		expect([world.endpoint.size, world.sessions.list()]).toEqual([0, []]);
		world.table.close();
		expect(world.clock.pending).toBe(0);
	});

	it("ends when its peer never connects", async () => {
		await using world = await worldOf();
		const session = await world.sessions.publish(requestOf("publish", await offerOf("publish")));
		await world.clock.advance(10_000);
		expect(await session.closed).toEqual(code("webrtc.failed"));
		expect([world.endpoint.size, world.clock.pending]).toEqual([0, 1]);
	});
});

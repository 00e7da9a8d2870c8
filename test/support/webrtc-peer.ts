import { createSecretKey } from "node:crypto";
import dgram from "node:dgram";
import {
	type MediaStreamTrack,
	RTCPeerConnection,
	type RTCRtpTransceiver,
	type RtpPacket,
	useNACK,
	usePLI,
	useVP8,
} from "werift";
import { parseStun } from "../../media-node/webrtc/transport/stun.ts";
import { writeBindingSuccess } from "../../media-node/webrtc/transport/stun-writer.ts";
import type { DtlsSetup, LocalDescription, WebRtcTransport } from "../../media-node/webrtc/transport/transport.ts";

/** Numbers of SRTP profiles, as DTLS has them. */
export type ProfileNumber = 1 | 7;

/** A whole agent of another make, which checks and nominates, for one of our transports. */
export type WebRtcPeer = AsyncDisposable & {
	readonly connection: RTCPeerConnection;
	/** What the peer receives and sends by. */
	readonly transceiver: RTCRtpTransceiver;
	/** Resolves when the peer is connected. */
	readonly connected: Promise<void>;
	/** SSRC of what the peer sends. */
	readonly ssrc: number;
	/** Tracks that the peer found in what it received. */
	readonly tracks: readonly MediaStreamTrack[];
	/** Sends a packet as SCTP would be. */
	sendData(bytes: Uint8Array): Promise<void>;
	/** Packets as of SCTP that the peer received. */
	readonly data: readonly Uint8Array[];
};

/** SSRC that the peer expects. */
export const OUR_SSRC = 0x5105;
export const PAYLOAD_TYPE = 96;

/** Connects a peer of werift to a transport; `setup` is what the peer is in DTLS. */
export async function connectPeer(
	transport: WebRtcTransport,
	{ setup, profiles = [7, 1] }: { setup: Exclude<DtlsSetup, "actpass">; profiles?: readonly ProfileNumber[] },
): Promise<WebRtcPeer> {
	await using stun = await stunServer();
	const connection = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${stun.port}` }] });
	const transceiver = connection.addTransceiver("video", { direction: "sendrecv" });
	const tracks: MediaStreamTrack[] = [];
	connection.onTrack.subscribe((track) => void tracks.push(track));
	// The offer is ours in the end: the peer says who begins DTLS.
	await connection.setRemoteDescription({ type: "offer", sdp: offerOf(transport.local, setup) });
	for (const one of connection.dtlsTransports)
		Object.assign(one, { srtpProfiles: profiles, role: setup === "active" ? "client" : "server" });
	await connection.setLocalDescription(await connection.createAnswer());
	const sdp = connection.localDescription?.sdp ?? "";
	const value = (name: string) => new RegExp(`^a=${name}:(.*)$`, "m").exec(sdp)?.[1]?.trim() ?? "";
	const [algorithm = "", hash = ""] = value("fingerprint").split(" ");
	transport.setRemote({
		ufrag: value("ice-ufrag"),
		pwd: value("ice-pwd"),
		fingerprint: { algorithm, value: hash },
		setup: value("setup") === "active" ? "active" : "passive",
	});
	const connected = new Promise<void>((resolve, reject) => {
		const look = (state: string) => {
			if (state === "connected") resolve();
			else if (state === "failed" || state === "closed") reject(new Error(`The peer is ${state}`));
		};
		connection.connectionStateChange.subscribe(look);
		look(connection.connectionState);
	});
	connected.catch(() => {});
	const data: Uint8Array[] = [];
	const dtls = async () => {
		await connected;
		const socket = connection.dtlsTransports[0]?.dtls;
		if (socket === undefined) throw new Error("The peer has no DTLS");
		return socket;
	};
	dtls().then(
		(socket) => socket.onData.subscribe((bytes) => void data.push(bytes)),
		() => {},
	);
	return {
		...{ connection, transceiver, connected, tracks, data },
		ssrc: transceiver.sender.ssrc,
		sendData: async (bytes) => (await dtls()).send(Buffer.from(bytes)),
		[Symbol.asyncDispose]: () => connection.close(),
	};
}

/** A whole agent of another make that offers VP8, as a client of WHIP or WHEP does. */
export type OfferingPeer = AsyncDisposable & {
	readonly offer: string;
	/** How often it was asked for a key frame. */
	readonly pictureLosses: () => number;
	/** What it received. */
	readonly packets: readonly RtpPacket[];
	/** Takes the answer; resolves when the peer is connected. */
	connect(answer: string): Promise<void>;
	/** Sends a packet of VP8 in clear, as its own. */
	send(packet: Uint8Array): Promise<void>;
	/** Asks for a key frame of what it receives. */
	askKeyFrame(ssrc: number): Promise<void>;
};

export async function offeringPeer(direction: "sendonly" | "recvonly"): Promise<OfferingPeer> {
	await using stun = await stunServer();
	const connection = new RTCPeerConnection({
		iceServers: [{ urls: `stun:127.0.0.1:${stun.port}` }],
		codecs: { video: [useVP8({ payloadType: PAYLOAD_TYPE, rtcpFeedback: [useNACK(), usePLI()] })], audio: [] },
	});
	const { sender, receiver } = connection.addTransceiver("video", { direction });
	const packets: RtpPacket[] = [];
	connection.onTrack.subscribe((track) => void track.onReceiveRtp.subscribe((packet) => void packets.push(packet)));
	let pictureLosses = 0;
	sender.onPictureLossIndication.subscribe(() => void pictureLosses++);
	await connection.setLocalDescription(await connection.createOffer());
	return {
		offer: connection.localDescription?.sdp ?? "",
		pictureLosses: () => pictureLosses,
		packets,
		connect: async (answer) => {
			const connected = connection.connectionStateChange.watch((state) => state === "connected", 10_000);
			await connection.setRemoteDescription({ type: "answer", sdp: answer });
			await connected;
		},
		send: (packet) => sender.sendRtp(Buffer.from(packet)),
		askKeyFrame: (ssrc) => receiver.sendRtcpPLI(ssrc),
		[Symbol.asyncDispose]: () => connection.close(),
	};
}

/** A whole agent of another make that answers an offer of VP8, as a client of WHEP does with a counter-offer. */
export async function answeringPeer(
	offer: string,
): Promise<AsyncDisposable & { readonly answer: string; readonly packets: readonly RtpPacket[] }> {
	await using stun = await stunServer();
	const connection = new RTCPeerConnection({
		iceServers: [{ urls: `stun:127.0.0.1:${stun.port}` }],
		codecs: { video: [useVP8({ payloadType: PAYLOAD_TYPE, rtcpFeedback: [useNACK(), usePLI()] })], audio: [] },
	});
	const packets: RtpPacket[] = [];
	connection.onTrack.subscribe((track) => void track.onReceiveRtp.subscribe((packet) => void packets.push(packet)));
	await connection.setRemoteDescription({ type: "offer", sdp: offer });
	await connection.setLocalDescription(await connection.createAnswer());
	const answer = connection.localDescription?.sdp ?? "";
	return { answer, packets, [Symbol.asyncDispose]: () => connection.close() };
}

/** Without an answer of a server the peer waits 5 s, and without a server it asks one on the internet. */
export async function stunServer(): Promise<AsyncDisposable & { readonly port: number }> {
	const socket = dgram.createSocket("udp4");
	const key = createSecretKey("any", "latin1");
	socket.on("message", (bytes, from) => {
		const message = parseStun(bytes);
		if (message !== null) socket.send(writeBindingSuccess(message.transactionId, from, key), from.port, from.address);
	});
	await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
	return {
		port: socket.address().port,
		[Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
	};
}

function offerOf({ ufrag, pwd, fingerprint, candidates }: LocalDescription, peerSetup: "active" | "passive"): string {
	const lines = [
		"v=0",
		"o=- 1 1 IN IP4 127.0.0.1",
		"s=-",
		"t=0 0",
		"a=ice-lite",
		"a=group:BUNDLE 0",
		"m=video 9 UDP/TLS/RTP/SAVPF 96",
		"c=IN IP4 0.0.0.0",
		"a=mid:0",
		"a=sendrecv",
		"a=rtcp-mux",
		"a=rtpmap:96 VP8/90000",
		`a=ssrc:${OUR_SSRC} cname:us`,
		`a=ice-ufrag:${ufrag}`,
		`a=ice-pwd:${pwd}`,
		`a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
		`a=setup:${peerSetup === "active" ? "passive" : "active"}`,
		...candidates.map((candidate) => `a=${candidate}`),
		"a=end-of-candidates",
	];
	return `${lines.join("\r\n")}\r\n`;
}

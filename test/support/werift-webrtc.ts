/** werift as a whole WebRTC client, with FFmpeg as what it films with and what it records with. */

import dgram from "node:dgram";
import { writeFile } from "node:fs/promises";
import { RTCPeerConnection, type RtpPacket, useH264, useNACK, useOPUS, usePLI } from "werift";
import { freeUdpPairs } from "./free-port.ts";
import { Program } from "./program.ts";
import type { Amount } from "./rtsp-clients.ts";
import { stunServer } from "./webrtc-peer.ts";
import { postOffer } from "./whip-client.ts";

const HOST = "127.0.0.1";
const KINDS = ["video", "audio"] as const;
type Kind = (typeof KINDS)[number];

const PAYLOAD_TYPES: Readonly<Record<Kind, number>> = { video: 96, audio: 97 };
const H264 = { parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f" };
const CODECS = {
	video: [useH264({ ...H264, payloadType: PAYLOAD_TYPES.video, rtcpFeedback: [useNACK(), usePLI()] })],
	audio: [useOPUS({ payloadType: PAYLOAD_TYPES.audio })],
};

/** A peer and the FFmpeg that it sends from, or gives what it receives. */
export type WeriftPeer = AsyncDisposable & { readonly program: Program };

/** Publishes film and sound of a Matroska file, once, in real time. */
export async function publishWerift(film: string, url: string): Promise<WeriftPeer> {
	await using stack = new AsyncDisposableStack();
	const connection = await connect(stack, `${url}/whip`, "sendonly");
	const ports = [];
	for (const { kind, sender } of connection.getTransceivers()) {
		const socket = await boundSocket(stack);
		socket.on("message", (bytes) => void sender.sendRtp(bytes));
		const reports = (await boundSocket(stack)).address().port;
		ports.push({ kind, url: `rtp://${HOST}:${socket.address().port}?rtcpport=${reports}&pkt_size=1200` });
	}
	const output = ({ kind, url }: { kind: string; url: string }) => [
		...["-map", `0:${kind[0]}`, "-c", "copy"],
		// The film has parameter sets in its head only.
		...(kind === "video" ? ["-bsf:v", "h264_mp4toannexb"] : []),
		...["-payload_type", String(PAYLOAD_TYPES[kind as Kind]), "-f", "rtp", url],
	];
	const program = stack.use(new Program("ffmpeg", ["-v", "error", "-re", "-i", film, ...ports.flatMap(output)]));
	return owning(stack.move(), program);
}

/** Reads so much film and sound into a Matroska file, whereupon FFmpeg ends. */
export async function readWerift(url: string, out: string, { video, audio }: Amount): Promise<WeriftPeer> {
	await using stack = new AsyncDisposableStack();
	const pairs = await freeUdpPairs(KINDS.length);
	const ports = { video: pairs[0]?.rtp ?? 0, audio: pairs[1]?.rtp ?? 0 };
	const description = `${out}.sdp`;
	await writeFile(description, descriptionOf(ports));
	const program = stack.use(
		new Program("ffmpeg", [
			...["-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file,udp,rtp", "-i", description, "-c", "copy"],
			...["-frames:v", String(video), "-frames:a", String(audio), out],
		]),
	);
	const socket = await boundSocket(stack);
	await connect(stack, `${url}/whep`, "recvonly", (kind, packet) => {
		socket.send(packet.serialize(), ports[kind], HOST);
	});
	return owning(stack.move(), program);
}

function owning(owned: AsyncDisposableStack, program: Program): WeriftPeer {
	return { program, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Take = (kind: Kind, packet: RtpPacket) => void;

async function connect(
	stack: AsyncDisposableStack,
	url: string,
	direction: "sendonly" | "recvonly",
	take: Take = () => {},
): Promise<RTCPeerConnection> {
	await using stun = await stunServer();
	const connection = new RTCPeerConnection({
		codecs: CODECS,
		iceServers: [{ urls: `stun:${HOST}:${stun.port}` }],
		iceAdditionalHostAddresses: [HOST],
		iceUseIpv6: false,
	});
	stack.defer(() => connection.close());
	for (const kind of KINDS) connection.addTransceiver(kind, { direction });
	connection.onTrack.subscribe((track) => {
		track.onReceiveRtp.subscribe((packet) => take(track.kind === "video" ? "video" : "audio", packet));
	});
	await connection.setLocalDescription(await connection.createOffer());
	const connected = connection.connectionStateChange.watch((state) => state === "connected", 20_000);
	const session = stack.use(await postOffer(url, connection.localDescription?.sdp ?? ""));
	await connection.setRemoteDescription({ type: "answer", sdp: session.answer });
	await connected;
	return connection;
}

/** What FFmpeg has to know of packets that come without a word. */
function descriptionOf(ports: Readonly<Record<Kind, number>>): string {
	const { video, audio } = PAYLOAD_TYPES;
	const lines = [
		...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", `c=IN IP4 ${HOST}`, "t=0 0"],
		...[`m=video ${ports.video} RTP/AVP ${video}`, `a=rtpmap:${video} H264/90000`],
		...[`a=fmtp:${video} packetization-mode=1`],
		...[`m=audio ${ports.audio} RTP/AVP ${audio}`, `a=rtpmap:${audio} opus/48000/2`],
	];
	return `${lines.join("\r\n")}\r\n`;
}

async function boundSocket(stack: AsyncDisposableStack): Promise<dgram.Socket> {
	const socket = dgram.createSocket("udp4");
	await new Promise<void>((resolve, reject) => socket.once("error", reject).bind(0, HOST, resolve));
	// FFmpeg may be gone before its last packet is.
	socket.on("error", () => undefined);
	stack.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
	return socket;
}

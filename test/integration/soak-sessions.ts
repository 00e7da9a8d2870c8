/** What the clients of the soak test do: well, badly, and not to the end. */

import { randomBytes } from "node:crypto";
import { H264_PPS, H264_SPS, nal, rtpPacket } from "../support/rtp-stream.ts";
import { Caller } from "./soak-caller.ts";

/** `number`: of the session, unique in the test. */
type Session = (caller: Caller, number: number) => Promise<void>;

const url = (path: string) => `rtsp://127.0.0.1/${path}`;
const TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
const SDP =
	"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:streamid=0\r\n";
const FRAMES = [H264_SPS, H264_PPS, nal(5, 900), nal(1, 500), nal(1, 500)].map((payload, sequence) =>
	rtpPacket({ sequence, timestamp: sequence * 3000, payload, marker: sequence >= 2 }),
);
const basic = (user: string, password: string) =>
	`Authorization: Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const options: Session = async (caller) => {
	await caller.speakRtsp().ask(200, "OPTIONS", url("live"));
	await caller.leave();
};

const nothing: Session = (caller) => caller.leave();

async function play(caller: Caller): Promise<void> {
	await caller.speakRtsp().ask(200, "DESCRIBE", url("live"), ["Accept: application/sdp"]);
	await caller.ask(200, "SETUP", url("live/trackID=0"), [TCP]);
	await caller.ask(200, "PLAY", url("live/"));
	await caller.frames(3);
}

const reader: Session = async (caller) => {
	await play(caller);
	await caller.ask(200, "TEARDOWN", url("live/"));
	await caller.leave();
};

const readerCut: Session = async (caller) => {
	await play(caller);
	await caller.reset();
};

const datagramReader: Session = async (caller, number) => {
	const rtp = 40_000 + 2 * (number % 10_000);
	await caller.speakRtsp().ask(200, "DESCRIBE", url("live"));
	await caller.ask(200, "SETUP", url("live/trackID=0"), [`Transport: RTP/AVP;unicast;client_port=${rtp}-${rtp + 1}`]);
	await caller.ask(200, "PLAY", url("live/"));
	if (number % 2 === 0) await caller.ask(200, "TEARDOWN", url("live/"));
	await caller.leave();
};

async function publish(caller: Caller, path: string): Promise<void> {
	await caller.speakRtsp().ask(200, "ANNOUNCE", url(path), ["Content-Type: application/sdp"], SDP);
	await caller.ask(200, "SETUP", url(`${path}/streamid=0`), [`${TCP};mode=record`]);
	await caller.ask(200, "RECORD", url(path));
	for (const frame of FRAMES) caller.frame(frame);
}

const publisher: Session = async (caller, number) => {
	await publish(caller, `brief/${number}`);
	await caller.ask(200, "TEARDOWN", url(`brief/${number}`));
	await caller.leave();
};

/** Its stream waits a second for it to come back. */
const publisherCut: Session = async (caller, number) => {
	await publish(caller, `patient/${number}`);
	await caller.reset();
};

const garbage: Session = async (caller, number) => {
	caller.send(randomBytes(1 + (number % 2000)));
	await caller.leave();
};

/** The end of what it asks never comes. */
const halfOpen: Session = async (caller, number) => {
	const whole = `ANNOUNCE ${url("brief/x")} RTSP/1.0\r\nCSeq: 1\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`;
	caller.send(whole.slice(0, 1 + (number % (whole.length - 1))));
	await new Promise((resolve) => setTimeout(resolve, number % 50));
	await caller.reset();
};

const stranger: Session = async (caller) => {
	await caller.speakRtsp().ask(401, "DESCRIBE", url("private"));
	await caller.leave();
};

const viewer: Session = async (caller) => {
	await caller.speakRtsp().ask(404, "DESCRIBE", url("private"), [basic("viewer", "a-long-password")]);
	await caller.leave();
};

/** Every other one leaves in the pause before the answer. */
const burglar: Session = async (caller, number) => {
	caller.speakRtsp();
	const guess = [basic("viewer", `guess-${number}`)];
	if (number % 2 === 0) {
		await caller.ask(401, "DESCRIBE", url("private"), guess);
		await caller.leave();
	} else {
		caller.request("DESCRIBE", url("private"), guess);
		await new Promise((resolve) => setTimeout(resolve, 20));
		await caller.reset();
	}
};

const tunnelGet = (number: number) =>
	`GET /live HTTP/1.0\r\nx-sessioncookie: soak${number}\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n`;

const tunnelCut: Session = async (caller, number) => {
	caller.speakText().send(tunnelGet(number));
	await caller.says("200 OK");
	await caller.reset();
};

const tunnel: Session = async (caller, number) => {
	caller.speakText().send(tunnelGet(number));
	await caller.says("200 OK\r\n");
	const { remotePort = 0, localAddress = "" } = caller.socket;
	const post = await Caller.connect(remotePort, localAddress);
	const request = Buffer.from(`OPTIONS ${url("live")} RTSP/1.0\r\nCSeq: 1\r\n\r\n`).toString("base64");
	post.send(
		`POST /live HTTP/1.0\r\nx-sessioncookie: soak${number}\r\nContent-Type: application/x-rtsp-tunnelled\r\nContent-Length: 32767\r\n\r\n${request}`,
	);
	await caller.says("RTSP/1.0 200 OK");
	if (number % 2 === 0) await post.reset();
	else post.socket.resume().end();
	await caller.leave();
	post.socket.destroy();
};

const webSocketCut: Session = async (caller) => {
	caller
		.speakText()
		.send(
			"GET /live HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n",
		);
	await caller.says("101 Switching Protocols");
	await caller.reset();
};

/** How often each comes among fifty. */
const MIX = [
	["options", options, 10],
	["nothing", nothing, 2],
	["reader", reader, 8],
	["reader that is cut", readerCut, 3],
	["reader over UDP", datagramReader, 3],
	["publisher", publisher, 5],
	["publisher that is cut", publisherCut, 3],
	["garbage", garbage, 4],
	["half-open connection", halfOpen, 3],
	["stranger", stranger, 1],
	["viewer", viewer, 1],
	["burglar", burglar, 1],
	["tunnel that is cut", tunnelCut, 3],
	["tunnel", tunnel, 2],
	["WebSocket that is cut", webSocketCut, 1],
] as const satisfies readonly (readonly [string, Session, number])[];

const ROUND = MIX.flatMap(([name, run, count]) => Array.from({ length: count }, () => ({ name, run })));

/** Runs one session from its connection to its end. */
export async function runSession(port: number, number: number): Promise<void> {
	// A step of seven, which has no divisor in common with fifty, mixes kinds that stand together.
	const kind = ROUND[(number * 7) % ROUND.length];
	if (kind === undefined) throw new RangeError(`There is no session ${number}`);
	// From 250 addresses: each burglar's guesses are too few for the node to refuse the address.
	const caller = await Caller.connect(port, `127.0.7.${1 + (Math.floor(number / ROUND.length) % 250)}`);
	try {
		await kind.run(caller, number);
	} catch (error) {
		throw new Error(`Session ${number}, ${kind.name}`, { cause: error });
	} finally {
		caller.socket.destroy();
	}
}

import { appendFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { CAMERA_SDP, type CameraConnection, FakeCamera } from "../support/fake-camera.ts";
import { H264_PPS, H264_SPS, nal, rtpPacket } from "../support/rtp-stream.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { Caller } from "./soak-caller.ts";

const SOURCES = 200;
/** From the start of the process to media from each source. */
const ALL_RUNNING_MS = 15_000;
const NAMES = Array.from({ length: SOURCES }, (_, i) => `cam${String(i).padStart(3, "0")}`);

/** Of 200 cameras, each; it makes 2000 writes a second here. */
const FRAMES_PER_SECOND = 10;

/** What the others notice of who is stuck: each of them is answered within this time. */
const MAX_ANSWER_MS = 1000;
const QUESTIONS = 600;
const ASKED_AT_ONCE = 4;
/** More readers than questions that the authentication server may have before it at the same time. */
const WAITING_READERS = 80;
/** Of the node; what is stuck is given up after it. */
const READ_TIMEOUT_S = 10;

/** Cameras at one address that answer for every path, and send canned video to who plays. */
class Cameras implements AsyncDisposable {
	readonly camera: FakeCamera;
	readonly #playing: Set<CameraConnection>;
	readonly #timer: NodeJS.Timeout;
	#frames = 0;

	private constructor(camera: FakeCamera, playing: Set<CameraConnection>) {
		this.camera = camera;
		this.#playing = playing;
		this.#timer = setInterval(() => this.#send(), 1000 / FRAMES_PER_SECOND);
	}

	static async open(): Promise<Cameras> {
		const playing = new Set<CameraConnection>();
		const [video = ""] = CAMERA_SDP.split("m=audio");
		const camera = await FakeCamera.open(({ method, connection }) => {
			if (method === "PLAY") setImmediate(() => playing.add(connection));
			return method === "DESCRIBE"
				? { status: 200, headers: { "Content-Type": "application/sdp" }, body: video }
				: undefined;
		});
		return new Cameras(camera, playing);
	}

	/** The next frame, the same to everybody: a key frame each second. */
	#send(): void {
		const count = this.#frames++;
		const nals = count % FRAMES_PER_SECOND === 0 ? [H264_SPS, H264_PPS, nal(5, 1000)] : [nal(1, 1000)];
		const packets = nals.map((payload, i) =>
			rtpPacket({
				// Up to three packets a frame.
				sequence: count * 3 + i,
				timestamp: count * (90_000 / FRAMES_PER_SECOND),
				marker: i === nals.length - 1,
				payload,
			}),
		);
		for (const connection of this.#playing) {
			if (connection.isClosed) this.#playing.delete(connection);
			else for (const packet of packets) connection.frame(0, packet);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		clearInterval(this.#timer);
		await this.camera[Symbol.asyncDispose]();
	}
}

/** A server that takes what comes, and never answers. */
class StuckServer implements AsyncDisposable {
	readonly #server: net.Server;
	readonly #sockets = new Set<net.Socket>();
	/** Requests over HTTP that came. */
	requests = 0;

	private constructor(server: net.Server) {
		this.#server = server;
		server.on("connection", (socket: net.Socket) => {
			this.#sockets.add(socket);
			socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
		});
	}

	static async open(kind: "tcp" | "http"): Promise<StuckServer> {
		const server = kind === "tcp" ? net.createServer((socket) => socket.resume()) : http.createServer();
		const stuck = new StuckServer(server);
		server.on("request", () => void stuck.requests++);
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return stuck;
	}

	get port(): number {
		return (this.#server.address() as net.AddressInfo).port;
	}

	/** Connections that the other side still holds. */
	get held(): number {
		return this.#sockets.size;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of this.#sockets) socket.destroy();
		await new Promise((resolve) => this.#server.close(resolve));
	}
}

/** How many of the sources media have come from. */
async function running(sluice: Sluice): Promise<number> {
	const response = await fetch(`http://127.0.0.1:${sluice.ports.metrics}/metrics`);
	const text = await response.text();
	if (!response.ok) throw new Error(`${response.status} ${text}`);
	return [...text.matchAll(/^paths_inbound_bytes\{name="cam\d{3}",state="ready"\} (\d+)/gm)].filter(
		([, bytes]) => Number(bytes) > 0,
	).length;
}

type Latency = { readonly p50: number; readonly p99: number; readonly max: number };

/** From before the connection to the answer to DESCRIBE, over all paths in turn, in milliseconds. */
async function describeLatency(sluice: Sluice): Promise<Latency> {
	const times: number[] = [];
	let asked = 0;
	const line = async () => {
		while (asked < QUESTIONS) {
			const name = NAMES[asked++ % NAMES.length] ?? "";
			const began = performance.now();
			const caller = await Caller.connect(sluice.ports.rtsp, "127.0.0.1");
			await caller.speakRtsp().ask(200, "DESCRIBE", sluice.rtsp(name), ["Accept: application/sdp"]);
			times.push(performance.now() - began);
			await caller.leave();
		}
	};
	await Promise.all(Array.from({ length: ASKED_AT_ONCE }, line));
	times.sort((a, b) => a - b);
	const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
	return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const print = (what: string, figures: object) => process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);

describe("two hundred pull sources", () => {
	it("all run within 15 s, and neither a stuck source nor a stuck authentication server holds others up", async () => {
		await using folder = await tempDir();
		await using cameras = await Cameras.open();
		await using stuckSource = await StuckServer.open("tcp");
		await using stuckAuth = await StuckServer.open("http");
		const source = (port: number, name: string) =>
			`  ${name}:\n    source: rtsp://127.0.0.1:${port}/${name}\n    rtspTransport: tcp\n`;
		const beganMs = performance.now();
		await using sluice = await Sluice.start({
			folder: folder.path,
			nodeOnly: true,
			config: [
				`readTimeout: ${READ_TIMEOUT_S}s`,
				"authMethod: http",
				`authHTTPAddress: http://127.0.0.1:${stuckAuth.port}/auth`,
				"authHTTPExclude: [{ action: read, path: '~^cam' }, { action: metrics }]",
				"paths:",
				"  locked:",
				...NAMES.map((name) => source(cameras.camera.port, name).trimEnd()),
			].join("\n"),
		});
		await eventually(
			"all sources run",
			async () => {
				const count = await running(sluice);
				if (count === SOURCES) return true;
				throw new Error(`${count} of ${SOURCES} run`);
			},
			{ timeoutMs: ALL_RUNNING_MS - (performance.now() - beganMs), everyMs: 50 },
		);
		const runningMs = performance.now() - beganMs;
		expect(runningMs).toBeLessThan(ALL_RUNNING_MS);
		print(`${SOURCES} sources run after`, { milliseconds: Math.round(runningMs) });

		const before = await describeLatency(sluice);
		await appendFile(path.join(folder.path, "sluice.yml"), source(stuckSource.port, "stuck"));
		await eventually("the stuck source is being asked", () => stuckSource.held > 0);
		const readers = await Promise.all(
			Array.from({ length: WAITING_READERS }, () => Caller.connect(sluice.ports.rtsp, "127.0.0.1")),
		);
		const answers = readers.map((reader) => reader.speakRtsp().ask(503, "DESCRIBE", sluice.rtsp("locked")));
		let answered = 0;
		for (const answer of answers)
			void answer.then(
				() => answered++,
				() => answered++,
			);
		await eventually("the authentication server is being asked", () => stuckAuth.requests >= 64);
		const during = await describeLatency(sluice);
		expect([stuckSource.held > 0, answered], "still stuck").toEqual([true, 0]);
		print("DESCRIBE of the others, milliseconds", { before, during });
		expect(before.max).toBeLessThan(MAX_ANSWER_MS);
		expect(during.max).toBeLessThan(MAX_ANSWER_MS);
		expect(await running(sluice)).toBe(SOURCES);

		// In the end both are given up, and the log says which they are.
		await Promise.all(answers);
		await sluice.program.says(/The source of stuck failed: .*answer/, READ_TIMEOUT_S * 2000);
		await sluice.program.says(/The authentication server did not answer/);
		expect(sluice.program.output.toString()).not.toMatch(/The source of cam/);
		for (const reader of readers) reader.socket.destroy();
	});
});

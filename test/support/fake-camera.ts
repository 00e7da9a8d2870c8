/** A camera that answers as a test wants it to: what it was asked, and the frames that it sends. */

import net from "node:net";
import tls from "node:tls";
import { type RtspRequest, type RtspResponse, writeResponse } from "../../media-node/rtsp/message.ts";
import { RtspParser } from "../../media-node/rtsp/parser.ts";

export const CAMERA_SDP =
	"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n" +
	"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n" +
	"m=audio 0 RTP/AVP 0\r\na=control:trackID=2\r\n";

export type CameraRequest = RtspRequest & { readonly connection: CameraConnection };
/** `null`: no answer. */
export type CameraAnswer = RtspResponse | null;

export class CameraConnection {
	readonly socket: net.Socket;
	/** Frames that came, by channel. */
	readonly frames: { readonly channel: number; readonly bytes: Uint8Array }[] = [];
	readonly responses: number[] = [];
	isClosed = false;

	constructor(socket: net.Socket) {
		this.socket = socket;
	}

	frame(channel: number, bytes: Uint8Array): void {
		this.send(Buffer.concat([Buffer.from([0x24, channel, bytes.length >> 8, bytes.length & 0xff]), bytes]));
	}

	send(bytes: Uint8Array | string): void {
		this.socket.write(bytes);
	}
}

export class FakeCamera implements AsyncDisposable {
	readonly requests: CameraRequest[] = [];
	readonly connections: CameraConnection[] = [];
	readonly #server: net.Server;

	private constructor(server: net.Server) {
		this.#server = server;
	}

	/** What `script` does not answer (`undefined`) is answered as by a camera without faults, over TCP. */
	static async open(
		script: (request: CameraRequest) => CameraAnswer | undefined = () => undefined,
		tlsOptions?: tls.TlsOptions,
	): Promise<FakeCamera> {
		const server = tlsOptions === undefined ? net.createServer() : tls.createServer(tlsOptions);
		const camera = new FakeCamera(server);
		server.on(tlsOptions === undefined ? "connection" : "secureConnection", (socket: net.Socket) =>
			camera.#accept(socket, script),
		);
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return camera;
	}

	get port(): number {
		return (this.#server.address() as net.AddressInfo).port;
	}

	get methods(): string[] {
		return this.requests.map(({ method }) => method);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const { socket } of this.connections) socket.destroy();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	#accept(socket: net.Socket, script: (request: CameraRequest) => CameraAnswer | undefined): void {
		const connection = new CameraConnection(socket);
		this.connections.push(connection);
		const parser = new RtspParser({
			onFrame: (channel, bytes, offset, length) =>
				void connection.frames.push({ channel, bytes: Uint8Array.from(bytes.subarray(offset, offset + length)) }),
			onResponse: ({ status }) => void connection.responses.push(status),
			onRequest: (request) => {
				const full = { ...request, connection };
				this.requests.push(full);
				const scripted = script(full);
				const answer = scripted === undefined ? usual(full) : scripted;
				if (answer === null) return;
				const cseq = request.headers.get("cseq") ?? "0";
				socket.write(writeResponse({ ...answer, headers: { CSeq: cseq, ...answer.headers } }));
			},
		});
		socket.on("data", (bytes) => parser.push(bytes));
		socket.on("error", () => {});
		socket.on("end", () => socket.end());
		socket.on("close", () => {
			connection.isClosed = true;
		});
	}
}

/** What a camera without faults answers. */
export function usual({ method, headers }: RtspRequest): RtspResponse {
	switch (method) {
		case "OPTIONS":
			return { status: 200, headers: { Public: "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER" } };
		case "DESCRIBE":
			return { status: 200, headers: { "Content-Type": "application/sdp" }, body: CAMERA_SDP };
		case "SETUP":
			return { status: 200, headers: { Session: "s1;timeout=30", Transport: headers.get("transport") ?? "" } };
		default:
			return { status: 200, headers: { Session: "s1" } };
	}
}

/** A client of the soak test: one connection, of which it knows how to ask, to publish, to leave, and to be cut off. */

import { once } from "node:events";
import net from "node:net";
import { RtspParser } from "../../media-node/rtsp/parser.ts";

/** Nothing in a short session takes so long. */
const PATIENCE_MS = 20_000;

export type CallerAnswer = { readonly status: number; readonly session: string };

export class Caller {
	readonly socket: net.Socket;
	readonly #closed: Promise<unknown>;
	readonly #answers: CallerAnswer[] = [];
	#frames = 0;
	#text = "";
	#cseq = 0;
	#session = "";
	/** Called when something came, or the connection closed. */
	#onChange: () => void = () => undefined;

	private constructor(socket: net.Socket) {
		this.socket = socket;
		// Resets are part of the test; "close" follows.
		socket.on("error", () => undefined);
		socket.setTimeout(PATIENCE_MS, () => socket.destroy());
		this.#closed = once(socket, "close").then(() => this.#onChange());
	}

	/** Connects from `localAddress`, so that ports and failed attempts are spread over many. */
	static async connect(port: number, localAddress: string): Promise<Caller> {
		const socket = net.connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
		const caller = new Caller(socket);
		await once(socket, "connect");
		return caller;
	}

	/** What comes is RTSP from now on. */
	speakRtsp(): this {
		const parser = new RtspParser({
			onFrame: () => void this.#frames++,
			onResponse: ({ status, headers }) =>
				void this.#answers.push({ status, session: headers.get("session")?.split(";")[0] ?? "" }),
			onRequest: () => undefined,
		});
		this.socket.on("data", (bytes) => {
			parser.push(bytes);
			this.#onChange();
		});
		return this;
	}

	/** What comes is text from now on, as that of HTTP is. */
	speakText(): this {
		this.socket.on("data", (bytes) => {
			this.#text += bytes.toString("latin1");
			this.#onChange();
		});
		return this;
	}

	send(bytes: Uint8Array | string): void {
		this.socket.write(bytes);
	}

	/** Sends a request; throws unless its answer has `status`. */
	async ask(status: number, method: string, url: string, headers: readonly string[] = [], body = ""): Promise<void> {
		this.request(method, url, headers, body);
		await this.#until(() => this.#answers.length > 0, `the answer to ${method} ${url}`);
		const answer = this.#answers.shift();
		if (answer?.status !== status) throw new Error(`${method} ${url} got ${answer?.status}, not ${status}`);
		if (answer.session !== "") this.#session = answer.session;
	}

	/** Sends a request, and does not wait. */
	request(method: string, url: string, headers: readonly string[] = [], body = ""): void {
		const lines = [
			`${method} ${url} RTSP/1.0`,
			`CSeq: ${++this.#cseq}`,
			...(this.#session === "" ? [] : [`Session: ${this.#session}`]),
			...headers,
			...(body === "" ? [] : [`Content-Length: ${body.length}`]),
		];
		this.send(`${lines.join("\r\n")}\r\n\r\n${body}`);
	}

	/** Sends a frame on channel 0. */
	frame(packet: Uint8Array): void {
		this.send(Buffer.concat([Buffer.from([0x24, 0, packet.length >> 8, packet.length & 0xff]), packet]));
	}

	/** Waits until so many frames have come. */
	frames(count: number): Promise<void> {
		return this.#until(() => this.#frames >= count, `${count} frames`);
	}

	/** Waits until `text` has come. */
	says(text: string): Promise<void> {
		return this.#until(() => this.#text.includes(text), JSON.stringify(text));
	}

	/** Says that nothing more will come, and waits until the server has closed its side. */
	async leave(): Promise<void> {
		this.socket.resume();
		this.socket.end();
		await this.#closed;
	}

	/** Is gone at once, with RST. */
	async reset(): Promise<void> {
		this.socket.resetAndDestroy();
		await this.#closed;
	}

	async #until(isTrue: () => boolean, what: string): Promise<void> {
		while (!isTrue()) {
			if (this.socket.destroyed) throw new Error(`The connection closed before ${what} came`);
			await new Promise<void>((resolve) => {
				this.#onChange = resolve;
			});
		}
	}
}
